"""Lower and upper bounds: from bootstrap replicates, or in closed form where positives are few."""

import numpy as np
from scipy.special import expit, logit, ndtri, stdtrit

from minorkey.evaluation.ranking import Floats

__all__ = [
    "FEW_POSITIVES",
    "average_precision_bounds",
    "bootstrap_interval",
    "boyd_interval",
    "closed_form",
    "wilson_interval",
]

#: Below this many positives a bootstrap is too narrow, and closed forms are used where there are any.
FEW_POSITIVES = 50

_LOSSES = ("brier", "log_loss", "expected_cost")
_CORRELATIONS = ("matthews_corrcoef", "cohen_kappa")
#: Replicates that spread less than this are the same number with rounding.
_STILL = 1e-9


def average_precision_bounds(
    value: float, replicates: Floats, size: float, confidence: float
) -> tuple[float, float]:
    """Bounds of an average precision: closed form below `FEW_POSITIVES`, else from the replicates."""
    if size < FEW_POSITIVES:
        return boyd_interval(value, size, confidence)
    return bootstrap_interval("average_precision", value, replicates, size, confidence)


def bootstrap_interval(
    name: str,
    value: float,
    replicates: Floats,
    size: float,
    confidence: float,
    *,
    freedom: float | None = None,
) -> tuple[float, float]:
    """Student interval on the metric's own open scale, with the replicates' standard deviation.

    Rates are widened on the logit scale, correlations on Fisher's, losses on the logarithmic one; then no
    bound leaves the metric's range. Chosen by measured coverage: see docs/reference/statistics.md.

    Args:
        name: one of `METRICS`.
        value: the estimate.
        replicates: shape (r,), NaN where undefined.
        size: effective number of rows that the metric rests on.
        confidence: e.g. 0.95.
        freedom: degrees of freedom; None: one less than `size`.

    Returns:
        Lower and upper bound; NaN where there is nothing to learn from (an undefined metric, a single row,
        a loss that is 0 in every replicate).
    """
    valid = replicates[~np.isnan(replicates)]
    if np.isnan(value) or len(valid) < 2 or size < 2:
        return closed_form(name, value, size, confidence)
    quantile = float(stdtrit(size - 1 if freedom is None else freedom, 0.5 + confidence / 2))
    if name in _LOSSES:
        half = quantile * float(valid.std()) / value if value > 0 else 0.0
        return (
            (np.nan, np.nan) if half < _STILL else (value * float(np.exp(-half)), value * float(np.exp(half)))
        )
    lowest, span = _range(name)
    centre, edge = (value - lowest) / span, _edge(name, size)
    half = quantile * _logit_spread(name, centre, (valid - lowest) / span, edge)
    if half < _STILL:
        return closed_form(name, value, size, confidence)
    low, high = lowest + span * expit(logit(np.clip(centre, edge, 1 - edge)) + np.array([-half, half]))
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
    low, high = expit(logit(inner) + np.array([-1, 1]) * _normal(confidence) * spread)
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
    return float(max(0.0, min(centre - half, value))), float(min(1.0, max(centre + half, value)))


def closed_form(name: str, value: float, size: float, confidence: float) -> tuple[float, float]:
    """The interval that needs no bootstrap: Boyd's, or Wilson's as if the metric were a proportion."""
    if name in _LOSSES:
        return np.nan, np.nan
    if name == "average_precision":
        return boyd_interval(value, size, confidence)
    lowest, span = _range(name)
    low, high = wilson_interval((value - lowest) / span, size, confidence)
    return lowest + span * low, lowest + span * high


def _logit_spread(name: str, centre: float, replicates: Floats, edge: float) -> float:
    """Standard deviation of the replicates on the logit scale, both within (0, 1).

    By the delta method, which skewed replicates inflate least; ROC-AUC lies so near to 1 that its
    replicates' own logits have to be taken.
    """
    if name == "roc_auc":
        return float(logit(np.clip(replicates, edge, 1 - edge)).std())
    inner = float(np.clip(centre, edge, 1 - edge))
    return float(replicates.std() / (inner * (1 - inner)))


def _edge(name: str, size: float) -> float:
    """How near to 0 and 1 a rate is told from them: half a row, and half a pair of rows for ROC-AUC."""
    return 0.5 / ((size**2 if name == "roc_auc" else size) + 1)


def _range(name: str) -> tuple[float, float]:
    """Lowest value of a bounded metric, and how far its range reaches."""
    return (-1.0, 2.0) if name in _CORRELATIONS else (0.0, 1.0)


def _normal(confidence: float) -> float:
    return float(ndtri(0.5 + confidence / 2))
