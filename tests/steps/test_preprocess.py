import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from minorkey.data.dataset import Dataset
from minorkey.data.training_set import TestSet, TrainingSet
from minorkey.steps import preprocess
from tests.data.rows import make_dataset


def run(data: Dataset, folder: Path, split: dict[str, object], *, seed: int = 0) -> None:
    loaded = folder / "data"
    loaded.mkdir(parents=True, exist_ok=True)
    data.write(loaded / "rows.parquet")
    data.schema.write(loaded / "schema.json")
    (loaded / "profile.json").write_text(json.dumps({"rows": len(data)}))
    preprocess.run(
        model="m",
        split=json.dumps(split),
        seed=seed,
        data_dir=loaded,
        train_dir=folder / "train",
        test_dir=folder / "test",
    )


@pytest.fixture(autouse=True)
def events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MINORKEY_EVENTS", str(tmp_path / "events"))
    monkeypatch.setenv("MINORKEY_ERROR", str(tmp_path / "error.json"))
    return tmp_path / "events"


@pytest.mark.parametrize("split", [{"kind": "hash"}, {"kind": "time", "label_delay": "2d"}])
def test_no_content_of_the_test_is_in_the_training_folder(split: dict[str, object], tmp_path: Path) -> None:
    data = make_dataset(500, positives=90, days=40)
    data.features["kind"] = [f"marker{number:05d}" for number in range(500)]
    data = dataclasses.replace(
        data, row_id=np.random.default_rng(0).integers(2**63, size=500, dtype=np.uint64)
    )
    run(data, tmp_path, split)
    test = TestSet.read(tmp_path / "test").dataset
    training = TrainingSet.read(tmp_path / "train").dataset
    assert not np.isin(test.row_id, training.row_id).any()
    content = b"".join(path.read_bytes() for path in (tmp_path / "train").iterdir())
    assert training.features["kind"].iloc[0].encode() in content
    for marker in test.features["kind"]:
        assert marker.encode() not in content


def test_the_profile_travels_on_the_sealed_side_with_counts_of_the_split(
    tmp_path: Path, events: Path
) -> None:
    data = make_dataset(600, positives=120, entities=200, distinct=100)
    run(data, tmp_path, {"kind": "hash"})
    profile = json.loads((tmp_path / "test" / "profile.json").read_text())
    account = profile["split"]
    assert not (tmp_path / "train" / "profile.json").exists()
    training, test = TrainingSet.read(tmp_path / "train"), TestSet.read(tmp_path / "test")
    assert profile["rows"] == 600
    assert account["train"] == {"rows": len(training.dataset), "positives": training.dataset.positives}
    assert account["test"] == {"rows": len(test.dataset), "positives": test.dataset.positives}
    expected = np.isin(test.dataset.row_id, training.dataset.row_id).sum()
    assert account["test_rows_also_in_training"] == expected > 0
    assert any(json.loads(line)["event"] == "warned" for line in events.read_text().splitlines())


def test_the_sealed_test_does_not_depend_on_the_seed(tmp_path: Path) -> None:
    data = make_dataset(500, positives=100)
    for seed in (0, 1):
        run(data, tmp_path / str(seed), {"kind": "hash"}, seed=seed)
    first, second = (TestSet.read(tmp_path / str(seed) / "test") for seed in (0, 1))
    assert first.dataset.digest() == second.dataset.digest()


def test_repeated_cross_validation_tests_every_row(tmp_path: Path) -> None:
    run(make_dataset(300, positives=30), tmp_path, {"outer_folds": 3, "outer_repeats": 2})
    test, training = TestSet.read(tmp_path / "test"), TrainingSet.read(tmp_path / "train")
    assert test.kind == training.kind == "repeated_cv"
    assert test.outer is not None
    assert test.outer.shape == (2, 300)
    assert len(training.parts) == 7


def test_bad_input_leaves_one_message_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        run(make_dataset(300, positives=30), tmp_path, {"kind": "hash", "folds": 40})
    assert caught.value.code == 2
    assert "split.folds" in capsys.readouterr().err
    assert json.loads((tmp_path / "error.json").read_text())["key"] == "split.folds"
    assert not (tmp_path / "train").exists()
    assert not (tmp_path / "test").exists()
