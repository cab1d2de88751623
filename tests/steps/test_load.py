import dataclasses
import fcntl
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from minorkey import lease
from minorkey.data.dataset import Dataset, Schema
from minorkey.registry import move_champion
from minorkey.steps import load
from tests.data.raw_frames import rare_frame
from tests.serving.bundles import SCHEMA, small_bundle
from tests.steps.registered import registered


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("MINORKEY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MINORKEY_EVENTS", str(tmp_path / "events.jsonl"))
    monkeypatch.setenv("MINORKEY_ERROR", str(tmp_path / "error.json"))
    for name in ("MINORKEY_RUN_KEY", "MINORKEY_OWNER_LOCK", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    yield tmp_path / "home"


def _frame(rows: int = 400) -> pd.DataFrame:
    return rare_frame(rows).assign(when=pd.date_range("2024-01-01", periods=rows, freq="h"))


def _run(folder: Path, **changes: Any) -> load.LoadResult:
    source = folder / "rows.parquet"
    if not source.exists():
        _frame().to_parquet(source)
    data = {"source": str(source), "target": "fraud", **changes.pop("data", {})}
    arguments: dict[str, Any] = {"base_version": "", "feedback_uri": "", "until": ""} | changes
    return load.run(model="cards", data=json.dumps(data), data_dir=folder / "data", **arguments)


def _dataset(folder: Path) -> Dataset:
    return Dataset.read(folder / "data/rows.parquet", Schema.read(folder / "data/schema.json"))


def _error(folder: Path) -> dict[str, str]:
    content: dict[str, str] = json.loads((folder / "error.json").read_text())
    return content


def test_writes_rows_schema_and_profile_and_says_what_it_assumed(tmp_path: Path) -> None:
    result = _run(tmp_path)
    assert result.champion_version == ""
    assert len(result.run_key) == 32
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == [
        "profile.json",
        "rows.parquet",
        "schema.json",
    ]
    profile = json.loads((tmp_path / "data/profile.json").read_text())
    assert profile["digest"] == _dataset(tmp_path).digest()
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assumed = [event["text"] for event in events if event["event"] == "assumed"]
    assert any("positive is fraud = 1" in text for text in assumed)
    assert lease.holder("cards") is None


def test_replaces_what_an_earlier_attempt_left(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/rest").write_text("x")
    _run(tmp_path)
    assert not (tmp_path / "data/rest").exists()


def test_bad_input_ends_with_code_2_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        _run(tmp_path, data={"target": "fruad"})
    assert caught.value.code == 2
    assert _error(tmp_path)["key"] == "data.target"
    assert not list(tmp_path.glob("data*"))
    assert lease.holder("cards") is None


def test_a_slice_by_what_is_no_feature_is_refused_before_any_work(tmp_path: Path) -> None:
    for wrong, told in (("amuont", "did you mean"), ("when", "data.keep")):
        with pytest.raises(SystemExit) as caught:
            _run(tmp_path, data={"slices": ["amount", wrong]})
        assert caught.value.code == 2
        error = _error(tmp_path)
        assert error["key"] == "evaluate.slices"
        assert error["value"].startswith(wrong) and told in error["remedy"]
        assert "amount" in error["allowed"]
        assert not (tmp_path / "data").exists()
    _run(tmp_path, data={"slices": ["amount"]})


def test_an_unwritable_folder_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file stands in the way")
    with pytest.raises(SystemExit):
        _run(tmp_path)
    assert _error(tmp_path)["kind"] == "StateError"
    assert not list(tmp_path.glob("data.partial"))


def test_a_model_has_one_run_in_flight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = tmp_path / "owner.lock"
    monkeypatch.setenv("MINORKEY_RUN_KEY", "second")
    with owner.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        lease.take("cards", "first", owner=str(owner))
        with pytest.raises(SystemExit):
            _run(tmp_path)
        assert "run first" in _error(tmp_path)["value"]
    assert _run(tmp_path).run_key == "second"
    holder = lease.holder("cards")
    assert holder is not None
    assert holder.run_key == "second"


def test_a_resumed_run_keeps_its_lease(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINORKEY_RUN_KEY", "same")
    assert _run(tmp_path).run_key == _run(tmp_path).run_key == "same"


def test_production_rows_are_appended(tmp_path: Path) -> None:
    later = _frame(500).iloc[400:]
    later.assign(request="r").to_csv(tmp_path / "feedback.csv", index=False)
    _run(tmp_path)
    before = _dataset(tmp_path)
    _run(tmp_path, feedback_uri=str(tmp_path / "feedback.csv"))
    after = _dataset(tmp_path)
    assert len(after) == 500
    assert after.schema.names() == before.schema.names()
    np.testing.assert_array_equal(after.row_id[:400], before.row_id)
    np.testing.assert_array_equal(after.y[400:], later["fraud"])


def test_until_drops_what_comes_later(tmp_path: Path) -> None:
    _frame(500).iloc[400:].to_parquet(tmp_path / "feedback.parquet")
    _run(tmp_path, feedback_uri=str(tmp_path / "feedback.parquet"), until="2024-01-18T16:00:00Z")
    dataset = _dataset(tmp_path)
    assert len(dataset) == 424
    assert dataset.event_time is not None
    assert dataset.event_time.max() == pd.Timestamp("2024-01-18T15:00:00Z").timestamp()


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"until": "soon"}, "until"),
        ({"until": "2020-01-01"}, "until"),
        ({"feedback_uri": "absent.csv"}, "data.source"),
        ({"base_version": "3"}, "cards/3"),
    ],
)
def test_bad_retune_inputs(tmp_path: Path, changes: dict[str, str], key: str) -> None:
    with pytest.raises(SystemExit):
        _run(tmp_path, **changes)
    assert _error(tmp_path)["key"] == key


def test_production_rows_without_a_feature_or_the_target(tmp_path: Path) -> None:
    for absent, key in (("speed", "feedback_uri"), ("fraud", "feedback_uri")):
        _frame().drop(columns=absent).to_csv(tmp_path / "feedback.csv", index=False)
        with pytest.raises(SystemExit):
            _run(tmp_path, feedback_uri=str(tmp_path / "feedback.csv"))
        assert _error(tmp_path)["key"] == key
        assert absent in _error(tmp_path)["value"]


@pytest.mark.parametrize(
    ("country", "told"), [(None, "country"), (31, "country: numeric, and categorical in the champion")]
)
def test_a_champion_that_cannot_score_the_rows_is_told_before_any_work(
    tmp_path: Path, country: int | None, told: str
) -> None:
    schema = dataclasses.replace(SCHEMA, features=(SCHEMA.features[0], SCHEMA.features[2]))
    version = registered(small_bundle(tmp_path / "bundle", schema=schema), "before", tmp_path).model_version
    move_champion("cards", version, expected="")
    codes = {} if country is None else {"country": np.arange(400) % country}
    _frame().assign(**codes).to_parquet(tmp_path / "rows.parquet")
    with pytest.raises(SystemExit):
        _run(tmp_path)
    assert _error(tmp_path)["value"] == told
    assert not (tmp_path / "data").exists()
    assert lease.holder("cards") is None
    _frame().assign(country=np.where(np.arange(400) % 2, "NL", "BE")).to_parquet(tmp_path / "rows.parquet")
    assert _run(tmp_path).champion_version == version
