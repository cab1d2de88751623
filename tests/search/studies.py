"""A study of a cheap objective through the real loop, records, journal and workers."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from optuna.distributions import FloatDistribution

from minorkey.search.proposals import Proposer
from minorkey.search.pruners import pruner
from minorkey.search.records import Plan, Records
from minorkey.search.space import Space
from minorkey.search.storage import open_storage
from minorkey.search.trial_loop import StudyResult, TrialLoop
from minorkey.settings import settings
from minorkey.trials.executor import Executor, Task
from minorkey.trials.local import LocalExecutor
from minorkey.trials.study_root import LocalStudyRoot
from minorkey.trials.trial import TrialResult

UNIT = FloatDistribution(0.0, 1.0)
SPACE = Space(families={"good": {"x": UNIT}, "poor": {"x": UNIT}}, resamplers={"more": {"k": UNIT}})


def run_loop(
    folder: Path,
    executor: Executor,
    *,
    trials: int = 12,
    space: Space = SPACE,
    sampler: str = "tpe",
    pruner_name: str = "none",
    rungs: int = 1,
    share: float = 0.15,
    seed: int = 1,
    timeout: float | None = None,
    reproducible: bool = False,
    function: str = "quadratic",
    database: str = "",
    on_result: Callable[[TrialResult], None] = lambda result: None,
    **arguments: Any,
) -> StudyResult:
    def task(plan: Plan) -> Task:
        content = {"number": plan.number, "configuration": plan.configuration.to_json(), "rungs": rungs}
        return Task(f"t{plan.number}", f"tests.search.objectives:{function}", content | arguments)

    root = LocalStudyRoot(folder)
    with open_storage(root, database) as books:
        return TrialLoop(
            "final",
            records=Records(root, "final"),
            proposer=Proposer(
                books.storage,
                "final",
                space,
                sampler=sampler,
                resampling_share=share,
                seed=seed,
                prefix=books.prefix,
            ),
            pruner=pruner(pruner_name),
            executor=executor,
            task=task,
            last_rung=rungs - 1,
            trials=trials,
            on_result=on_result,
            timeout=timeout,
            reproducible=reproducible,
        ).run()


def main(folder: str, trials: str, seconds: str) -> None:
    """A driver to be killed: prints its process id and its workers' ids, then the study's count."""
    with LocalExecutor(2) as executor:
        print(*executor.pids, flush=True)
        done = run_loop(
            Path(folder),
            executor,
            trials=int(trials),
            seconds=float(seconds),
            database=settings().database_url,
        )
    print(len(done.results), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
