"""The pods' program as a plain process, with this test as the driver."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from minorkey.trials.executor import Ended, Task
from minorkey.trials.kubernetes.channel import Channel, Slot
from minorkey.trials.kubernetes.serving import EXIT_EVICTED, EXIT_NO_DRIVER
from minorkey.trials.study_root import LocalStudyRoot
from minorkey.trials.trial import Outcome
from tests.kubernetes.fake.process_table import handles
from tests.trials.executor_contract import call
from tests.trials.kubernetes.stage import eventually

JOB = "mk-00000000-111111111111-0"


class Driver:
    """Starts the program, gives it tasks and reads what it says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.channel = Channel(LocalStudyRoot(folder))
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, *, tasks: int = 1, patience: float = 60.0) -> subprocess.Popen[bytes]:
        options = {"job": JOB, "tasks": tasks, "cores": 1, "patience": patience}
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        process = subprocess.Popen(
            [sys.executable, "-m", "minorkey.trials.kubernetes.pod", *words],
            env={**os.environ, "MINORKEY_STUDY_ROOT": str(self.folder)},
            stderr=subprocess.PIPE,
        )
        self.processes.append(process)
        return process

    def give(self, number: int, task: Task) -> Slot:
        slot = Slot(JOB, number, f"{number:016x}", 1)
        self.channel.assign(slot, task)
        return slot

    def end_of(self, slot: Slot) -> Ended:
        return eventually(lambda: self.channel.ended(slot))


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[Driver]:
    driver = Driver(tmp_path / "study")
    yield driver
    for process in driver.processes:
        process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()


def test_tasks_one_after_the_other_and_then_the_end(driver: Driver) -> None:
    process = driver.start(tasks=2)
    first = driver.end_of(driver.give(1, call("echo", "one", value=1)))
    second = driver.end_of(driver.give(2, call("echo", "two", value=2)))
    assert (first.content["value"], second.content["value"]) == (1, 2)
    assert first.content["pid"] == second.content["pid"]
    assert process.wait(20) == 0


def test_reports_are_answered(driver: Driver) -> None:
    driver.start()
    slot, seen = driver.give(1, call("climb", values=[0.5, 0.25, 0.125])), set[str]()
    for step, go in ((0, True), (1, False)):
        (message,) = eventually(lambda: list(driver.channel.inbox(1, seen)))
        assert not isinstance(message.event, Ended) and message.event.step == step
        driver.channel.answer(slot, step, go)
    assert driver.end_of(slot).content == {"stopped": 1}


def test_sigterm_is_reported_as_an_eviction_within_seconds(driver: Driver) -> None:
    process = driver.start()
    slot = driver.give(1, call("hang"))
    (worker,) = eventually(lambda: psutil.Process(process.pid).children())
    eventually(lambda: worker.cpu_percent(0.1) < 5)
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == EXIT_EVICTED
    assert time.monotonic() - began < 10
    ended = driver.channel.ended(slot)
    assert ended is not None and ended.outcome is Outcome.EVICTED
    assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("delay", [0.0, 0.05, 0.1])
def test_sigterm_at_once_ends_a_pod_and_one_that_it_has_heard_is_reported(
    driver: Driver, delay: float
) -> None:
    slot = driver.give(1, call("hang"))
    process = driver.start()
    time.sleep(delay)
    heard = handles(process.pid, signal.SIGTERM)
    process.send_signal(signal.SIGTERM)
    code = process.wait(20)
    assert code == EXIT_EVICTED or (code == -signal.SIGTERM and not heard)
    ended = driver.channel.ended(slot)
    assert (ended is not None and ended.outcome is Outcome.EVICTED) == (code == EXIT_EVICTED)


def test_sigterm_as_soon_as_it_can_be_heard_is_reported(driver: Driver) -> None:
    slot = driver.give(1, call("hang"))
    process = driver.start()
    while not handles(process.pid, signal.SIGTERM):
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == EXIT_EVICTED
    assert driver.end_of(slot).outcome is Outcome.EVICTED


def test_sigterm_ends_a_pod_without_a_task(driver: Driver) -> None:
    process = driver.start()
    eventually(lambda: psutil.Process(process.pid).children())
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == EXIT_EVICTED


@pytest.mark.parametrize("busy", [True, False])
def test_without_a_driver_it_ends_itself(driver: Driver, busy: bool) -> None:
    slot = driver.give(1, call("hang")) if busy else None
    driver.channel.beat(time.time() - 1_000_000)
    process = driver.start(patience=1.0)
    assert process.wait(30) == EXIT_NO_DRIVER
    assert process.stderr is not None and b"heartbeat" in process.stderr.read()
    if slot is not None:
        assert driver.end_of(slot).outcome is Outcome.EVICTED


def test_with_a_driver_it_lives_on(driver: Driver) -> None:
    process = driver.start(patience=1.0)
    for second in range(12):
        driver.channel.beat(second)
        time.sleep(0.2)
    assert process.poll() is None


def test_a_pod_in_place_of_an_evicted_one_leaves_its_task_alone(driver: Driver) -> None:
    slot = driver.give(1, call("echo", value=1))
    driver.channel.end(slot, Ended("task", Outcome.EVICTED))
    assert driver.start(tasks=3).wait(20) == 0


def test_a_pod_in_place_of_one_that_was_lost_goes_on_where_that_one_was(driver: Driver) -> None:
    done = driver.give(1, call("fail", "one", text="this is not run again"))
    driver.channel.end(done, Ended("one", Outcome.COMPLETE))
    slot = driver.give(2, call("climb", "two", values=[1.0, 2.0]))
    driver.channel.answer(slot, 0, True)
    process = driver.start(tasks=2)
    eventually(lambda: [slot for slot in driver.channel.inbox(1, set()) if slot.slot.number == 2])
    driver.channel.answer(slot, 1, True)
    assert driver.end_of(slot).content == {"stopped": None}
    assert process.wait(20) == 0


def test_a_study_root_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    words = ["-m", "minorkey.trials.kubernetes.pod", "--job", JOB]
    done = subprocess.run(
        [sys.executable, *words],
        env={**os.environ, "MINORKEY_STUDY_ROOT": "ftp://nowhere"},
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert b"ftp://nowhere" in done.stderr and b"Traceback" not in done.stderr
