"""Confidence intervals of the metrics, from resampling the coarsest entity."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from minorkey.errors import ShapeError
from minorkey.evaluation.bootstrap import paired_average_precision, replicate_weights, row_weights, units
from minorkey.evaluation.bounds import (
    FEW_POSITIVES,
    average_precision_bounds,
    bootstrap_interval,
    closed_form,
)
from minorkey.evaluation.metrics import METRICS, Judged
from minorkey.evaluation.ranking import Floats, Ranking

__all__ = ["Interval", "average_precision_interval", "effective_size", "mean_freedom", "metric_intervals"]

#: Metrics with a closed form, used below `FEW_POSITIVES`.
_CLOSED = ("average_precision", "precision", "recall")
#: Which rows a metric rests on; the others rest on the positives.
_COUNTED = {"precision": "predicted", "specificity": "negatives"} | dict.fromkeys(
    ("f1_micro", "brier", "log_loss", "expected_cost"), "rows"
)


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
    threshold: float | Floats,
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
        raw: shape (n,), what ranks the rows; or shape (repeats, n), of which each repeat is judged and the
            mean of the metrics taken.
        score: calibrated probability of class 1, in the shape of `raw`.
        threshold: rows with ``score >= threshold`` are called positive; one number, or in that shape.
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
    labels, repeats = np.asarray(y) == 1, _repeats(raw, score, threshold)
    judged = [Judged.of(labels, *repeat, cost=cost, costs=costs) for repeat in repeats]
    n = len(labels)
    own = row_weights(n, weight)
    values = _mean_metrics(judged, own[None, :])
    chunks = replicate_weights(n, bootstraps, weight=weight, entity=entity, seed=seed)
    parts = [_mean_metrics(judged, weights) for weights in chunks]
    sizes = _sizes(labels, [one >= cut for _, one, cut in repeats], weight, entity)
    freedom = _freedom(judged, own, entity)
    intervals = {}
    for name in METRICS:
        value, size = float(values[name][0]), sizes[_COUNTED.get(name, "positives")]
        if sizes["positives"] < FEW_POSITIVES and name in _CLOSED:
            bounds = closed_form(name, value, size, confidence)
        else:
            replicates = np.concatenate([part[name] for part in parts])
            bounds = bootstrap_interval(name, value, replicates, size, confidence, freedom=freedom.get(name))
        intervals[name] = Interval(value, *bounds)
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
    drawn = paired_average_precision(
        [ranking], len(own), bootstraps, weight=weight, entity=entity, seed=seed
    )[0]
    size = effective_size(np.asarray(y) == 1, weight=weight, entity=entity)
    return Interval(value, *average_precision_bounds(value, drawn, size, confidence))


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


def mean_freedom(values: Floats, weight: Floats, entity: npt.ArrayLike | None) -> float:
    """Degrees of freedom of the estimated variance of a weighted mean.

    A few rows that are far off make a mean's variance as uncertain as a small sample does: the heavier the
    tail of what the units contribute, the fewer degrees of freedom.

    Args:
        values: shape (n,), what is averaged.
        weight: shape (n,); rows of weight 0 are not averaged.
        entity: shape (n,), what was sampled as a whole; None: rows.

    Source: Satterthwaite (1946), "An Approximate Distribution of Estimates of Variance Components", with the
    variance of a sample variance from its kurtosis.
    """
    codes, number = units(len(values), entity)
    held = np.bincount(codes, weight > 0, minlength=number) > 0
    total = float(weight.sum())
    mean = float(weight @ values) / total if total > 0 else 0.0
    share = np.bincount(codes, weight * (values - mean), minlength=number)[held]
    square = float(share @ share)
    most = max(len(share) - 1.0, 1.0)
    if square <= 0:
        return most
    kurtosis = len(share) * float((share**4).sum()) / square**2
    return float(np.clip(2 * len(share) / max(kurtosis - 1, 1e-9), 2.0, max(most, 2.0)))


def _repeats(
    raw: npt.ArrayLike, score: npt.ArrayLike, threshold: float | Floats
) -> list[tuple[Floats, Floats, Floats]]:
    """Raw scores, calibrated scores and thresholds of each repeat, shape (n,) each."""
    raws, scores = (np.atleast_2d(np.asarray(values, np.float64)) for values in (raw, score))
    if raws.shape != scores.shape:
        raise ShapeError(
            f"expected raw and calibrated scores of one shape, got {raws.shape} and {scores.shape}"
        )
    return list(zip(raws, scores, np.broadcast_to(threshold, raws.shape), strict=True))


def _mean_metrics(judged: Sequence[Judged], weights: Floats) -> dict[str, Floats]:
    found = [repeat.metrics(weights) for repeat in judged]
    return {name: np.mean([one[name] for one in found], axis=0) for name in METRICS}


def _freedom(judged: Sequence[Judged], own: Floats, entity: npt.ArrayLike | None) -> dict[str, float]:
    """Degrees of freedom of the metrics that are means, over rows or over positives."""
    columns = np.mean([repeat.columns for repeat in judged], axis=0)
    freedom = {
        name: mean_freedom(columns[:, column], own, entity)
        for column, name in enumerate(("brier", "log_loss", "expected_cost"), start=4)
    }
    positive, first = np.zeros(len(own)), judged[0].ranking
    positive[first.order[first.positive]] = 1.0
    outranked = np.mean([repeat.ranking.outranked(own) for repeat in judged], axis=0)
    freedom["roc_auc"] = mean_freedom(outranked, own * positive, entity)
    return freedom


def _sizes(
    positive: npt.NDArray[np.bool_],
    predicted: Sequence[npt.NDArray[np.bool_]],
    weight: npt.ArrayLike | None,
    entity: npt.ArrayLike | None,
) -> dict[str, float]:
    counted = {"positives": positive, "negatives": ~positive, "rows": np.ones(len(positive), bool)}
    sizes = {name: effective_size(rows, weight=weight, entity=entity) for name, rows in counted.items()}
    each = [effective_size(rows, weight=weight, entity=entity) for rows in predicted]
    return sizes | {"predicted": float(np.mean(each))}
