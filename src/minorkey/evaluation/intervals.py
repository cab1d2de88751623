"""Confidence intervals of the metrics, from resampling the coarsest entity."""

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit
from scipy.stats import norm, t

from minorkey.evaluation.bootstrap import paired_precision, replicate_weights, row_weights, units
from minorkey.evaluation.metrics import METRICS, Judged
from minorkey.evaluation.ranking import Floats, Ranking

__all__ = [
    "FEW_POSITIVES",
    "Interval",
    "average_precision_interval",
    "bootstrap_interval",
    "boyd_interval",
    "effective_size",
    "metric_intervals",
    "precision_bounds",
    "wilson_interval",
]

#: Below this many positives a bootstrap is too narrow, and closed forms are used where there are any.
FEW_POSITIVES = 50

_LOSSES = ("brier", "log_loss", "expected_cost")
_CORRELATIONS = ("matthews_corrcoef", "cohen_kappa")
_PROPORTIONS = ("precision", "recall", "specificity")


@dataclass(frozen=True)
class Interval:
    """An estimate and its interval. ``low`` and ``high`` are NaN where there is none."""

    value: float
    low: float
    high: float

    def to_json(self) -> dict[str, float | None]:
        """The interval as JSON content; NaN is null."""
        return {name: None if np.isnan(number) else number for name, number in asdict(self).items()}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """The interval from JSON content."""
        return cls(**{name: np.nan if number is None else float(number) for name, number in content.items()})


def metric_intervals(
    y: npt.ArrayLike,
    raw: npt.ArrayLike,
    score: npt.ArrayLike,
    threshold: float,
    *,
    weight: npt.ArrayLike | None = None,
    entity: npt.ArrayLike | None = None,
    cost: npt.ArrayLike | None = None,
    costs: tuple[float, float] = (10.0, 1.0),
    confidence: float = 0.95,
    bootstraps: int = 1_000,
    seed: int = 0,
) -> dict[str, Interval]:
    """Every metric of `METRICS` with its interval.

    Args:
        y: shape (n,), 0 or 1.
        raw: shape (n,), what ranks the rows.
        score: shape (n,), calibrated probability of class 1.
        threshold: rows with ``score >= threshold`` are called positive.
        weight: shape (n,), non-negative; None: all equal.
        entity: shape (n,), the coarsest thing that rows belong to; it is drawn as a whole. None: rows.
        cost: shape (n,), cost of missing each row if it is positive; None: ``costs[0]``.
        costs: cost of a false negative and of a false positive.
        confidence: e.g. 0.95.
        bootstraps: number of replicates.
        seed: seed of the replicates.

    Returns:
        Metric name to interval. ``low`` and ``high`` are NaN where the metric is undefined.

    Raises:
        ShapeError: the lengths differ, or a score is not finite or not a probability.
    """
    judged = Judged.of(y, raw, score, threshold, cost=cost, costs=costs)
    n = len(judged.columns)
    own = row_weights(n, weight)
    values = judged.metrics(own[None, :])
    chunks = replicate_weights(n, bootstraps, weight=weight, entity=entity, seed=seed)
    parts = [judged.metrics(weights) for weights in chunks]
    positive = np.asarray(y) == 1
    counted = {"precision": np.asarray(score) >= threshold, "specificity": ~positive}
    positives = effective_size(positive, weight=weight, entity=entity)
    intervals = {}
    for name in METRICS:
        size = effective_size(counted[name], weight=weight, entity=entity) if name in counted else positives
        replicates = np.concatenate([part[name] for part in parts])
        value = float(values[name][0])
        few = positives < FEW_POSITIVES
        low, high = _closed_form(name, value, size, confidence) if few else (np.nan, np.nan)
        if np.isnan(low):
            low, high = bootstrap_interval(name, value, replicates, size, positives, confidence)
        intervals[name] = Interval(value, low, high)
    return intervals


def average_precision_interval(
    y: npt.ArrayLike,
    score: npt.ArrayLike,
    *,
    weight: npt.ArrayLike | None = None,
    entity: npt.ArrayLike | None = None,
    confidence: float = 0.95,
    bootstraps: int = 1_000,
    seed: int = 0,
) -> Interval:
    """Average precision alone with its interval; arguments as in `metric_intervals`."""
    ranking = Ranking.of(y, score)
    own = row_weights(len(ranking.order), weight)
    value = float(ranking.average_precision(own[None, :])[0])
    drawn = paired_precision([ranking], len(own), bootstraps, weight=weight, entity=entity, seed=seed)[0]
    size = effective_size(np.asarray(y) == 1, weight=weight, entity=entity)
    return Interval(value, *precision_bounds(value, drawn, size, confidence))


def precision_bounds(value: float, replicates: Floats, size: float, confidence: float) -> tuple[float, float]:
    """Bounds of an average precision: closed form below `FEW_POSITIVES`, else from the replicates."""
    if size < FEW_POSITIVES:
        return boyd_interval(value, size, confidence)
    return bootstrap_interval("average_precision", value, replicates, size, size, confidence)


def effective_size(
    counted: npt.NDArray[np.bool_], *, weight: npt.ArrayLike | None, entity: npt.ArrayLike | None
) -> float:
    """How many independent rows the counted ones are worth: their number without weights and entities.

    Args:
        counted: shape (n,), which rows count.
        weight: shape (n,).
        entity: shape (n,); rows of one entity are taken to tell the same.

    Source: Kish (1965), "Survey Sampling".
    """
    codes, number = units(len(counted), entity)
    sums = np.bincount(codes, row_weights(len(counted), weight) * counted, minlength=number)
    return float(sums.sum() ** 2 / (sums**2).sum()) if sums.any() else 0.0


def bootstrap_interval(
    name: str, value: float, replicates: Floats, size: float, positives: float, confidence: float
) -> tuple[float, float]:
    """Student interval on the metric's own open scale, with the replicates' standard deviation.

    Rates are widened on the logit scale, correlations on Fisher's, losses on the logarithmic one; then no
    bound leaves the metric's range. Chosen by measured coverage: see docs/reference/statistics.md.

    Args:
        name: one of `METRICS`.
        value: the estimate.
        replicates: shape (r,), NaN where undefined.
        size: effective number of rows that the metric's denominator counts.
        positives: effective number of positives; one less is the degrees of freedom.
        confidence: e.g. 0.95.
    """
    valid = replicates[~np.isnan(replicates)]
    if np.isnan(value) or len(valid) < 2 or positives < 2:
        return _closed_form(name, value, size, confidence)
    if name in _LOSSES:
        return _loss_interval(value, valid, _student(confidence, positives))
    lowest, span = (-1.0, 2.0) if name in _CORRELATIONS else (0.0, 1.0)
    # A rate of 0 or 1 has an infinite logit: half a row away from the end instead.
    edge = 0.5 / (size + 1)
    inner = np.clip((np.append(valid, value) - lowest) / span, edge, 1 - edge)
    logits = _logit(inner)
    half = _student(confidence, positives) * logits[:-1].std()
    if half == 0:
        return _closed_form(name, value, size, confidence)
    low, high = lowest + span * _expit(logits[-1] + np.array([-half, half]))
    return min(float(low), value), max(float(high), value)


def boyd_interval(value: float, positives: float, confidence: float) -> tuple[float, float]:
    """Logit interval of average precision from the number of positives alone.

    Source: Boyd, Eng and Page (2013), "Area under the Precision-Recall Curve: Point Estimates and
    Confidence Intervals".
    """
    if not positives > 0 or np.isnan(value):
        return np.nan, np.nan
    # At 0 and 1 the logit is infinite: half a positive away from the end instead.
    inner = float(np.clip(value, 0.5 / (positives + 1), 1 - 0.5 / (positives + 1)))
    spread = 1 / np.sqrt(positives * inner * (1 - inner))
    low, high = _expit(_logit(inner) + np.array([-1, 1]) * _normal(confidence) * spread)
    return min(float(low), value), max(float(high), value)


def wilson_interval(value: float, size: float, confidence: float) -> tuple[float, float]:
    """Score interval of a proportion.

    Args:
        value: the proportion.
        size: of how many.
        confidence: e.g. 0.95.

    Source: Wilson (1927), "Probable Inference, the Law of Succession, and Statistical Inference".
    """
    if not size > 0 or np.isnan(value):
        return np.nan, np.nan
    z = _normal(confidence)
    centre = (value + z**2 / (2 * size)) / (1 + z**2 / size)
    half = z / (1 + z**2 / size) * np.sqrt(value * (1 - value) / size + z**2 / (4 * size**2))
    return max(0.0, min(centre - half, value)), min(1.0, max(centre + half, value))


def _closed_form(name: str, value: float, size: float, confidence: float) -> tuple[float, float]:
    """The interval that needs no bootstrap; NaN for a metric that has none."""
    if name == "average_precision":
        return boyd_interval(value, size, confidence)
    if name in _PROPORTIONS:
        return wilson_interval(value, size, confidence)
    return np.nan, np.nan


def _loss_interval(value: float, replicates: Floats, quantile: float) -> tuple[float, float]:
    positive = replicates[replicates > 0]
    if value <= 0 or not len(positive):
        return min(value, float(replicates.min())), max(value, float(replicates.max()))
    half = quantile * np.log(np.maximum(replicates, positive.min() / 2)).std()
    return float(value * np.exp(-half)), float(value * np.exp(half))


def _student(confidence: float, positives: float) -> float:
    return float(t.ppf(0.5 + confidence / 2, max(positives - 1, 1)))


def _normal(confidence: float) -> float:
    return float(norm.ppf(0.5 + confidence / 2))


def _logit(probability: npt.ArrayLike) -> Floats:
    return np.asarray(logit(probability), np.float64)


def _expit(value: npt.ArrayLike) -> Floats:
    return np.asarray(expit(value), np.float64)
