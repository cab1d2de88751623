"""Choice of what ships: the best model, or a greedy ensemble that beats it beyond noise."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from minorkey.errors import ShapeError
from minorkey.evaluation.bootstrap import paired_average_precision, row_weights
from minorkey.evaluation.calibration import fit_calibration
from minorkey.evaluation.fold_ranking import FoldRanking
from minorkey.evaluation.intervals import Interval, average_precision_interval
from minorkey.evaluation.ranking import Floats

__all__ = ["Choice", "blend", "choose_members"]

#: Greedy steps; weights are multiples of one over the steps taken.
_STEPS = 20
#: Steps without a gain after which the greedy search ends.
_PATIENCE = 4
_BOOTSTRAPS = 400

Members = tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Choice:
    """What ships, and how good it looks to rows that had no part in choosing it.

    Attributes:
        members: (candidate, weight) pairs; the weights sum to 1.
        ensemble: whether there is more than one.
        reason: why, in a sentence.
        value: average precision of the choice on all rows. Slightly optimistic: they chose it.
        cross_fitted_value: the same with each fold scored by the choice that the other folds make.
        cross_fitted_scores: shape (n,), those scores, calibrated on the other folds as well, so that
            folds whose choices differ in scale are comparable. Validation metrics come from these.
        difference: cross-fitted gain of the ensemble over the single model, one standard error around.
    """

    members: Members
    ensemble: bool
    reason: str
    value: Interval
    cross_fitted_value: Interval
    cross_fitted_scores: Floats
    difference: Interval


def blend(scores: Floats, members: Members) -> Floats:
    """Weighted mean of the members' scores, as the served graph forms it.

    Args:
        scores: shape (candidates, n).
        members: (candidate, weight) pairs.
    """
    chosen, weights = zip(*members, strict=True)
    return np.asarray(weights) @ scores[list(chosen)]


def choose_members(
    scores: Floats,
    y: npt.ArrayLike,
    folds: npt.ArrayLike,
    *,
    weight: npt.ArrayLike | None = None,
    entity: npt.ArrayLike | None = None,
    most: int = 5,
    confidence: float = 0.95,
    seed: int = 0,
) -> Choice:
    """Choose one model or an ensemble by average precision inside the folds.

    The ensemble ships when its gain over the best single model, both chosen on the other folds, exceeds
    one standard error of a paired bootstrap.

    Args:
        scores: shape (candidates, n), out-of-fold raw scores.
        y: shape (n,), 0 or 1.
        folds: shape (n,), fold of each row.
        weight: shape (n,), non-negative; None: all equal.
        entity: shape (n,), what is drawn as a whole; None: rows.
        most: most distinct members; 1: no ensemble.
        confidence: of the intervals.
        seed: seed of the bootstraps.

    Raises:
        ShapeError: the shapes do not fit.

    Source: Caruana, Niculescu-Mizil, Crew and Ksikes (2004), "Ensemble Selection from Libraries of
    Models".
    """
    labels, groups = np.asarray(y).astype(np.int8), np.asarray(folds)
    candidates = np.asarray(scores, np.float64)
    fits = candidates.ndim == 2 and candidates.shape[1:] == labels.shape == groups.shape
    if not fits or not len(candidates):
        raise ShapeError(
            f"expected scores (candidates, n), y (n,) and folds (n,), got {candidates.shape}, "
            f"{labels.shape} and {groups.shape}"
        )
    rows = _Rows(labels, groups, row_weights(len(labels), weight))
    single, best = _best_single(candidates, rows), _greedy(candidates, rows, most)
    crossed_single = _crossed(candidates, rows, lambda part, kept: _best_single(part, kept))
    ships, crossed, difference = single, crossed_single, Interval(0.0, 0.0, 0.0)
    if len(best) > 1:
        crossed_best = _crossed(candidates, rows, lambda part, kept: _greedy(part, kept, most))
        difference = _difference(crossed_best, crossed_single, rows, weight, entity, seed)
        if difference.low > 0:
            ships, crossed = best, crossed_best

    def interval(score: Floats) -> Interval:
        return average_precision_interval(
            labels,
            score,
            weight=weight,
            entity=entity,
            confidence=confidence,
            bootstraps=_BOOTSTRAPS,
            seed=seed,
        )

    return Choice(
        members=ships,
        ensemble=len(ships) > 1,
        reason=_reason(len(candidates), most, best, ships, difference),
        value=interval(blend(candidates, ships)),
        cross_fitted_value=interval(crossed),
        cross_fitted_scores=crossed,
        difference=difference,
    )


@dataclass(frozen=True)
class _Rows:
    y: npt.NDArray[np.int8]
    folds: npt.NDArray[Any]
    weight: Floats

    def take(self, kept: npt.NDArray[np.bool_]) -> "_Rows":
        return _Rows(self.y[kept], self.folds[kept], self.weight[kept])

    def by_fold(self) -> list[npt.NDArray[np.intp]]:
        return [np.flatnonzero(self.folds == fold) for fold in np.unique(self.folds)]

    def value(self, score: Floats, by_fold: Sequence[npt.NDArray[np.intp]]) -> float:
        """Average precision inside the folds; 0 where no fold holds a positive."""
        value = FoldRanking.of(self.y, score, by_fold).average_precision(self.weight[None, :])[0]
        return float(np.nan_to_num(value))


def _best_single(scores: Floats, rows: _Rows) -> Members:
    by_fold = rows.by_fold()
    return ((int(np.argmax([rows.value(score, by_fold) for score in scores])), 1.0),)


def _greedy(scores: Floats, rows: _Rows, most: int) -> Members:
    """Add, again and again and with replacement, the candidate that helps most; keep the best step."""
    by_fold = rows.by_fold()
    counts = np.zeros(len(scores), int)
    total = np.zeros(scores.shape[1])
    best_counts, best_value, waited = counts, -1.0, 0
    for _ in range(_STEPS):
        full = np.count_nonzero(counts) >= most
        allowed = np.flatnonzero(counts) if full else np.arange(len(scores))
        values = [rows.value(total + scores[candidate], by_fold) for candidate in allowed]
        added = allowed[int(np.argmax(values))]
        counts[added] += 1
        total += scores[added]
        waited += 1
        if max(values) > best_value:
            best_counts, best_value, waited = counts.copy(), max(values), 0
        if waited >= _PATIENCE or most == 1:
            break
    chosen = np.flatnonzero(best_counts)
    return tuple((int(member), float(best_counts[member] / best_counts.sum())) for member in chosen)


def _crossed(scores: Floats, rows: _Rows, choose: Callable[[Floats, _Rows], Members]) -> Floats:
    """Each fold's rows, scored by the choice and the calibration that the other folds make."""
    crossed = np.empty(scores.shape[1])
    for fold in np.unique(rows.folds):
        held = rows.folds == fold
        others = rows.take(~held)
        members = choose(scores[:, ~held], others)
        calibration, _ = fit_calibration(
            others.y, blend(scores[:, ~held], members), weight=others.weight, groups=others.folds
        )
        crossed[held] = calibration.apply(blend(scores[:, held], members))
    return crossed


def _difference(
    first: Floats,
    second: Floats,
    rows: _Rows,
    weight: npt.ArrayLike | None,
    entity: npt.ArrayLike | None,
    seed: int,
) -> Interval:
    """Gain in average precision inside the folds, one standard error to each side."""
    by_fold = rows.by_fold()
    pair = [FoldRanking.of(rows.y, score, by_fold) for score in (first, second)]
    gain = np.subtract(*(ranking.average_precision(rows.weight[None, :])[0] for ranking in pair))
    drawn = paired_average_precision(pair, len(rows.y), _BOOTSTRAPS, weight=weight, entity=entity, seed=seed)
    error = float(np.nanstd(drawn[0] - drawn[1]))
    return Interval(float(gain), float(gain) - error, float(gain) + error)


def _reason(candidates: int, most: int, best: Members, ships: Members, difference: Interval) -> str:
    if candidates == 1:
        return "there was one candidate"
    if most == 1:
        return "the best single model; ensembles are switched off"
    if len(best) == 1:
        return "the best single model; no mixture of candidates ranks better"
    gain = f"{difference.value:+.4f} (standard error {difference.value - difference.low:.4f})"
    if len(ships) > 1:
        return f"{len(ships)} models together gain {gain} in average precision over the best one"
    return f"the best single model; an ensemble would gain {gain} in average precision, within noise"
