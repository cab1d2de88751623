from pathlib import Path

import pandas as pd
import pytest

from minorkey.data.training_set import TrainingSet
from minorkey.errors import StateError
from minorkey.trials.rows import fetch_rows, put_rows
from minorkey.trials.study_root import LocalStudyRoot
from tests.search.test_driver import rows


@pytest.fixture(scope="module")
def training() -> TrainingSet:
    return rows(weighted=True)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalStudyRoot:
    monkeypatch.setenv("MINORKEY_STUDY_ROOT", str(tmp_path / "study"))
    monkeypatch.setenv("MINORKEY_HOME", str(tmp_path / "home"))
    return LocalStudyRoot(tmp_path / "study")


def test_rows_come_through_the_study_root_unchanged(training: TrainingSet, root: LocalStudyRoot) -> None:
    place = put_rows(training, root)
    keys = root.list("data/")
    assert put_rows(training, root) == place and root.list("data/") == keys
    fetched = TrainingSet.read(fetch_rows(place))
    assert fetched.digest == training.digest
    pd.testing.assert_frame_equal(fetched.dataset.features, training.dataset.features)
    assert len(fetched.parts) == len(training.parts)


def test_rows_are_fetched_once(training: TrainingSet, root: LocalStudyRoot) -> None:
    place = put_rows(training, root)
    folder = fetch_rows(place)
    (root.path / "data").rename(root.path / "gone")
    assert fetch_rows(place) == folder


def test_a_put_that_was_cut_short_is_finished(training: TrainingSet, root: LocalStudyRoot) -> None:
    place = put_rows(training, root)
    (root.path / place.removeprefix("study:") / "complete.json").unlink()
    with pytest.raises(StateError):
        fetch_rows(place)
    put_rows(training, root)
    assert TrainingSet.read(fetch_rows(place)).digest == training.digest


def test_altered_rows_are_refused(training: TrainingSet, root: LocalStudyRoot) -> None:
    place = put_rows(training, root)
    (file,) = (root.path / "data").rglob("*-rows.parquet")
    file.write_bytes(b"something else")
    with pytest.raises(StateError) as caught:
        fetch_rows(place)
    assert "rows.parquet" in caught.value.key
    assert not list((root.path.parent / "home" / "rows").iterdir())


def test_a_folder_is_itself(tmp_path: Path) -> None:
    assert fetch_rows(str(tmp_path)) == tmp_path
