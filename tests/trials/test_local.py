import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from minorkey.trials.executor import Ended, Reported
from minorkey.trials.local import LocalExecutor
from minorkey.trials.trial import Outcome
from tests.trials.executor_contract import PATIENCE, ExecutorContract, call, only_end


@pytest.fixture
def executor() -> Iterator[LocalExecutor]:
    with LocalExecutor(2, cores=2) as pool:
        yield pool


class TestLocalExecutor(ExecutorContract):
    pass


def test_time_that_a_task_waits_for_an_answer_does_not_count(executor: LocalExecutor) -> None:
    only_end(executor, call("echo", value=1))
    executor.submit(call("report_and_hang", seconds=1.5))
    (report,) = executor.wait(PATIENCE)
    assert isinstance(report, Reported)
    assert list(executor.wait(2.0)) == []
    executor.answer("task", True)
    answered = time.monotonic()
    (ended,) = executor.wait(PATIENCE)
    assert isinstance(ended, Ended) and ended.outcome is Outcome.TIMED_OUT
    assert time.monotonic() - answered > 0.1 and ended.seconds > 3.0


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def wait_until_gone(pids: list[int]) -> bool:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not all(map(gone, pids)):
        time.sleep(0.02)
    return all(map(gone, pids))


def test_cores_are_shared_among_the_workers() -> None:
    with LocalExecutor(2, cores=8) as pool:
        assert pool.threads == 4
        assert only_end(pool, call("echo", value=0)).content["omp"] == "4"


def test_there_are_no_more_workers_than_a_quota_leaves_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    # What a container's quota says is joblib's to read; this is its way to say so without one.
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    with LocalExecutor() as pool:
        assert (pool.slots, pool.threads) == (1, 1)


def test_a_worker_stays_from_task_to_task() -> None:
    with LocalExecutor(1) as pool:
        pids = {only_end(pool, call("echo", value=number)).content["pid"] for number in range(3)}
    assert len(pids) == 1


def test_a_worker_that_died_idle_is_replaced() -> None:
    with LocalExecutor(1) as pool:
        (pid,) = pool.pids
        os.kill(pid, signal.SIGKILL)
        assert wait_until_gone([pid])
        assert only_end(pool, call("echo", value=1)).outcome is Outcome.COMPLETE
        assert pool.pids != [pid]


def test_closing_ends_all_workers() -> None:
    pool = LocalExecutor(2)
    pids = pool.pids
    pool.submit(call("hang"))
    pool.close()
    assert wait_until_gone(pids)


PARENT = """
import sys
from minorkey.trials.executor import Task
from minorkey.trials.local import LocalExecutor
pool = LocalExecutor(2)
pool.submit(Task("hang", "tests.trials.executor_tasks:hang"))
print(*pool.pids, flush=True)
pool.wait()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_workers_end_with_their_parent(number: int) -> None:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, env=environment)
    assert parent.stdout is not None
    pids = [int(word) for word in parent.stdout.readline().split()]
    assert len(pids) == 2
    parent.send_signal(number)
    parent.wait()
    parent.stdout.close()
    assert wait_until_gone(pids)
