"""What the engine itself costs: how busy it keeps its workers, and what a trial costs the driver.

The objective sleeps, so nothing but the engine is measured: proposing, recording, dispatching.

    python -m benchmarks.engine [--trials 500] [--seconds 0.2] [--workers 2]
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from benchmarks.recording import record
from minorkey.search.journal import open_journal
from minorkey.search.proposals import Proposer
from minorkey.search.pruners import pruner
from minorkey.search.records import Plan, Records
from minorkey.search.space import Space
from minorkey.search.trial_loop import StudyResult, TrialLoop
from minorkey.trials.executor import Task
from minorkey.trials.local import LocalExecutor
from minorkey.trials.study_root import LocalStudyRoot
from minorkey.trials.trial import Configuration, Outcome, TrialResult

#: Share of the workers' time that must go into trials.
BUSY = 0.95

FAMILY = {
    "rate": FloatDistribution(0.001, 0.3, log=True),
    "leaves": IntDistribution(4, 256, log=True),
    "depth": IntDistribution(2, 12),
    "columns": FloatDistribution(0.2, 1.0),
    "kind": CategoricalDistribution(("gini", "entropy")),
}


def sleep(
    report: Callable[..., bool],
    *,
    number: int,
    configuration: dict[str, Any],
    seconds: float,
    threads: int,
) -> dict[str, Any]:
    """The objective: sleeps, then scores a smooth function of its parameters."""
    time.sleep(seconds)
    tried = Configuration.from_json(configuration)
    value = tried.model["columns"] - abs(tried.model["depth"] - 6) / 20
    return TrialResult(number, tried, Outcome.COMPLETE, value, ((0, value),), (value,)).to_json()


def run(folder: Path, trials: int, seconds: float, workers: int) -> tuple[StudyResult, float]:
    """The study, and the CPU seconds that its driver took."""

    def task(plan: Plan) -> Task:
        content = {"number": plan.number, "configuration": plan.configuration.to_json(), "seconds": seconds}
        return Task(f"{plan.number}", "benchmarks.engine:sleep", content)

    space = Space(families=dict.fromkeys(("a", "b", "c"), FAMILY), weighted=frozenset("ab"))
    with LocalExecutor(workers) as executor, open_journal(folder) as storage:
        cpu = time.process_time()
        study = TrialLoop(
            "final",
            records=Records(LocalStudyRoot(folder), "final"),
            proposer=Proposer(storage, "final", space, sampler="tpe", resampling_share=0.0, seed=0),
            pruner=pruner("none"),
            executor=executor,
            task=task,
            last_rung=0,
            trials=trials,
            on_result=lambda result: None,
        ).run()
        return study, time.process_time() - cpu


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=0.2)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    os.environ["MINORKEY_EVENTS"] = os.devnull
    with tempfile.TemporaryDirectory() as folder:
        study, cpu = run(Path(folder), asked.trials, asked.seconds, asked.workers)
    # Sleeping trials can only be late: what they were asked to sleep is their work.
    busy = asked.trials * asked.seconds / (study.seconds * asked.workers)
    found = {
        "trials": asked.trials,
        "trial_seconds": asked.seconds,
        "workers": asked.workers,
        "seconds": round(study.seconds, 2),
        "busy_share": round(busy, 4),
        "driver_cpu_ms_per_trial": round(1_000 * cpu / asked.trials, 2),
    }
    record("engine", found)
    if len(study.results) != asked.trials or busy < BUSY:
        raise SystemExit(f"expected {asked.trials} trials and at least {BUSY:.0%} busy workers")


if __name__ == "__main__":
    main()
