from pathlib import Path

import pytest

from minorkey.errors import ContractError, StateError
from minorkey.trials.study_root import LocalStudyRoot, open_root
from tests.trials.study_root_contract import StudyRootContract


class TestFolder(StudyRootContract):
    @pytest.fixture
    def location(self, tmp_path: Path) -> str:
        return str(tmp_path / "new" / "root")


def test_a_file_that_is_being_written_is_no_key(tmp_path: Path) -> None:
    with pytest.raises(ContractError):
        LocalStudyRoot(tmp_path).put_if_absent(".partial/x", b"")


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StateError) as caught:
        LocalStudyRoot(tmp_path / "file").put_if_absent("a", b"")
    assert caught.value.remedy and caught.value.key == str(tmp_path / "file")


@pytest.mark.parametrize("location", ["gs://bucket/study", "s3://", "s3:///study", "s3://bucket/a?b=c"])
def test_a_place_of_another_kind_is_named(location: str) -> None:
    with pytest.raises(StateError) as caught:
        open_root(location)
    assert caught.value.value == location and "s3://BUCKET/PREFIX" in caught.value.allowed
