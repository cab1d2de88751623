import json
import multiprocessing

import pytest
from filelock import FileLock

from minorkey.errors import StateError
from minorkey.evaluation.ledger import FileLedger as OpeningLedger


def open_many(path, worker):
    ledger = OpeningLedger(path)
    for turn in range(10):
        ledger.open("test", f"run-{worker}-{turn}")


def test_each_run_is_one_opening(tmp_path):
    ledger = OpeningLedger(tmp_path / "new" / "ledger.json")
    assert [ledger.open("a", run) for run in ("one", "two", "one", "three", "two")] == [1, 2, 1, 3, 2]
    assert ledger.open("b", "one") == 1
    assert ledger.openings("a") == 3
    assert ledger.openings("never") == 0


def test_another_process_sees_the_openings(tmp_path):
    OpeningLedger(tmp_path / "ledger.json").open("a", "one")
    assert OpeningLedger(tmp_path / "ledger.json").open("a", "two") == 2


def test_concurrent_runs_get_openings_of_their_own(tmp_path):
    path = tmp_path / "ledger.json"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=open_many, args=(path, worker)) for worker in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert OpeningLedger(path).openings("test") == 30


def test_a_crash_while_writing_loses_nothing(tmp_path):
    path = tmp_path / "ledger.json"
    ledger = OpeningLedger(path)
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
        OpeningLedger(path).open("a", "one")
    assert caught.value.key == str(path)
    assert path.read_text() == content


def test_a_held_lock_is_named(tmp_path):
    path = tmp_path / "ledger.json"
    with FileLock(path.with_suffix(".lock")), pytest.raises(StateError, match="locked"):
        OpeningLedger(path, timeout=0.05).open("a", "one")


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError) as caught:
        OpeningLedger(tmp_path / "file" / "ledger.json").open("a", "one")
    assert caught.value.remedy
