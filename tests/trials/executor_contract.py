"""What every executor must do. A module of an implementation gives the fixture ``executor``.

The executor has two slots. Tasks are functions of `tests.trials.executor_tasks`, which its workers
can import.
"""

import signal
from pathlib import Path
from typing import Any, Literal

import pytest

from minorkey.errors import ContractError
from minorkey.trials.dispatch import run_all
from minorkey.trials.executor import Ended, Executor, Reported, Task
from minorkey.trials.trial import Outcome

PATIENCE = 60.0


def call(
    function: str,
    name: str = "task",
    *,
    seconds: float = PATIENCE,
    memory_mb: int = 2_048,
    resource: Literal["cpu", "gpu"] = "cpu",
    **arguments: Any,
) -> Task:
    path = f"tests.trials.executor_tasks:{function}"
    return Task(name, path, arguments, seconds=seconds, memory_mb=memory_mb, resource=resource)


def only_end(executor: Executor, task: Task) -> Ended:
    executor.submit(task)
    (event,) = executor.wait(PATIENCE)
    assert isinstance(event, Ended)
    return event


class ExecutorContract:
    def test_a_result_comes_back(self, executor: Executor) -> None:
        ended = only_end(executor, call("echo", value={"x": [1, "two", None]}))
        assert ended.outcome is Outcome.COMPLETE
        assert ended.content["value"] == {"x": [1, "two", None]}
        assert ended.content["threads"] == executor.threads
        assert ended.content["omp"] == str(executor.threads)
        assert ended.content["waiting"] == "PASSIVE"
        assert ended.seconds >= 0 and ended.cpu_seconds >= 0

    def test_slots_run_at_the_same_time_and_no_more(self, executor: Executor) -> None:
        assert executor.slots == 2
        executor.submit(call("climb", "a", values=[1.0]))
        executor.submit(call("climb", "b", values=[2.0]))
        with pytest.raises(ContractError):
            executor.submit(call("climb", "c", values=[3.0]))
        reported: list[Reported] = []
        while len(reported) < 2:
            reported += [event for event in executor.wait(PATIENCE) if isinstance(event, Reported)]
        assert {event.name: event.value for event in reported} == {"a": 1.0, "b": 2.0}

    def test_a_task_goes_on_or_stops_as_it_is_told(self, executor: Executor) -> None:
        executor.submit(call("climb", values=[0.5, 0.25, 0.125]))
        steps = []
        while True:
            (event,) = executor.wait(PATIENCE)
            if isinstance(event, Ended):
                break
            steps.append((event.step, event.value, event.folds))
            executor.answer(event.name, event.step < 1)
        assert steps == [(0, 0.5, (0.5,)), (1, 0.25, (0.5, 0.25))]
        assert event.content == {"stopped": 1}

    def test_an_answer_to_nobody_is_ignored(self, executor: Executor) -> None:
        executor.answer("nobody", True)
        assert only_end(executor, call("echo", value=1)).outcome is Outcome.COMPLETE

    def test_waiting_for_nothing_gives_nothing(self, executor: Executor) -> None:
        assert list(executor.wait()) == []

    def test_waiting_ends_in_time(self, executor: Executor) -> None:
        executor.submit(call("hang"))
        assert list(executor.wait(0.05)) == []

    def test_an_exception_is_a_crash_with_one_line(self, executor: Executor) -> None:
        ended = only_end(executor, call("fail", text="first\nsecond"))
        assert (ended.outcome, ended.error) == (Outcome.CRASHED, "ValueError: first second")

    def test_an_unknown_function_is_a_crash(self, executor: Executor) -> None:
        assert only_end(executor, call("nowhere")).outcome is Outcome.CRASHED

    @pytest.mark.parametrize("function", ["no_number", "report_no_number"])
    def test_a_value_that_is_no_number(self, executor: Executor, function: str) -> None:
        assert only_end(executor, call(function)).outcome is Outcome.NOT_A_NUMBER

    def test_a_dying_worker_is_a_crash_with_its_last_words(self, executor: Executor) -> None:
        ended = only_end(executor, call("die", last_words="segments at fault"))
        assert ended.outcome is Outcome.CRASHED
        assert "segments at fault" in ended.error and "7" in ended.error

    def test_over_time(self, executor: Executor) -> None:
        ended = only_end(executor, call("hang", seconds=0.2))
        assert ended.outcome is Outcome.TIMED_OUT and ended.seconds >= 0.2

    def test_over_memory(self, executor: Executor) -> None:
        ended = only_end(executor, call("hoard", memory_mb=256))
        assert ended.outcome is Outcome.OUT_OF_MEMORY

    def test_a_full_disk_carries_its_number(self, executor: Executor) -> None:
        assert only_end(executor, call("full_disk")).errno == 28

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
    def test_taken_away_is_an_eviction(self, executor: Executor, tmp_path: Path, number: int) -> None:
        task = call("end_once", marker=str(tmp_path / "marker"), signal_number=int(number))
        assert only_end(executor, task).outcome is Outcome.EVICTED
        assert only_end(executor, task).content == {"survived": True}

    def test_it_works_on_after_every_failure(self, executor: Executor, tmp_path: Path) -> None:
        tasks = [
            call("fail", "fail", text="x"),
            call("die", "die", last_words=""),
            call("hang", "hang", seconds=0.2),
            call("end_once", "evicted", marker=str(tmp_path / "marker"), signal_number=int(signal.SIGKILL)),
            *(call("echo", f"echo-{number}", value=number) for number in range(6)),
        ]
        outcomes = {ended.name: ended.outcome for ended in run_all(executor, tasks)}
        assert outcomes.pop("fail") is Outcome.CRASHED
        assert outcomes.pop("die") is Outcome.CRASHED
        assert outcomes.pop("hang") is Outcome.TIMED_OUT
        assert set(outcomes.values()) == {Outcome.COMPLETE} and len(outcomes) == 7

    def test_cancelled_tasks_leave_no_event(self, executor: Executor) -> None:
        executor.submit(call("hang"))
        executor.cancel()
        assert list(executor.wait(0.0)) == []
        assert only_end(executor, call("echo", value=1)).outcome is Outcome.COMPLETE
