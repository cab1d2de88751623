"""A retune that somebody calls off ends, says by whom and why, and is not begun again."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from minorkey.errors import SpecError
from minorkey.retune import local_runs
from minorkey.retune.cancelling import ask_cancel
from minorkey.retune.launcher import Launch, Seen
from minorkey.retune.ledger import Ledger
from minorkey.retune.local_ends import end_processes
from minorkey.retune.local_runs import LocalRuns
from minorkey.retune.trigger import Trigger
from minorkey.retune.views import figures, page
from tests.retune.surroundings import Runs, World, alert, delivery, spec_of, trigger_of, wait_until

WHY = "cancelled by ann@desk: the labels are wrong"
LAUNCH = Launch("retune-cards-1", "cards", "performance_down", "harm", "3")
#: A run with a child of its own, and one that does not listen.
CALM = f"{sys.executable} -c 'import time; time.sleep(120)' & echo $! > $0; wait"
DEAF = "trap '' TERM; echo $$ > $0; while true; do sleep 0.1; done"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'retune.db'}"


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path / "runs")


def only(trigger: Trigger):
    (action,) = page(trigger.ledger, 9).actions
    return action


def test_one_that_waits_ends_at_once(url: str, runs: Runs) -> None:
    world = World(ready=(False, "3 of 50"))
    trigger = trigger_of(url, runs, world)
    trigger.receive(delivery(alert()))
    trigger.look()
    assert ask_cancel(trigger.ledger, 1, WHY).status == "cancelled"
    world.ready = (True, "50")
    trigger.receive(delivery(alert()))
    trigger.look()
    assert runs.keys == [] and only(trigger).detail == WHY
    assert figures(trigger.ledger).counts["retune", "cards", "performance_down", "cancelled"] == 1
    assert trigger.receive(delivery(alert(2))).dispositions == {"opened": 1}, "another alert is another wish"


def test_a_run_is_told_to_end_and_the_action_ends_with_it(url: str, runs: Runs) -> None:
    trigger = trigger_of(url, runs, World())
    trigger.receive(delivery(alert()))
    trigger.look()
    assert ask_cancel(trigger.ledger, 1, WHY).status == "running"
    ask_cancel(trigger.ledger, 1, "cancelled by bob: again")
    assert json.loads(page(trigger.ledger, 9).dumps())["cancels"] == [{"action": 1, "detail": WHY}]
    again = trigger_of(url, runs, World())  # another trigger carries it out
    again.look()
    (key,) = runs.keys
    assert runs.cancelled == {key: WHY} and only(again).status == "running"
    runs.ended[key] = Seen("cancelled", "log: somewhere")
    again.look()
    assert (only(again).status, only(again).detail) == ("cancelled", f"{WHY}; log: somewhere")
    assert page(again.ledger, 9).cancels == {}


@pytest.mark.parametrize("state", ["lost", "busy", "failed", "next"])
def test_what_is_cancelled_is_not_begun_again(url: str, runs: Runs, state: str) -> None:
    trigger = trigger_of(url, runs, World())
    trigger.receive(delivery(alert()))
    trigger.look()
    ask_cancel(trigger.ledger, 1, WHY)
    runs.ended[runs.keys[0]] = Seen(state)  # type: ignore[arg-type]
    trigger.look()
    trigger.look()
    assert only(trigger).status == "cancelled" and len(runs.keys) == 1


def test_a_run_that_had_ended_keeps_its_outcome(url: str, runs: Runs) -> None:
    trigger = trigger_of(url, runs, World())
    trigger.receive(delivery(alert()))
    trigger.look()
    ask_cancel(trigger.ledger, 1, WHY)
    runs.ended[runs.keys[0]] = Seen("succeeded", "search: no better", "kept")
    trigger.look()
    assert (only(trigger).status, only(trigger).detail) == (
        "kept",
        f"search: no better; it had ended before it was {WHY}",
    )


def test_a_launch_that_was_cut_short_is_not_made(url: str, runs: Runs) -> None:
    trigger = trigger_of(url, runs, World())
    trigger.receive(delivery(alert()))
    runs.away = True
    trigger.look()
    assert only(trigger).status == "launching"
    ask_cancel(trigger.ledger, 1, WHY)
    runs.away = False
    trigger.look_at_cancelled(1)
    assert only(trigger).status == "cancelled" and runs.keys == []
    assert set(runs.cancelled.values()) == {WHY}, "there might have been a run"


def test_whoever_runs_it_is_away_and_the_wish_stays(url: str, runs: Runs) -> None:
    trigger = trigger_of(url, runs, World())
    trigger.receive(delivery(alert()))
    trigger.look()
    ask_cancel(trigger.ledger, 1, WHY)
    runs.away = True
    trigger.look()
    assert (only(trigger).status, runs.cancelled) == ("running", {})
    runs.away = False
    trigger.look()
    assert set(runs.cancelled.values()) == {WHY}


def test_what_is_not_there_has_ended_or_is_not_the_triggers_is_refused(url: str, runs: Runs) -> None:
    world = World()
    trigger = trigger_of(url, runs, world, dry_run=True)
    with pytest.raises(SpecError, match="no such action"):
        ask_cancel(trigger.ledger, 1, WHY)
    trigger.receive(delivery(alert()))
    trigger.look()
    with pytest.raises(SpecError, match="has ended: dry_run"):
        ask_cancel(trigger.ledger, 1, WHY)
    world.holders["claims"] = "by-hand"
    trigger.look()
    with pytest.raises(SpecError, match="did not start run by-hand") as caught:
        ask_cancel(trigger.ledger, 2, WHY)
    assert "where it was started" in str(caught.value.remedy)


def started(tmp_path: Path, script: str) -> tuple[LocalRuns, int]:
    """A run that goes on, and the pid that it left."""
    pid = tmp_path / "pid"
    place = LocalRuns(tmp_path / "runs", lambda launch, out: ["sh", "-c", script, str(pid)])
    place.launch(LAUNCH)
    wait_until(lambda: pid.exists() and pid.read_text().strip() != "")
    return place, int(pid.read_text())


@pytest.mark.parametrize("script", [CALM, DEAF])
def test_a_local_run_ends_with_all_that_belongs_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    monkeypatch.setattr(local_runs, "_GRACE_SECONDS", 0.5)
    place, pid = started(tmp_path, script)

    def over() -> bool:
        place.cancel(LAUNCH, LAUNCH.key, WHY)
        return place.look(LAUNCH.key).state == "cancelled"

    wait_until(over)
    wait_until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    place.launch(LAUNCH)
    assert place.look(LAUNCH.key).state == "cancelled", "it is not begun again"


def test_a_run_whose_supervisor_is_gone_is_ended_too(tmp_path: Path) -> None:
    place, pid = started(tmp_path, CALM)
    place._children[0].send_signal(signal.SIGKILL)
    place._children[0].wait()
    assert place.look(LAUNCH.key).state == "running"
    place.cancel(LAUNCH, LAUNCH.key, WHY)
    wait_until(lambda: place.look(LAUNCH.key).state == "cancelled")
    wait_until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)


def test_a_run_of_another_machine_is_not_taken_for_ended(tmp_path: Path, url: str) -> None:
    there = LocalRuns(tmp_path / "there", lambda launch, out: ["sleep", "60"])
    trigger = Trigger(spec_of(), Ledger(url), there, World().surroundings())
    trigger.receive(delivery(alert()))
    trigger.look()
    ask_cancel(trigger.ledger, 1, WHY)
    here = LocalRuns(tmp_path / "here", lambda launch, out: ["sleep", "60"])
    Trigger(spec_of(), Ledger(url), here, World().surroundings()).look_at_cancelled(1)
    assert only(trigger).status == "running" and "not on this machine" in only(trigger).detail

    def ended() -> bool:
        trigger.look_at_cancelled(1)
        return only(trigger).ended is not None

    wait_until(ended)
    assert only(trigger).status == "cancelled"


def test_a_run_that_no_folder_can_hold_is_none(tmp_path: Path) -> None:
    place = LocalRuns(tmp_path / "runs", lambda launch, out: ["sleep", "60"])
    place.cancel(replace(LAUNCH, key="retune-cards-1" + "-again" * 60), "retune-cards-1", WHY)


def test_another_process_that_got_the_number_is_left_alone(tmp_path: Path) -> None:
    stranger = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        created = psutil.Process(stranger.pid).create_time()
        told = [{"pid": stranger.pid, "created": created - 100}]
        (tmp_path / "processes.json").write_text(json.dumps(told))
        end_processes(tmp_path, by_force=True)
        assert stranger.poll() is None
        told[0]["created"] = created
        (tmp_path / "processes.json").write_text(json.dumps(told))
        end_processes(tmp_path, by_force=True)
        assert stranger.wait(30) == -signal.SIGKILL
    finally:
        stranger.kill()
    end_processes(tmp_path, by_force=True)
    end_processes(tmp_path / "nowhere", by_force=True)


def test_the_trigger_ends_a_real_run_and_the_ledger_says_why(tmp_path: Path, url: str) -> None:
    pid = tmp_path / "pid"
    place = LocalRuns(tmp_path / "runs", lambda launch, out: ["sh", "-c", CALM, str(pid)])
    trigger = Trigger(spec_of(), Ledger(url), place, World().surroundings())
    trigger.receive(delivery(alert()))
    trigger.look()
    wait_until(lambda: pid.exists() and pid.read_text().strip() != "")
    assert trigger.run_of(only(trigger)).state == "running"
    ask_cancel(trigger.ledger, 1, WHY)

    def ended() -> bool:
        trigger.look_at_cancelled(1)
        return only(trigger).ended is not None

    wait_until(ended)
    assert only(trigger).status == "cancelled" and only(trigger).detail.startswith(WHY)
    assert not psutil.pid_exists(int(pid.read_text())) or os.getpgid(int(pid.read_text())) != os.getpgid(0)
