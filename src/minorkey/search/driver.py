"""The driver: it alone owns the study of a part, and has its finalists fitted by the same workers."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from minorkey.data.fold_store import FoldStore
from minorkey.data.training_set import TrainingSet
from minorkey.errors import InputError
from minorkey.models import family
from minorkey.progress import emit
from minorkey.search.proposals import Proposer, seed_of
from minorkey.search.pruners import pruner
from minorkey.search.recency import Recency
from minorkey.search.records import Plan, Records
from minorkey.search.space_building import space_of
from minorkey.search.storage import open_storage
from minorkey.search.trial_loop import StudyResult, TrialLoop
from minorkey.settings import settings
from minorkey.spec import SearchSpec
from minorkey.trials.dispatch import run_all
from minorkey.trials.executor import Executor, Task
from minorkey.trials.local import shared_pool
from minorkey.trials.member import Member, find_member, member_key
from minorkey.trials.rows import put_rows
from minorkey.trials.rung import Rung
from minorkey.trials.study_root import StudyRoot
from minorkey.trials.trial import Configuration, Outcome, TrialResult

__all__ = ["StudyResult", "fit_members", "run_study"]

#: Positives that the folds of a first look hold together.
_SCREENING_POSITIVES = 20
#: A member may take so many times what a trial may: it can be a fit on all rows.
_MEMBER_PATIENCE = 3.0
#: What the results of a study depend on; a study root holds the study of one such choice.
_IDENTITY = (
    "sampler",
    "pruner",
    "families",
    "resamplers",
    "interactions",
    "portfolio",
    "recency_half_lives",
    "reproducible",
)


def run_study(
    training: TrainingSet,
    part: str,
    spec: SearchSpec,
    *,
    root: StudyRoot,
    store: FoldStore,
    seed: int,
    trials: int,
    on_result: Callable[[TrialResult], None],
    enqueue: Sequence[Configuration] = (),
    recency: Recency | None = None,
    executor: Executor | None = None,
) -> StudyResult:
    """Run the study of a part, or what is missing of it, until exactly `trials` trials have ended.

    The same call after any interruption goes on: finished trials are kept, and trials that were
    under way are run again with the same number, configuration and seed.

    Args:
        training: the training set.
        part: name of the part; trials see its fold partition 0 alone.
        spec: the search section.
        root: where trials and driver exchange files.
        store: prepared folds.
        seed: seed of everything random.
        trials: trials to run, exactly, unless ``spec.timeout`` comes first.
        on_result: called once in each call for every finished trial, those of an interrupted call
            among them.
        enqueue: configurations to try before the portfolio.
        recency: training windows and half-lives to choose from; default: what the spec states.
        executor: where trials run; default: this process's pool of worker processes.

    Raises:
        SpecError: a name in the spec is unknown or does not fit the data, or no trial was completed.
        StateError: the study root is full, not writable, driven by another process, or of another study.
    """
    executor = executor or shared_pool(spec.workers)
    space = space_of(training, part, spec, cores=executor.threads, enqueue=enqueue, recency=recency)
    order, rungs = _schedule(training, part, spec)
    with open_storage(root, settings().database_url) as books:
        records = Records(root, part)
        records.claim(_identity(training, spec, seed))
        shared = _shared_arguments(training, part, root, store, seed, executor)

        def task(plan: Plan) -> Task:
            return Task(
                name=f"{part}/{plan.number:04d}",
                function="minorkey.trials.tasks:trial",
                arguments=shared
                | {
                    "order": order,
                    "rungs": [(rung.negatives, rung.folds) for rung in rungs],
                    "number": plan.number,
                    "configuration": plan.configuration.to_json(),
                    "trial_seed": seed_of(seed, part, plan.number),
                },
                seconds=spec.trial_timeout,
                memory_mb=spec.trial_memory_mb,
                resource=family(plan.configuration.family).resource,
            )

        loop = TrialLoop(
            part,
            records=records,
            proposer=Proposer(
                books.storage,
                part,
                space,
                sampler=spec.sampler,
                resampling_share=spec.resampling_share,
                seed=seed,
                prefix=books.prefix,
            ),
            pruner=pruner(spec.pruner),
            executor=executor,
            task=task,
            last_rung=len(rungs) - 1,
            trials=trials,
            on_result=on_result,
            timeout=spec.timeout,
            reproducible=spec.reproducible,
        )
        return loop.run()


def _identity(training: TrainingSet, spec: SearchSpec, seed: int) -> dict[str, Any]:
    chosen = spec.model_dump(mode="json")
    return {key: chosen[key] for key in _IDENTITY} | {"seed": seed, "training rows": training.digest}


def fit_members(
    training: TrainingSet,
    part: str,
    configurations: Sequence[Configuration],
    spec: SearchSpec,
    *,
    partition: int,
    folds: Sequence[int | None],
    root: StudyRoot,
    store: FoldStore,
    seed: int,
    executor: Executor | None = None,
) -> dict[tuple[str, int | None], Member]:
    """Fit configurations on folds of a partition, or on all rows, in parallel; finished ones are found again.

    Args:
        training: the training set.
        part: name of the part.
        configurations: what to fit.
        spec: the search section, for workers and limits.
        partition: fold partition of the part.
        folds: indices of folds; None for a fit on all rows of the part.
        root: where members are kept.
        store: prepared folds.
        seed: seed of everything random.
        executor: where fits run; default: this process's pool of worker processes.

    Returns:
        Member by configuration digest and fold. A configuration of which one fit failed is left out
        with all its folds, and a warning says so.

    Raises:
        SpecError: none of the configurations could be fitted.
        StateError: the study root is full or not writable.
    """
    executor = executor or shared_pool(spec.workers)
    shared = _shared_arguments(training, part, root, store, seed, executor)
    shared |= {"root": "" if executor.remote else root.location}
    wanted = {(one.digest(), fold): one for one in configurations for fold in folds}
    tasks = {
        member_key(part, one, partition, fold): Task(
            name=member_key(part, one, partition, fold),
            function="minorkey.trials.tasks:member",
            arguments=shared | {"partition": partition, "fold": fold, "configuration": one.to_json()},
            seconds=spec.trial_timeout * _MEMBER_PATIENCE,
            memory_mb=spec.trial_memory_mb,
            resource=family(one.family).resource,
        )
        for (_, fold), one in wanted.items()
    }
    missing = [task for key, task in tasks.items() if find_member(root, key) is None]
    failed: dict[str, str] = {}
    for done, ended in enumerate(run_all(executor, missing), start=1):
        if ended.outcome is not Outcome.COMPLETE:
            failed[ended.name] = f"{ended.outcome.value}: {ended.error}"
        emit("members", part=part, done=done, total=len(missing))
    return _collect(root, part, partition, wanted, failed)


def _collect(
    root: StudyRoot,
    part: str,
    partition: int,
    wanted: dict[tuple[str, int | None], Configuration],
    failed: dict[str, str],
) -> dict[tuple[str, int | None], Member]:
    lost = {}
    for (digest, fold), one in wanted.items():
        key = member_key(part, one, partition, fold)
        if key in failed:
            lost[digest] = f"{one.family}: {failed[key]}"
    for error in lost.values():
        emit("warned", text=f"a finalist is left out because it could not be fitted: {error}")
    if lost and len(lost) == len({digest for digest, _ in wanted}):
        raise InputError(
            "none of the configurations could be fitted",
            key="search",
            value="; ".join(dict.fromkeys(lost.values())),
            remedy="raise search.trial_timeout or search.trial_memory_mb, or search other families",
        )
    members = {}
    for (digest, fold), one in wanted.items():
        if digest not in lost:
            found = find_member(root, member_key(part, one, partition, fold))
            if found is not None:
                members[digest, fold] = found
    return members


def _schedule(training: TrainingSet, part: str, spec: SearchSpec) -> tuple[list[int], tuple[Rung, ...]]:
    """The order of the folds, and the rungs of a trial. In time order the newest fold comes first."""
    folds = training.part(part).partitions[0]
    order = list(range(len(folds)))
    if training.kind == "time":
        order.reverse()
    screening, positives = 0, 0
    while screening < len(order) and positives < _SCREENING_POSITIVES:
        positives += int(training.dataset.y[folds[order[screening]].valid].sum())
        screening += 1
    rows = min(len(fold.train) for fold in folds)
    return order, pruner(spec.pruner).rungs(screening, len(folds), rows)


def _shared_arguments(
    training: TrainingSet, part: str, root: StudyRoot, store: FoldStore, seed: int, executor: Executor
) -> dict[str, Any]:
    """Remote workers take the rows from the study root and keep a fold store of their own."""
    if executor.remote:
        return {
            "training": put_rows(training, root),
            "store": "",
            "store_bytes": 0,
            "part": part,
            "seed": seed,
        }
    return {
        "training": str(_on_disk(training, root)),
        "store": str(store.root),
        "store_bytes": store.max_bytes,
        "part": part,
        "seed": seed,
    }


def _on_disk(training: TrainingSet, root: StudyRoot) -> Path:
    """The folder from which workers read the rows, written once for each study root."""
    folder = root.driver_folder / "training" / training.digest
    if not folder.exists():
        training.write(folder)
    return folder
