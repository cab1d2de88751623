import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from minorkey import lease
from minorkey.bundle.bundle import Bundle
from minorkey.errors import StateError
from minorkey.registry import move_champion, version_to_beat
from minorkey.serving.samples import sample_rows
from minorkey.steps import load, register
from minorkey.tracking import client, open_run, version_of
from tests.data.raw_frames import rare_frame
from tests.serving.bundles import small_bundle
from tests.steps.registered import registered, write_reports


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def _own_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINORKEY_HOME", str(home))
    for name in ("MLFLOW_TRACKING_URI", "MINORKEY_BUNDLE_ROOT", "MINORKEY_ERROR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return small_bundle(tmp_path_factory.mktemp("bundle") / "first")


def test_register_writes_a_challenger_with_its_lineage(bundle: Bundle, tmp_path: Path) -> None:
    result = registered(bundle, "key-1", tmp_path)
    version = client().get_model_version("cards", result.model_version)
    assert version_of("cards", "challenger") == result.model_version
    assert version_of("cards", "champion") == ""
    expected = {
        "minorkey.run_key": "key-1",
        "minorkey.digest": bundle.digest,
        "minorkey.bundle_uri": result.bundle_uri,
        "minorkey.data_digest": "f" * 32,
        "minorkey.decision": "promote",
        "minorkey.decision_reason": "no champion yet",
    }
    assert expected.items() <= version.tags.items()
    tracker = open_run("cards", "key-1")
    run = client().get_run(tracker.run_id)
    assert run.data.metrics["test.average_precision.low"] == 0.4
    assert "test.roc_auc" not in run.data.metrics
    names = {file.path for file in client().list_artifacts(tracker.run_id)}
    assert {"verdict.json", "report.html", "model_card.md", "study.json"} <= names


def _load(model: str, folder: Path) -> load.LoadResult:
    frame = rare_frame(400)
    # The champion's features: what it cannot score is refused before work starts.
    frame["moment"] = pd.date_range("2024-01-01", periods=len(frame), freq="h")
    frame["country"] = np.resize(["CH", "DE", "FR"], len(frame))
    frame.to_parquet(folder / "rows.parquet")
    features = ["amount", "moment", "country"]
    return load.run(
        model=model,
        data=json.dumps({"source": str(folder / "rows.parquet"), "target": "fraud", "features": features}),
        base_version="",
        feedback_uri="",
        until="",
        data_dir=folder / "data",
    )


def test_a_resumed_run_that_is_champion_goes_on_against_the_champion_before(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert version_to_beat("rivals", "key-1") == ""
    first = registered(bundle, "key-1", tmp_path, model="rivals").model_version
    assert version_to_beat("rivals", "key-1") == ""
    move_champion("rivals", first, expected="")
    assert version_to_beat("rivals", "key-1") == ""
    assert version_to_beat("rivals", "key-2") == first

    second = registered(bundle, "key-2", tmp_path, model="rivals", champion=first).model_version
    move_champion("rivals", second, expected=first)
    assert version_to_beat("rivals", "key-2") == first
    assert version_to_beat("rivals", "key-3") == second
    monkeypatch.setenv("MINORKEY_RUN_KEY", "key-2")
    assert _load("rivals", tmp_path).champion_version == first
    monkeypatch.setenv("MINORKEY_RUN_KEY", "key-3")
    lease.release("rivals", "key-2")
    assert _load("rivals", tmp_path).champion_version == second
    lease.release("rivals", "key-3")

    # The resumed run may make another bundle, of newer packages for instance, in place of its own version.
    remade = small_bundle(tmp_path / "remade", seed=7)
    third = registered(remade, "key-2", tmp_path, model="rivals", champion=first).model_version
    move_champion("rivals", third, expected=first)
    assert version_of("rivals", "champion") == third
    foreign = registered(remade, "key-4", tmp_path, model="rivals", champion=first).model_version
    with pytest.raises(StateError, match="champion changed"):
        move_champion("rivals", foreign, expected=first)


def test_a_resumed_run_registers_no_second_version(bundle: Bundle, tmp_path: Path) -> None:
    first = registered(bundle, "key-2", tmp_path)
    later = registered(bundle, "key-3", tmp_path)
    assert registered(bundle, "key-2", tmp_path) == first
    assert later.model_version != first.model_version
    assert version_of("cards", "challenger") == later.model_version


def test_mlflow_loads_the_model_without_pickle_and_scores_alike(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    registered(bundle, "key-4", tmp_path)
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    loaded = mlflow.pyfunc.load_model("models:/cards@challenger")
    rows = sample_rows(bundle.info, 50)
    answer = loaded.predict(rows | {"country": rows["country"].astype(str)})
    np.testing.assert_allclose(answer["score"], bundle.score_arrays(rows)[1], atol=1e-7)
    assert loaded.metadata.get_input_schema().input_names() == ["amount", "moment", "country"]


@pytest.mark.parametrize("text", ["{", json.dumps({"decision": "keep"})])
def test_a_broken_verdict_ends_the_step_with_one_message(
    bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    paths = write_reports(tmp_path)
    paths["verdict_path"].write_text(text)
    with pytest.raises(SystemExit) as caught:
        register.run(model="cards", run_key="broken", bundle_dir=bundle.folder, **paths)
    assert caught.value.code == 2
    assert "verdict.json" in capsys.readouterr().err
