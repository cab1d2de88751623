"""From a finished study to the model that ships: chosen, calibrated and cut on fresh folds.

The study's own scores are optimistic: the best of many tries is partly the luckiest. So the
finalists are scored again on a fold partition that no trial has seen, and the choice, the
validation metrics, the calibrator and the threshold all come from those out-of-fold scores.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from minorkey.data.dataset import Dataset, Labels, Scores
from minorkey.data.folds_forward import are_forward
from minorkey.data.training_set import TrainingSet
from minorkey.errors import InputError
from minorkey.evaluation.calibration import Calibration, fit_calibration
from minorkey.evaluation.metrics import compute_metrics
from minorkey.evaluation.selection import Choice, blend, choose_members
from minorkey.evaluation.thresholds import alert_share, choose_threshold, counts
from minorkey.progress import emit
from minorkey.spec import SearchSpec, ThresholdSpec
from minorkey.trials.member import Member
from minorkey.trials.trial import Configuration, Outcome, TrialResult

__all__ = ["FRESH", "OutOfFold", "Selected", "allowed_share", "finalists", "gather", "select"]

#: The fold partition that trials never see.
FRESH = 1
#: A calibrator and a threshold rest on so many positives where there are as many.
_LEAST_POSITIVES = 100


@dataclass(frozen=True)
class OutOfFold:
    """Out-of-fold scores of the finalists on the fresh partition.

    Attributes:
        scores: shape (candidates, n), raw scores of models that did not see the row.
        rows: shape (n,), positions in the training set.
        fold: shape (n,), index of the fold whose validation rows hold the row.
        data: the rows themselves.
        forward: whether each fold is a block of time after all that its models were fitted on.
    """

    scores: npt.NDArray[np.float64]
    rows: npt.NDArray[np.intp]
    fold: npt.NDArray[np.intp]
    data: Dataset
    forward: bool = False

    @property
    def y(self) -> Labels:
        """Labels of the rows."""
        return self.data.y

    @property
    def kindred(self) -> npt.NDArray[np.bool_]:
        """Rows whose scores are most like those of the model that ships, shape (n,).

        In forward blocks the early scores come from models of a fraction of the rows, which are less sure
        than a refit: there it is the newest blocks with half of the positives, and with `_LEAST_POSITIVES`.
        """
        if not self.forward:
            return np.ones(len(self.fold), dtype=bool)
        positives = np.bincount(self.fold, weights=self.y)
        since = np.cumsum(positives[::-1])[::-1]
        enough = np.flatnonzero(since >= max(positives.sum() / 2, _LEAST_POSITIVES))
        # A calibrator is cross-fitted over two blocks at least.
        first = min(int(enough.max(initial=0)), len(positives) - 2)
        return np.asarray(self.fold >= first)


@dataclass(frozen=True)
class Selected:
    """What ships and what is known about it from rows it was not fitted on."""

    members: tuple[tuple[Configuration, float], ...]
    choice: Choice
    calibration: Calibration
    threshold: float
    validation: dict[str, float]
    #: Raw (uncalibrated) out-of-fold scores of the mixture.
    raw: Scores


def finalists(results: Sequence[TrialResult], most: int) -> list[Configuration]:
    """The best distinct configurations of a study, best first. A pruned trial is never among them.

    Raises:
        InputError: no trial was completed.
    """
    complete = [
        result for result in results if result.outcome is Outcome.COMPLETE and result.value is not None
    ]
    if not complete:
        outcomes = sorted({result.error or result.outcome.value for result in results})
        raise InputError(
            "no trial was completed, so there is nothing to choose from",
            key="search.trials",
            value="; ".join(outcomes) or "no trial was started",
            remedy="raise search.timeout, search.trial_timeout or search.trial_memory_mb, or read the log",
        )
    complete.sort(key=lambda result: (-(result.value or 0.0), result.number))
    distinct = {result.configuration.digest(): result.configuration for result in reversed(complete)}
    order = dict.fromkeys(result.configuration.digest() for result in complete)
    return [distinct[digest] for digest in order][:most]


def gather(
    training: TrainingSet,
    part: str,
    candidates: Sequence[Configuration],
    members: dict[tuple[str, int | None], Member],
) -> OutOfFold:
    """Put the members' validation scores side by side, row by row."""
    folds = training.part(part).partitions[FRESH]
    rows = np.concatenate([fold.valid for fold in folds])
    index = np.concatenate([np.full(len(fold.valid), number) for number, fold in enumerate(folds)])
    scores = np.stack(
        [
            np.concatenate([_validation(members[candidate.digest(), number]) for number in range(len(folds))])
            for candidate in candidates
        ]
    )
    data = training.dataset.take(rows)
    time = training.dataset.event_time
    forward = time is not None and are_forward(time, folds)
    return OutOfFold(scores, rows, index.astype(np.intp), data, forward=forward)


def allowed_share(training: TrainingSet, policy: ThresholdSpec) -> float | None:
    """The share of rows that may be called positive under a policy that counts alerts; None under others.

    How many rows come a day is told from all training rows, whatever part or fold they are cut on; under a
    split by hash those are all that came but for the expected share of the test.

    Raises:
        SpecError: alerts a day without event times.
    """
    if policy.policy not in ("top_k", "alerts_per_day"):
        return None
    data, sampled = training.dataset, 1.0
    if training.kind == "hash":
        sampled -= training.membership["test_fraction"]
    counted = counts(len(data), data.weight)
    if policy.policy == "alerts_per_day" and data.weight is not None and np.ptp(data.weight) > 0:
        text = (
            "for alerts a day each row counts once: some weights are below 1, so they are no counts of rows"
        )
        if counted.sum() != len(data):
            text = f"for alerts a day a row counts as its weight: {counted.sum():,.0f} rows came"
        emit("assumed", text=text)
    return alert_share(policy, float(counted.sum()), data.event_time, sampled=sampled)


def select(
    candidates: Sequence[Configuration],
    oof: OutOfFold,
    spec: SearchSpec,
    *,
    most: int,
    seed: int,
    share: float | None = None,
) -> Selected:
    """Choose the members, then calibrate and cut their mixture, all cross-fitted.

    Args:
        candidates: the finalists, in the order of ``oof.scores``.
        oof: their out-of-fold scores on the fresh partition.
        spec: the search section.
        most: most members of the mixture; 1 forbids an ensemble.
        seed: seed of the bootstraps.
        share: of rows that may be called positive, from `allowed_share`.
    """
    data = oof.data
    choice = choose_members(
        oof.scores, oof.y, oof.fold, weight=data.weight, entity=data.entity, most=most, seed=seed
    )
    raw = blend(oof.scores, choice.members)
    kindred = oof.kindred
    weight = None if data.weight is None else data.weight[kindred]
    calibration, crossed = fit_calibration(
        oof.y[kindred], raw[kindred], weight=weight, groups=oof.fold[kindred]
    )
    probability = calibration.apply(raw)
    probability[kindred] = crossed
    threshold = _cut(data, probability, spec.threshold, kindred, share, seed)
    validation = _validation_metrics(oof, choice.cross_fitted_scores, spec.threshold, share, seed)
    return Selected(
        members=tuple((candidates[index], share) for index, share in choice.members),
        choice=choice,
        calibration=calibration,
        threshold=threshold,
        validation=validation,
        raw=raw,
    )


def _validation_metrics(
    oof: OutOfFold, score: Scores, policy: ThresholdSpec, share: float | None, seed: int
) -> dict[str, float]:
    """Metrics of cross-fitted scores at thresholds that were each chosen without the fold they cut."""
    called = np.zeros(len(score), dtype=bool)
    for number in np.unique(oof.fold):
        inside = oof.fold == number
        called[inside] = score[inside] >= _cut(oof.data, score, policy, ~inside, share, seed)
    data = oof.data
    costs = (policy.false_negative_cost, policy.false_positive_cost)
    ranked = compute_metrics(oof.y, score, score, 0.5, weight=data.weight, cost=data.cost, costs=costs)
    decided = compute_metrics(
        oof.y, score, called.astype(np.float64), 0.5, weight=data.weight, cost=data.cost, costs=costs
    )
    from_scores = ("average_precision", "roc_auc", "brier", "log_loss")
    return {name: ranked[name] if name in from_scores else value for name, value in decided.items()}


def _cut(
    data: Dataset,
    probability: Scores,
    policy: ThresholdSpec,
    rows: npt.NDArray[np.bool_],
    share: float | None,
    seed: int,
) -> float:
    def chosen(values: Any) -> Any:
        return None if values is None else values[rows]

    if not data.y[rows].any():
        return 0.5
    return choose_threshold(
        data.y[rows],
        probability[rows],
        policy,
        weight=chosen(data.weight),
        cost=chosen(data.cost),
        event_time=chosen(data.event_time),
        entity=chosen(data.entity),
        share=share,
        seed=seed,
    )


def _validation(member: Member) -> Scores:
    if member.scores is None:
        raise ValueError("the member was fitted on all rows and has no validation scores")
    return member.scores
