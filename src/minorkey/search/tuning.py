"""Tune one part of the training set, from the first trial to the graph that ships."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import onnx

from minorkey.bundle.compose import compose
from minorkey.data.fold_store import FoldStore
from minorkey.data.training_set import TrainingSet
from minorkey.errors import InputError
from minorkey.progress import emit
from minorkey.search.driver import fit_members, run_study
from minorkey.search.recency import Recency
from minorkey.search.selection import FRESH, OutOfFold, Selected, allowed_share, finalists, gather, select
from minorkey.search.shipping import ship
from minorkey.spec import SearchSpec
from minorkey.trials.executor import Executor
from minorkey.trials.member import Member
from minorkey.trials.study_root import StudyRoot
from minorkey.trials.trial import Configuration, TrialResult

__all__ = ["Tuned", "ships_as_bag", "time_shares", "trial_shares", "tune_part"]

#: Below this many positives the models of the folds ship together: a refit's threshold rests on too little.
BAG_BELOW_POSITIVES = 1_000


@dataclass(frozen=True)
class Tuned:
    """One part, tuned.

    Attributes:
        graph: what ships.
        selected: the choice behind it.
        oof: the finalists' out-of-fold scores, from which all of it came.
        results: every trial of the study.
        bag: whether the models of the folds ship instead of a refit on all rows.
        seconds: wall-clock seconds by phase.
    """

    graph: onnx.ModelProto
    selected: Selected
    oof: OutOfFold
    results: tuple[TrialResult, ...]
    bag: bool
    seconds: dict[str, float]


def trial_shares(trials: int, parts: Sequence[str]) -> dict[str, int]:
    """How many of the asked trials each part gets: equal shares, the rest to the last.

    Every part gets at least one; with fewer trials than parts the sum exceeds what was asked.
    """
    share, rest = divmod(trials, len(parts))
    shares = {name: max(1, share) for name in parts}
    shares[parts[-1]] += rest if share else 0
    return shares


def time_shares(timeout: float | None, trials: dict[str, int]) -> dict[str, float | None]:
    """How many of the seconds of ``search.timeout`` each part gets: in proportion to its trials."""
    total = sum(trials.values())
    return {name: None if timeout is None else timeout * share / total for name, share in trials.items()}


def ships_as_bag(training: TrainingSet, part: str) -> bool:
    """Whether the fold models ship together.

    With forward blocks in time the fold models end before the newest rows, so there a refit always
    ships.
    """
    positives = int(training.dataset.y[training.part(part).rows].sum())
    return training.kind != "time" and positives < BAG_BELOW_POSITIVES


def tune_part(
    training: TrainingSet,
    part: str,
    spec: SearchSpec,
    *,
    trials: int,
    root: StudyRoot,
    store: FoldStore,
    seed: int,
    on_result: Callable[[TrialResult], None],
    enqueue: Sequence[Configuration] = (),
    recency: Recency | None = None,
    executor: Executor | None = None,
) -> Tuned:
    """Run the study of a part, choose among its finalists on fresh folds, and compose what ships.

    Args:
        training: the training set.
        part: name of the part.
        spec: the search section.
        trials: trials to run, exactly.
        root: where trials and driver exchange files.
        store: prepared folds.
        seed: seed of everything random.
        on_result: called once for every finished trial.
        enqueue: configurations to try first.
        recency: training windows and half-lives to choose from; default: what the spec states.
        executor: where trials run; default: this process's pool of worker processes.
    """
    started = time.monotonic()
    share = allowed_share(training, spec.threshold)
    study = run_study(
        training,
        part,
        spec,
        root=root,
        store=store,
        seed=seed,
        trials=trials,
        on_result=on_result,
        enqueue=enqueue,
        recency=recency,
        executor=executor,
    )
    searched = time.monotonic()
    emit("phase", part=part, phase="select", text="scoring the finalists on fresh folds")
    best = finalists(study.results, spec.finalists)
    folds = range(len(training.part(part).partitions[FRESH]))

    def fit(
        configurations: Sequence[Configuration], which: Sequence[int | None]
    ) -> dict[tuple[str, int | None], Member]:
        return fit_members(
            training,
            part,
            configurations,
            spec,
            partition=FRESH,
            folds=which,
            root=root,
            store=store,
            seed=seed,
            executor=executor,
        )

    members = fit(best, list(folds))
    best = [candidate for candidate in best if (candidate.digest(), 0) in members]
    oof = gather(training, part, best, members)
    position = {candidate.digest(): index for index, candidate in enumerate(best)}

    def choose(candidates: Sequence[Configuration], most: int) -> Selected:
        rows = [position[candidate.digest()] for candidate in candidates]
        narrowed = replace(oof, scores=oof.scores[rows])
        return select(candidates, narrowed, spec, most=most, seed=seed, share=share)

    def graph(selected: Selected, bag: bool) -> onnx.ModelProto:
        return _compose(selected, list(folds) if bag else [None], members, fit, root)

    shipped = ship(
        best,
        choose,
        graph,
        most=spec.ensemble,
        bag=ships_as_bag(training, part),
        limit=spec.latency_limit_us,
    )
    return Tuned(
        graph=shipped.graph,
        selected=shipped.selected,
        oof=oof,
        results=study.results,
        bag=shipped.bag,
        seconds={"search": searched - started, "select": time.monotonic() - searched},
    )


def _compose(
    selected: Selected,
    folds: Sequence[int | None],
    members: dict[tuple[str, int | None], Member],
    fit: Callable[[Sequence[Configuration], Sequence[int | None]], dict[tuple[str, int | None], Member]],
    root: StudyRoot,
) -> onnx.ModelProto:
    chosen = [configuration for configuration, _ in selected.members]
    if any((configuration.digest(), fold) not in members for configuration in chosen for fold in folds):
        members = members | fit(chosen, folds)
    lost = [one.family for one in chosen if any((one.digest(), fold) not in members for fold in folds)]
    if lost:
        raise InputError(
            "a model that was chosen could not be fitted for shipping",
            key="search",
            value=", ".join(lost),
            remedy="raise search.trial_timeout or search.trial_memory_mb, or search other families",
        )
    graphs = [
        (members[configuration.digest(), fold].graph(root), share / len(folds))
        for configuration, share in selected.members
        for fold in folds
    ]
    return compose(graphs, selected.calibration)
