import json
import multiprocessing

import pytest
from filelock import FileLock

from minorkey.errors import StateError
from minorkey.evaluation.ledger import FileLedger, open_ledger
from tests.evaluation.ledger.ledger_contract import LedgerContract


def open_many(path, worker):
    ledger = FileLedger(path)
    for turn in range(10):
        ledger.open("test", f"run-{worker}-{turn}")


class TestFile(LedgerContract):
    @pytest.fixture
    def ledger(self, tmp_path, monkeypatch):
        monkeypatch.setenv("MINORKEY_HOME", str(tmp_path / "new"))
        monkeypatch.delenv("MINORKEY_DATABASE_URL", raising=False)
        found = open_ledger()
        assert isinstance(found, FileLedger)
        return found


def test_another_process_sees_the_openings(tmp_path):
    FileLedger(tmp_path / "ledger.json").open("a", "one")
    assert FileLedger(tmp_path / "ledger.json").open("a", "two") == 2


def test_concurrent_runs_get_openings_of_their_own(tmp_path):
    path = tmp_path / "ledger.json"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=open_many, args=(path, worker)) for worker in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert FileLedger(path).openings("test") == 30


def test_a_crash_while_writing_loses_nothing(tmp_path):
    path = tmp_path / "ledger.json"
    ledger = FileLedger(path)
    ledger.open("a", "one")
    path.with_suffix(".partial").write_text('{"format": 1, "open')
    assert ledger.open("a", "two") == 2
    assert json.loads(path.read_text())["openings"] == {"a": ["one", "two"]}


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"format": 9, "openings": {}}', '{"format": 1, "openings": 3}']
)
def test_an_altered_ledger_is_refused_and_left_as_it_is(tmp_path, content):
    path = tmp_path / "ledger.json"
    path.write_text(content)
    with pytest.raises(StateError) as caught:
        FileLedger(path).open("a", "one")
    assert caught.value.key == str(path)
    assert path.read_text() == content


def test_a_held_lock_is_named(tmp_path):
    path = tmp_path / "ledger.json"
    with FileLock(path.with_suffix(".lock")), pytest.raises(StateError, match="locked"):
        FileLedger(path, timeout=0.05).open("a", "one")


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError) as caught:
        FileLedger(tmp_path / "file" / "ledger.json").open("a", "one")
    assert caught.value.remedy
