"""A study of played pods through an API on which everything goes wrong that can."""

from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from minorkey.trials.dispatch import run_all
from minorkey.trials.executor import Executor, Task
from minorkey.trials.trial import Outcome
from tests.kubernetes.fake.cluster import FakeCluster
from tests.kubernetes.fake.faults import Fault
from tests.trials.kubernetes.played import PlayedPods
from tests.trials.kubernetes.stage import Stage, eventually, impatient

__all__ = ["weather"]

#: Of each call, or of each event of a watch, the share that goes wrong in that way.
CALLS = {
    Fault.QUOTA_CONFLICT: 0.08,
    Fault.THROTTLED: 0.08,
    Fault.ERROR: 0.08,
    Fault.UNAVAILABLE: 0.06,
    Fault.DROPPED: 0.06,
    Fault.TIMED_OUT_AFTER_COMMIT: 0.08,
    Fault.LOST_ANSWER: 0.08,
}
WATCHES = {Fault.WATCH_CUT: 0.01, Fault.WATCH_EXPIRED: 0.01}


def weather(folder: Path, *, faults: int, slots: int = 20, seed: int = 0) -> dict[str, object]:
    """Run tasks until so many faults have been injected, and count what came of them.

    Args:
        folder: where the study root lies.
        faults: least number of faults.
        slots: pods at a time.
        seed: seed of the faults.

    Returns:
        Faults by kind, tasks, Jobs created, tasks lost, tasks that ran more than once, Jobs left over.
    """
    play = PlayedPods(0.02)
    with ExitStack() as stack:
        cluster = stack.enter_context(FakeCluster(volumes={"study": folder}, run_pod=play, seed=seed))
        stage = stack.enter_context(Stage(cluster, "storm", folder))
        executor = stage.executor("storm", slots=slots, timing=impatient(patience=600.0), patience=300.0)
        for fault, share in CALLS.items():
            for verb in ("create", "delete", "list"):
                cluster.faults.chance(fault, share, verb=verb, retry_after=0)
        for fault, share in WATCHES.items():
            cluster.faults.chance(fault, share, verb="watch")
        done: Counter[str] = Counter()
        while sum(cluster.faults.injected.values()) < faults:
            done.update(_batch(executor, len(done), 5 * slots))
            if sum(done.values()) % (10 * slots) == 0:
                cluster.compact()
        cluster.faults.clear()
        executor.close()
        eventually(lambda: not stage.jobs() and not stage.pods())
        return {
            "faults": {fault.value: count for fault, count in sorted(cluster.faults.injected.items())},
            "faults_in_all": sum(cluster.faults.injected.values()),
            "tasks": len(done),
            "jobs": len(play.started),
            "jobs_started_twice": sum(count > 1 for count in play.started.values()),
            "lost": sum(count != 1 for count in done.values()),
            "ran_more_than_once": sum(len(pods) > 1 for pods in play.ran.values()),
            "left_over": len(stage.jobs()) + len(stage.pods()),
            "api_calls": sum(executor._api.calls.values()),
        }


def _batch(executor: Executor, first: int, tasks: int) -> list[str]:
    """Names of the tasks that were completed."""
    wanted = [Task(f"task-{number}", "played:task") for number in range(first, first + tasks)]
    return [ended.name for ended in run_all(executor, wanted) if ended.outcome is Outcome.COMPLETE]
