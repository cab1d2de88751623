from pathlib import Path

from minorkey.trials.executor import Ended, Reported, Task
from minorkey.trials.kubernetes.channel import Channel, Message, Slot, read_slot
from minorkey.trials.study_root import LocalStudyRoot
from minorkey.trials.trial import Outcome

SLOT = Slot("mk-00000000-111111111111-0", 2, "2222222222222222", 7)
TASK = Task("members/final/x/1-0.onnx", "a:b", {"x": [1.5]}, seconds=2.0, memory_mb=3, resource="gpu")


def channel(tmp_path: Path) -> Channel:
    return Channel(LocalStudyRoot(tmp_path))


def test_a_task_arrives_as_it_was_assigned(tmp_path: Path) -> None:
    both = channel(tmp_path)
    assert both.assignment(SLOT.job, 2) is None
    both.assign(SLOT, TASK)
    assert both.assignment(SLOT.job, 2) == (SLOT, TASK)
    assert both.assignment(SLOT.job, 1) is None
    assert both.assigned() == {SLOT.job: 2}


def test_messages_are_read_once_and_reports_come_before_the_end(tmp_path: Path) -> None:
    both, seen = channel(tmp_path), set[str]()
    report = Reported(TASK.name, 0, 0.1 + 0.2, (0.1, 0.2))
    ended = Ended(TASK.name, Outcome.CRASHED, {"x": 1}, 1.5, 0.5, "why", 28)
    both.end(SLOT, ended)
    both.report(SLOT, report)
    assert list(both.inbox(7, seen)) == [Message(SLOT, report), Message(SLOT, ended)]
    assert list(both.inbox(7, seen)) == []
    assert list(both.inbox(8, set())) == []
    assert both.ended(SLOT) == ended


def test_the_first_answer_stays(tmp_path: Path) -> None:
    both = channel(tmp_path)
    assert both.answered(SLOT, 3) is None
    both.answer(SLOT, 3, False)
    both.answer(SLOT, 3, True)
    assert both.answered(SLOT, 3) is False
    assert both.assigned() == {}


def test_a_new_driver_finds_what_was_said(tmp_path: Path) -> None:
    both = channel(tmp_path)
    assert (both.newest_inbox(), both.ends()) == (0, [])
    later = Slot(SLOT.job, 3, SLOT.digest, 12)
    for slot in (later, SLOT):
        both.end(slot, Ended(TASK.name, Outcome.COMPLETE))
    both.report(SLOT, Reported(TASK.name, 0, 1.0))
    assert both.newest_inbox() == 12
    assert both.ends() == [SLOT, later]


def test_the_newest_heartbeat(tmp_path: Path) -> None:
    both = channel(tmp_path)
    assert both.newest_beat() is None
    for second in (999, 1_000_000_000, 20):
        both.beat(second + 0.7)
    assert both.newest_beat() == 1_000_000_000


def test_keys_name_their_slots() -> None:
    assert read_slot(SLOT.key("ended")) == (SLOT, "ended")
    assert read_slot(SLOT.key("0003")) == (SLOT, "0003")
