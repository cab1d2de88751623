"""What becomes of pods and Jobs, in the fake cluster, with real pods."""

import time
from pathlib import Path
from typing import Any

import pytest

from minorkey.cluster.spec import Profile, Toleration
from minorkey.trials.dispatch import run_all
from minorkey.trials.executor import Ended, Executor, Reported
from minorkey.trials.kubernetes.executor import KubernetesExecutor
from minorkey.trials.trial import Outcome
from tests.trials.executor_contract import PATIENCE, call, only_end
from tests.trials.kubernetes.stage import Stage, eventually, told

#: Seconds between SIGTERM and SIGKILL of a trial pod.
GRACE = 30
TOLERATIONS = (Toleration(key="nvidia.com/gpu", operator="Exists"),)


def wait_for_end(executor: Executor) -> Ended:
    events = list(executor.wait(PATIENCE))
    while not any(isinstance(event, Ended) for event in events):
        for event in events:
            executor.answer(event.name, True)
        events = list(executor.wait(PATIENCE))
    (ended,) = (event for event in events if isinstance(event, Ended))
    return ended


def running_pod(stage: Stage) -> dict[str, Any]:
    (pod,) = eventually(stage.running)
    return pod


def under_way(stage: Stage, executor: Executor, values: list[float]) -> dict[str, Any]:
    """The pod of a task that waits for the answer to its first report."""
    executor.submit(call("climb", values=values))
    (report,) = executor.wait(PATIENCE)
    assert isinstance(report, Reported) and report.step == 0
    return running_pod(stage)


class TestTakenAway:
    @pytest.mark.parametrize("how", ["evict", "preempt", "delete"])
    def test_with_notice(self, stage: Stage, how: str) -> None:
        executor = stage.executor()
        getattr(stage, how)(under_way(stage, executor, [0.5, 0.25]))
        assert wait_for_end(executor).outcome is Outcome.EVICTED
        executor.submit(call("climb", values=[0.5, 0.25]))
        assert wait_for_end(executor).content == {"stopped": None}
        executor.wait(0.0)
        assert stage.jobs() == []

    @pytest.mark.parametrize("delay", [0.0, 0.05, 0.1])
    def test_with_notice_before_it_has_loaded_anything(self, stage: Stage, delay: float) -> None:
        executor = stage.executor()
        executor.submit(call("hang"))
        pod = running_pod(stage)
        time.sleep(delay)
        began = time.monotonic()
        stage.delete(pod)
        assert wait_for_end(executor).outcome is Outcome.EVICTED
        assert time.monotonic() - began < GRACE / 3
        executor.submit(call("echo", value=1))
        assert wait_for_end(executor).content["value"] == 1

    def test_without_notice_the_job_starts_another_pod_that_takes_up_the_task(self, stage: Stage) -> None:
        executor = stage.executor()
        pod = under_way(stage, executor, [0.5, 0.25])
        executor.answer("task", True)
        eventually(lambda: len(stage.messages()) == 2)
        stage.lose_node(pod)
        ended = wait_for_end(executor)
        assert ended.outcome is Outcome.COMPLETE and ended.content == {"stopped": None}
        assert len(stage.asked()) == 1

    def test_with_its_job_by_hand(self, stage: Stage) -> None:
        executor = stage.executor()
        under_way(stage, executor, [0.5])
        (job,) = stage.jobs()
        stage.api().delete_job(stage.namespace, job["metadata"]["name"])
        assert wait_for_end(executor).outcome is Outcome.EVICTED


class TestMemory:
    def test_a_kill_of_the_pod(self, stage: Stage) -> None:
        executor = stage.executor()
        executor.submit(call("hang"))
        stage.cluster.kill_for_memory(running_pod(stage))
        assert wait_for_end(executor).outcome is Outcome.OUT_OF_MEMORY

    def test_in_a_shared_pod_the_unfinished_task_runs_alone_once(self, stage: Stage, events: Path) -> None:
        executor = stage.executor(slots=1, trials_per_pod=5)
        assert only_end(executor, call("echo", "first", value=1)).outcome is Outcome.COMPLETE
        executor.submit(call("hang", "heavy"))
        first = running_pod(stage)
        stage.cluster.kill_for_memory(first)

        def another() -> list[dict[str, Any]]:
            executor.wait(0.05)
            return [pod for pod in stage.running() if pod["metadata"]["uid"] != first["metadata"]["uid"]]

        (second,) = eventually(another)
        arguments = second["spec"]["containers"][0]["args"]
        assert arguments[arguments.index("--tasks") + 1] == "1"
        assert "heavy" in told(events, "warned")[0]["text"]
        stage.cluster.kill_for_memory(second)
        assert wait_for_end(executor).outcome is Outcome.OUT_OF_MEMORY
        assert only_end(executor, call("echo", "last", value=2)).outcome is Outcome.COMPLETE


class TestDeadline:
    def test_a_pod_over_its_deadline(self, stage: Stage) -> None:
        executor = stage.executor(deadline_slack_seconds=30)
        executor.submit(call("hang", seconds=10_000.0))
        running_pod(stage)
        stage.cluster.advance(10_031)
        assert wait_for_end(executor).outcome is Outcome.TIMED_OUT

    def test_a_job_that_never_had_a_pod_is_no_time_out(self, stage: Stage) -> None:
        stage.quota(pods="1")
        stage.occupy()
        executor = stage.executor()
        executor.submit(call("hang", seconds=1.0))
        eventually(lambda: [job for job in stage.jobs() if "startTime" in job.get("status", {})])
        stage.cluster.advance(90_000)
        ended = wait_for_end(executor)
        assert ended.outcome is Outcome.EVICTED and "before its pod" in ended.error


class TestSharing:
    def test_pods_serve_several_tasks(self, stage: Stage) -> None:
        executor = stage.executor(trials_per_pod=3)
        tasks = [call("echo", f"t{number}", value=number) for number in range(12)]
        ended = list(run_all(executor, tasks))
        assert {one.outcome for one in ended} == {Outcome.COMPLETE} and len(ended) == 12
        assert len({one.content["pid"] for one in ended}) <= 12 / 3 + 1
        assert stage.jobs() == []

    def test_a_task_that_needs_more_time_than_the_pod_has_left_gets_another(self, stage: Stage) -> None:
        executor = stage.executor(trials_per_pod=2)
        one = only_end(executor, call("echo", "one", value=1, seconds=1.0))
        two = only_end(executor, call("echo", "two", value=1, seconds=100.0))
        assert one.content["pid"] != two.content["pid"]

    def test_gpu_tasks_get_gpu_pods(self, stage: Stage) -> None:
        gpu = Profile(
            cpu="1", memory="2Gi", gpus=1, node_selector={"accelerator": "small"}, tolerations=TOLERATIONS
        )
        executor = stage.executor(slots=1, trials_per_pod=4, gpu=gpu)
        nodes = []
        for name, resource in (("a", "cpu"), ("b", "gpu"), ("c", "cpu")):
            executor.submit(call("climb", name, values=[1.0], resource=resource))
            executor.wait(PATIENCE)
            nodes.append(running_pod(stage)["spec"]["nodeName"])
            executor.answer(name, True)
            wait_for_end(executor)
        assert nodes == ["node-1", "gpu-1", "node-1"]


class TestCalls:
    def test_at_most_six_a_trial(self, stage: Stage) -> None:
        executor = stage.executor()
        before = sum(stage.cluster.calls.values())
        tasks = [call("climb", f"t{number}", values=[1.0, 2.0]) for number in range(8)]
        assert len(list(run_all(executor, tasks))) == 8
        assert sum(stage.cluster.calls.values()) - before <= 6 * 8
        assert stage.jobs() == [] and eventually(lambda: not stage.pods())

    def test_cancelled_jobs_are_deleted(self, stage: Stage) -> None:
        executor = stage.executor()
        for name in ("a", "b"):
            executor.submit(call("hang", name))
        assert len(stage.jobs()) == 2
        executor.cancel()
        assert stage.jobs() == []
        assert eventually(lambda: not stage.pods())


class TestAdoption:
    def leave(self, stage: Stage, executor: KubernetesExecutor) -> None:
        """The driver is killed: nothing is told to anybody."""
        supervision, executor._supervision = executor._supervision, None
        assert supervision is not None
        supervision.close()

    def test_a_running_task_is_taken_over(self, stage: Stage) -> None:
        task = call("climb", values=[0.5, 0.25, 0.125])
        first = stage.executor("study")
        first.submit(task)
        assert [event.name for event in first.wait(PATIENCE)] == ["task"]
        first.answer("task", True)
        eventually(lambda: len(stage.messages()) == 2)
        self.leave(stage, first)
        second = stage.executor("study")
        second.submit(task)
        (report,) = second.wait(PATIENCE)
        assert isinstance(report, Reported) and report.step == 1
        second.answer("task", True)
        assert wait_for_end(second).content == {"stopped": None}
        second.wait(0.0)
        assert stage.jobs() == []

    def test_an_end_that_nobody_read_is_read(self, stage: Stage) -> None:
        task = call("fail", text="once")
        first = stage.executor("study")
        first.submit(task)
        eventually(stage.messages)
        self.leave(stage, first)
        second = stage.executor("study")
        assert only_end(second, task).error == "ValueError: once"
        assert len(stage.asked()) == 1

    def test_a_result_outlives_its_job(self, stage: Stage) -> None:
        task = call("echo", value=1)
        first = stage.executor("study")
        pid = only_end(first, task).content["pid"]
        first.wait(0.0)
        assert stage.jobs() == []
        self.leave(stage, first)
        assert only_end(stage.executor("study"), task).content["pid"] == pid

    def test_an_evicted_task_is_run_again(self, stage: Stage) -> None:
        task = call("climb", values=[1.0])
        first = stage.executor("study")
        stage.evict(under_way(stage, first, [1.0]))
        eventually(lambda: "ended" in "".join(stage.messages()))
        self.leave(stage, first)
        second = stage.executor("study")
        second.submit(task)
        assert wait_for_end(second).outcome is Outcome.COMPLETE

    def test_a_shared_pod_goes_on_serving(self, stage: Stage) -> None:
        first = stage.executor("study", slots=1, trials_per_pod=4)
        pid = only_end(first, call("echo", "a", value=1)).content["pid"]
        task = call("climb", "b", values=[1.0])
        first.submit(task)
        first.wait(PATIENCE)
        self.leave(stage, first)
        second = stage.executor("study", slots=1, trials_per_pod=4)
        second.submit(task)
        wait_for_end(second)
        assert only_end(second, call("echo", "c", value=1)).content["pid"] == pid

    def test_another_study_is_left_alone(self, stage: Stage) -> None:
        stage.executor("one").submit(call("hang"))
        other = stage.executor("two")
        assert only_end(other, call("echo", value=1)).outcome is Outcome.COMPLETE
        other.close()
        assert len(stage.jobs()) == 1

    def test_what_nobody_asks_for_again_goes_in_the_end(self, stage: Stage) -> None:
        first = stage.executor("study")
        first.submit(call("hang", "forgotten"))
        self.leave(stage, first)
        second = stage.executor("study")
        assert only_end(second, call("echo", value=1)).outcome is Outcome.COMPLETE
        second.close()
        assert stage.jobs() == []
