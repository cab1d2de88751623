"""A trigger is killed at each step; the next one goes on, and there is one run whatever happened."""

import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from minorkey.retune.launcher import Launch
from minorkey.retune.ledger import Ledger
from minorkey.retune.local_runs import LocalRuns
from minorkey.retune.views import page
from tests.retune import driver
from tests.retune.driver import STEPS
from tests.retune.surroundings import wait_until


def drive(folder: Path, step: str = "") -> int | None:
    """The exit code of a trigger in a process of its own."""
    process = multiprocessing.get_context("fork").Process(target=driver.main, args=(folder, step))
    process.start()
    process.join(120)
    return process.exitcode


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_any_step_loses_nothing_and_doubles_nothing(tmp_path: Path, step: str) -> None:
    assert drive(tmp_path, step) == -signal.SIGKILL
    assert drive(tmp_path) == 0
    found = page(Ledger(f"sqlite:///{tmp_path / 'retune.db'}"), 10)
    assert [(action.status, action.losses) for action in found.actions] == [("kept", 0)]
    assert [event["action"] for event in found.events] == [1]
    assert (tmp_path / "ran").read_text().split() == [found.actions[0].run_key]


LAUNCH = Launch("retune-cards-1", "cards", "performance_down", "harm", "3")


def test_two_supervisors_of_a_launch_make_one_run(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    places = [
        LocalRuns(tmp_path / "runs", lambda launch, out: ["sh", "-c", f"echo x >> {ran}; sleep 0.5"])
        for _ in range(3)
    ]
    for place in places:
        place.launch(LAUNCH)
    wait_until(lambda: all(place.look(LAUNCH.key).state == "succeeded" for place in places))
    places[0].launch(LAUNCH)
    assert places[0].look(LAUNCH.key).state == "succeeded"
    assert ran.read_text() == "x\n"


def test_a_run_outlives_its_supervisor_and_is_lost_when_it_dies_too(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    place = LocalRuns(
        tmp_path / "runs", lambda launch, out: ["sh", "-c", f"echo $$ $PPID > {pids}; sleep 60"]
    )
    place.launch(LAUNCH)
    wait_until(lambda: pids.exists() and len(pids.read_text().split()) == 2)
    run, supervisor = map(int, pids.read_text().split())
    os.kill(supervisor, signal.SIGKILL)
    wait_until(lambda: not place._children or place._children[0].poll() is not None)
    assert place.look(LAUNCH.key).state == "running"
    os.killpg(run if os.getpgid(run) == run else os.getpgid(run), signal.SIGKILL)
    wait_until(lambda: place.look(LAUNCH.key).state == "lost")


def test_the_end_of_a_run_and_its_log_are_told(tmp_path: Path) -> None:
    place = LocalRuns(
        tmp_path / "runs", lambda launch, out: ["sh", "-c", "echo 'error: the data are bad' >&2; exit 2"]
    )
    place.launch(LAUNCH)
    wait_until(lambda: place.look(LAUNCH.key).state != "running")
    seen = place.look(LAUNCH.key)
    assert seen.state == "failed" and "exit code 2: the data are bad" in seen.detail
    assert str(tmp_path / "runs" / LAUNCH.key / "run.log") in seen.detail


def test_the_folder_of_a_run_is_removed_once_it_has_ended_and_no_other(tmp_path: Path) -> None:
    place = LocalRuns(tmp_path / "runs", lambda launch, out: ["sh", "-c", "sleep 0.5"])
    place.launch(LAUNCH)
    place.forget(LAUNCH.key)
    assert place.look(LAUNCH.key).state == "running"
    wait_until(lambda: place.look(LAUNCH.key).state == "succeeded")
    (tmp_path / "runs" / "other").mkdir()
    for key in (LAUNCH.key, LAUNCH.key, "..", ".", "", "other/..", "nowhere"):
        wait_until(lambda: not place._children or place._children[0].poll() is not None)
        place.forget(key)
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["other"]


def test_a_command_that_cannot_be_started_is_a_failed_run(tmp_path: Path) -> None:
    place = LocalRuns(tmp_path / "runs", lambda launch, out: ["/no/such/program"])
    place.launch(LAUNCH)
    wait_until(lambda: place.look(LAUNCH.key).state == "failed")
    assert "cannot be started" in place.look(LAUNCH.key).detail


def test_a_run_that_met_another_of_its_model_is_busy_and_not_failed(tmp_path: Path) -> None:
    place = LocalRuns(
        tmp_path / "runs",
        lambda launch, out: ["sh", "-c", "echo 'error: a run of model cards is in flight' >&2; exit 2"],
    )
    place.launch(LAUNCH)
    wait_until(lambda: place.look(LAUNCH.key).state == "busy")


def test_a_run_that_finished_while_its_supervisor_was_killed_has_succeeded(tmp_path: Path) -> None:
    place = LocalRuns(tmp_path / "runs", lambda launch, out: ["sh", "-c", "exit 2"])
    results = tmp_path / "runs" / LAUNCH.key / "run"
    results.mkdir(parents=True)
    (results / "retune.json").write_text(
        '{"outcome": "kept", "stages": [{"name": "adjust", "reason": "well"}]}'
    )
    place.launch(LAUNCH)
    wait_until(lambda: place.look(LAUNCH.key).state == "succeeded")
