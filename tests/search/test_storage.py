from pathlib import Path

import pytest

from minorkey.errors import StateError
from minorkey.search.storage import open_storage
from minorkey.trials.study_root import open_root
from tests.search.storage_contract import StorageContract, executor

__all__ = ["executor"]


class TestJournal(StorageContract):
    @pytest.fixture
    def url(self) -> str:
        return ""


def test_a_study_in_a_bucket_needs_a_database(s3: str) -> None:
    with pytest.raises(StateError) as caught, open_storage(open_root(s3), ""):
        pass
    assert (caught.value.key, caught.value.value) == ("MINORKEY_DATABASE_URL", s3)


def test_the_journal_lies_in_the_drivers_folder(tmp_path: Path) -> None:
    with open_storage(open_root(str(tmp_path)), ""):
        assert (tmp_path / "study.lock").exists()
