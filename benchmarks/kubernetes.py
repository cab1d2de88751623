"""What trials as pods cost the driver, against the fake API: calls, CPU, pods, start-up, faults.

    python -m benchmarks.kubernetes [--trials 100 1000 10000] [--concurrent 1000] [--trial-seconds 180]
                                    [--faults 2000] [--parts NAME ...]

The API is a process of its own and plays its pods, so that the driver's CPU is the driver's alone; the
study root is a folder. Times are those of the machine at hand, with whatever else it does.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.recording import record
from minorkey.cluster.spec import TrialPods
from minorkey.trials.dispatch import run_all
from minorkey.trials.executor import Task
from minorkey.trials.kubernetes.api import KubernetesApi
from minorkey.trials.kubernetes.channel import Channel, Slot
from minorkey.trials.kubernetes.executor import KubernetesExecutor, Timing
from minorkey.trials.study_root import LocalStudyRoot
from minorkey.trials.trial import Outcome
from tests.kubernetes.fake.cluster import FakeCluster
from tests.kubernetes.fake.kinds import kind_of
from tests.trials.kubernetes.played import PlayedPods
from tests.trials.kubernetes.storm import weather

STARTS = 5


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--serve", nargs=2, metavar=("FOLDER", "SECONDS"), help=argparse.SUPPRESS)
    parser.add_argument("--trials", type=int, nargs="*", default=[100, 1_000, 10_000])
    parser.add_argument("--concurrent", type=int, default=1_000)
    parser.add_argument("--trial-seconds", type=float, default=180.0)
    parser.add_argument("--faults", type=int, default=2_000)
    parser.add_argument("--parts", nargs="*", default=[], help="only these parts of the result")
    asked = parser.parse_args()
    if asked.serve:
        serve(Path(asked.serve[0]), float(asked.serve[1]))
        return
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        os.environ["MINORKEY_EVENTS"] = str(Path(name) / "events.jsonl")
        parts: dict[str, Callable[[], Any]] = {
            "pods_per_100_trials": lambda: {str(each): pods(each) for each in (1, 10, 25)},
            "seconds_from_start_to_first_trial": start_up,
            "faults": lambda: weather(Path(name) / "faults", faults=asked.faults),
            "concurrent": lambda: concurrent(asked.concurrent, asked.trial_seconds),
            "by_trials": lambda: {str(count): cost(count, slots=100, seconds=0.5) for count in asked.trials},
        }
        result = {}
        for part in asked.parts or parts:
            result[part] = parts[part]()
            print(part, result[part], flush=True)
    record("kubernetes", result, started=started)


def concurrent(jobs: int, seconds: float) -> dict[str, float]:
    """So many trials at a time, each of so many seconds."""
    return {"jobs": jobs, "trial_seconds": seconds, **cost(jobs, slots=jobs, seconds=seconds)}


def cost(trials: int, *, slots: int, seconds: float) -> dict[str, float]:
    """Run so many trials that report once each, and what they cost the driver."""
    with executor(slots=slots, seconds=seconds) as (driver, api):
        began, cpu = time.monotonic(), time.process_time()
        done = Counter(ended.outcome for ended in run_all(driver, tasks(trials)))
        wall, used = time.monotonic() - began, time.process_time() - cpu
        calls = sum(api.calls.values())
    return {
        "complete": done[Outcome.COMPLETE],
        "api_calls_per_trial": round(calls / trials, 3),
        "driver_cpu_ms_per_trial": round(1_000 * used / trials, 2),
        "wall_seconds": round(wall, 1),
        "driver_share_of_a_core": round(used / wall, 4),
    }


def pods(each: int, trials: int = 100, slots: int = 4) -> dict[str, int]:
    """Jobs that so many trials take when a pod runs up to `each` of them."""
    with executor(slots=slots, seconds=0.05, trials_per_pod=each, poll=0.1) as (driver, api):
        complete = sum(ended.outcome is Outcome.COMPLETE for ended in run_all(driver, tasks(trials)))
        created = api.calls["create", "jobs"]
    return {"complete": complete, "pods": created, "allowed": trials // each + 3}


def start_up() -> dict[str, float]:
    """Seconds from the start of the pods' program to the end of a first task that does nothing."""
    taken = []
    for number in range(STARTS):
        with tempfile.TemporaryDirectory() as name:
            channel = Channel(LocalStudyRoot(Path(name)))
            slot = Slot(f"job-{number}", 1, "0" * 16, 1)
            channel.assign(slot, Task("first", "tests.trials.executor_tasks:echo", {"value": 1}))
            command = [sys.executable, "-m", "minorkey.trials.kubernetes.pod", "--job", slot.job]
            began = time.monotonic()
            environment = os.environ | {"MINORKEY_STUDY_ROOT": name}
            with subprocess.Popen(command, env=environment) as process:
                while channel.ended(slot) is None:
                    time.sleep(0.005)
                taken.append(time.monotonic() - began)
                process.wait()
    return {"median": round(statistics.median(taken), 3), "slowest": round(max(taken), 3)}


def tasks(count: int) -> list[Task]:
    """Tasks for played pods."""
    return [Task(f"trial-{number}", "played:task", {"number": number}) for number in range(count)]


@contextmanager
def executor(
    *, slots: int, seconds: float, trials_per_pod: int = 1, poll: float = 1.0
) -> Iterator[tuple[KubernetesExecutor, KubernetesApi]]:
    """An executor for a fake cluster in another process."""
    with tempfile.TemporaryDirectory() as name:
        command = [sys.executable, "-m", "benchmarks.kubernetes", "--serve", name, str(seconds)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None and server.stdin is not None
            api = KubernetesApi(server.stdout.readline().strip())
            spec = TrialPods(slots=slots, study_volume="study", trials_per_pod=trials_per_pod)
            root = LocalStudyRoot(Path(name) / "bench")
            driver = KubernetesExecutor(
                root, spec, "b", "default", "i:1", api, pod_root="/study/bench", timing=Timing(poll=poll)
            )
            with driver:
                yield driver, api
            server.stdin.close()
            server.wait()


def serve(folder: Path, seconds: float) -> None:
    """Be the cluster until standard input closes."""
    play = PlayedPods(seconds, reports=1, look=1.0 if seconds > 1 else 0.1)
    with FakeCluster(volumes={"study": folder}, run_pod=play) as cluster:
        account = {"metadata": {"name": "minorkey-trial"}}
        cluster.objects.create(kind_of("serviceaccounts"), "default", account)
        print(cluster.kubeconfig, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
