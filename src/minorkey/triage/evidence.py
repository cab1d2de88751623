"""The evidence of mature labels: does the ranking hold, and are the probabilities right?"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from minorkey.evaluation.bootstrap import replicate_weights, row_weights, units
from minorkey.evaluation.calibration import clipped_logit, sigmoid
from minorkey.evaluation.intervals import Interval
from minorkey.evaluation.ranking import Floats, Ranking

__all__ = ["Evidence", "Reference", "calibration_intervals", "gather"]

_STEPS = 50
_TOLERANCE = 1e-10


@dataclass(frozen=True)
class Reference:
    """What the model showed on rows that it had not seen when it was made.

    Attributes:
        rows: number of rows.
        positives: how many of them were positive.
        prevalence: share of positives.
        roc_auc: area under the ROC curve, with its interval.
        average_precision: at that prevalence, with its interval.
    """

    rows: int
    positives: int
    prevalence: float
    roc_auc: Interval
    average_precision: Interval

    @classmethod
    def of(
        cls, rows: int, positives: int, roc_auc: float, average_precision: float, *, confidence: float = 0.95
    ) -> Self:
        """The reference that a bundle tells, with intervals by closed forms: its rows are gone.

        Source: Hanley and McNeil (1982), "The Meaning and Use of the Area under a Receiver Operating
        Characteristic (ROC) Curve"; Boyd, Eng and Page (2013), "Area under the Precision-Recall Curve".
        """
        z = float(ndtri((1 + confidence) / 2))
        negatives, squared = rows - positives, roc_auc**2
        pairs = (positives - 1) * (roc_auc / (2 - roc_auc) - squared)
        pairs += (negatives - 1) * (2 * squared / (1 + roc_auc) - squared)
        half = z * float(np.sqrt((roc_auc * (1 - roc_auc) + pairs) / (positives * negatives)))
        inner = float(np.clip(average_precision, 1e-6, 1 - 1e-6))
        step = z / float(np.sqrt(positives * inner * (1 - inner)))
        low, high = (sigmoid(clipped_logit(np.array(inner)) + side * step) for side in (-1, 1))
        return cls(
            rows,
            positives,
            positives / rows,
            Interval(roc_auc, roc_auc - half, min(1.0, roc_auc + half)),
            Interval(average_precision, float(low), float(high)),
        )

    def to_json(self) -> dict[str, Any]:
        """The reference as JSON content."""
        return _plain(self)


@dataclass(frozen=True)
class Evidence:
    """What fresh rows with mature labels say of a model.

    Attributes:
        rows: number of rows.
        positives: how many of them are positive.
        prevalence: their weighted share of positives.
        roc_auc: with its interval.
        average_precision: as it would be at the reference's prevalence, with its interval.
        intercept: shift of the log-odds that the scores need (0 is perfect), the slope held at 1.
        slope: factor of the log-odds that the scores need (1 is perfect), with an intercept of its own.
    """

    rows: int
    positives: int
    prevalence: float
    roc_auc: Interval
    average_precision: Interval
    intercept: Interval
    slope: Interval

    def to_json(self) -> dict[str, Any]:
        """The evidence as JSON content."""
        return _plain(self)


def gather(
    y: npt.ArrayLike,
    raw: npt.ArrayLike,
    score: npt.ArrayLike,
    *,
    prevalence: float,
    weight: npt.ArrayLike | None = None,
    entity: npt.ArrayLike | None = None,
    confidence: float = 0.95,
    bootstraps: int = 1_000,
    seed: int = 0,
) -> Evidence:
    """Measure ranking and calibration on fresh rows, both classes among them.

    Average precision moves with the share of positives, so it is taken with the classes weighted to the
    reference's share: what is left is a change of the ranking.

    Args:
        y: shape (n,), 0 or 1.
        raw: shape (n,), raw scores, which the ranking goes by.
        score: shape (n,), calibrated scores.
        prevalence: the reference's share of positives.
        weight: shape (n,), non-negative; None: all equal.
        entity: shape (n,), the coarsest thing that rows belong to; None: rows.
        confidence: of the intervals.
        bootstraps: replicates of the ranking's intervals (percentile).
        seed: seed of the replicates.
    """
    labels = np.asarray(y) == 1
    own = row_weights(len(labels), weight)
    ranking = Ranking.of(labels, raw)
    drawn = [
        (ranking.roc_auc(part), ranking.average_precision(_at_prevalence(part, labels, prevalence)))
        for part in replicate_weights(len(labels), bootstraps, weight=weight, entity=entity, seed=seed)
    ]
    whole = own[None, :]
    points = (ranking.roc_auc(whole), ranking.average_precision(_at_prevalence(whole, labels, prevalence)))
    tails = 100 * np.array([(1 - confidence) / 2, (1 + confidence) / 2])
    area, precision = (
        Interval(float(point[0]), *map(float, np.nanpercentile(np.concatenate(replicates), tails)))
        for point, replicates in zip(points, zip(*drawn, strict=True), strict=True)
    )
    intercept, slope = calibration_intervals(labels, score, weight=own, entity=entity, confidence=confidence)
    return Evidence(
        rows=len(labels),
        positives=int(labels.sum()),
        prevalence=float(own @ labels / own.sum()),
        roc_auc=area,
        average_precision=precision,
        intercept=intercept,
        slope=slope,
    )


def calibration_intervals(
    y: npt.ArrayLike,
    score: npt.ArrayLike,
    *,
    weight: npt.ArrayLike | None = None,
    entity: npt.ArrayLike | None = None,
    confidence: float = 0.95,
) -> tuple[Interval, Interval]:
    """Intercept (slope held at 1) and slope of the log-odds, by maximum likelihood.

    The intervals rest on the sandwich variance, clustered by entity.

    Args:
        y: shape (n,), 0 or 1.
        score: shape (n,), calibrated scores.
        weight: shape (n,), non-negative; None: all equal.
        entity: shape (n,); None: rows.
        confidence: of the intervals.

    Returns:
        Intercept and slope.

    Source: Cox (1958), "Two Further Applications of a Model for Binary Regression"; Liang and Zeger
    (1986), "Longitudinal Data Analysis Using Generalized Linear Models", for the variance.
    """
    labels = (np.asarray(y) == 1).astype(np.float64)
    x = clipped_logit(np.asarray(score, np.float64))
    own = row_weights(len(labels), weight)
    ones = np.ones((len(x), 1))
    shift, shift_variance = _fit(ones, x, labels, own, entity)
    centre = np.average(x, weights=own)
    both, both_variance = _fit(np.column_stack([x - centre, ones]), np.zeros(len(x)), labels, own, entity)
    half = float(ndtri((1 + confidence) / 2))
    found = ((shift[0], shift_variance[0, 0]), (both[0], both_variance[0, 0]))
    intercept, slope = (
        Interval(float(value), float(value - half * error), float(value + half * error))
        for value, error in ((value, np.sqrt(variance)) for value, variance in found)
    )
    return intercept, slope


def _plain(told: "Evidence | Reference") -> dict[str, Any]:
    return {
        name: value.to_json() if isinstance(value, Interval) else value for name, value in vars(told).items()
    }


def _at_prevalence(weights: Floats, positive: npt.NDArray[np.bool_], prevalence: float) -> Floats:
    """The weights with the classes scaled to a share of positives, shape (replicates, n)."""
    share = weights @ positive
    rest = weights.sum(axis=1) - share
    with np.errstate(divide="ignore", invalid="ignore"):
        factors = np.stack([(1 - prevalence) / rest, prevalence / share], axis=1)
    return np.asarray(weights * np.nan_to_num(factors, posinf=0.0)[:, positive.astype(np.intp)])


def _fit(
    design: Floats, offset: Floats, target: Floats, weight: Floats, entity: npt.ArrayLike | None
) -> tuple[Floats, Floats]:
    """Weighted logistic regression by Newton's method, and the sandwich variance of its coefficients."""
    beta = np.zeros(design.shape[1])
    if design.shape[1] == 2:
        beta[0] = 1.0
    codes, count = units(len(target), entity)

    def loss(candidate: Floats) -> float:
        value = offset + design @ candidate
        return float(weight @ (np.logaddexp(0.0, value) - target * value))

    for _ in range(_STEPS):
        fitted = sigmoid(offset + design @ beta)
        curvature = (design * (weight * fitted * (1 - fitted))[:, None]).T @ design
        curvature += 1e-12 * np.trace(curvature) * np.eye(len(beta))
        step = np.linalg.solve(curvature, design.T @ (weight * (fitted - target)))
        size, current = 1.0, loss(beta)
        while size > 1e-8 and loss(beta - size * step) > current:
            size /= 2
        beta = beta - size * step
        if np.abs(step).max() < _TOLERANCE:
            break
    residual = design * (weight * (target - sigmoid(offset + design @ beta)))[:, None]
    by_unit = np.stack([np.bincount(codes, column, minlength=count) for column in residual.T], axis=1)
    bread = np.linalg.inv(curvature)
    return beta, np.asarray(bread @ (by_unit.T @ by_unit) @ bread)
