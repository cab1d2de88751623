"""By how much the figures of the reference swing more than as many independent rows would.

Rows of one hour, of one customer or of one attack go together, and days differ. Intervals that take rows as
independent are too narrow then, and alarms come without harm. Counters know neither customers nor days, so
the recording rules widen their intervals by what the reference shows.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from minorkey.evaluation.bootstrap import row_weights, units
from minorkey.evaluation.calibration import clipped_logit
from minorkey.evaluation.implied import implied_mcc_slopes, mcc_slopes
from minorkey.evaluation.metrics import Confusion

__all__ = ["reference_design"]

Floats = npt.NDArray[np.float64]

#: A period of the reference is this share of it, and at most so many seconds.
_PERIODS, _LONGEST = 10, 7 * 86_400.0
#: What moves a figure by less than so much of a row is the rounding of numbers.
_ROUNDING = 1e-9


def reference_design(
    y: npt.ArrayLike,
    score: npt.ArrayLike,
    threshold: float,
    *,
    weight: npt.ArrayLike | None = None,
    times: npt.ArrayLike | None = None,
    entity: npt.ArrayLike | None = None,
) -> dict[str, float]:
    """Design effects of the figures that the recording rules measure.

    A design effect is a figure's variance over that of as many independent rows. Each figure is made linear
    in the rows. Its variance comes from the sums over periods (a tenth of the reference each, a week at most,
    from every row on): half the mean square of what they differ by from the period before. So a reference
    that drifted, as it has when a retune answers a drift, does not count as one that swings. Or it comes from
    the sums over entities. The larger of the two counts, and 1 if both are smaller.

    Args:
        y: shape (n,), 0 or 1.
        score: shape (n,), calibrated scores of rows that the model has not seen.
        threshold: from which on a score is called positive.
        weight: shape (n,), non-negative; None: all equal.
        times: shape (n,), seconds; None: rows without order.
        entity: shape (n,), the coarsest thing that rows belong to; None: rows.

    Returns:
        ``mcc``, ``mcc_gap`` (what is left of it beside a change of prevalence), ``precision``, ``recall``,
        ``specificity``, ``prevalence``, ``calibration_intercept`` and ``calibration_slope``; each at least
        1, and 1 where the rows do not tell.

    Source: Kish (1965), "Survey Sampling", for the design effect; Allan (1966), "Statistics of Atomic
    Frequency Standards", for differences of neighbouring periods; Liang and Zeger (1986) for sums over
    clusters.
    """
    labels, scores = np.asarray(y) == 1, np.asarray(score, np.float64)
    n = len(labels)
    own = row_weights(n, weight)
    codes = np.zeros(n, np.intp) if entity is None else units(n, entity)[0]
    length = 0
    if times is not None:
        moments = np.asarray(times, np.float64)
        length, order = _period(moments), np.argsort(moments, kind="stable")
        labels, scores, own, codes = labels[order], scores[order], own[order], codes[order]
    return {
        name: _effect(values, length, codes)
        for name, values in _influences(labels, scores, threshold, own).items()
    }


def _influences(
    y: npt.NDArray[np.bool_], score: Floats, threshold: float, weight: Floats
) -> dict[str, Floats]:
    """How much each row moves each figure, up to a factor; 0 where the figure is undefined or cannot move."""
    called = score >= threshold

    def centred(values: npt.NDArray[Any], among: npt.NDArray[np.bool_] | None = None) -> Floats:
        within = weight if among is None else weight * among
        return np.asarray(within * (values - (within * values).sum() / within.sum()))

    with np.errstate(divide="ignore", invalid="ignore"):
        cells = Confusion.of(y, called, weight)
        slopes = mcc_slopes(cells)
        prevalence = (cells.tp + cells.fn) / weight.sum()
        recall, fall_out = cells.tp / (cells.tp + cells.fn), cells.fp / (cells.fp + cells.tn)
        by_true, by_false = implied_mcc_slopes(prevalence, recall, fall_out)
        of_recall, of_fall_out = centred(called, y), centred(called, ~y)
        logit, information = clipped_logit(score), weight * score * (1 - score)
        distance = logit - (information * logit).sum() / information.sum()
        found = {
            "mcc": weight
            * weight.sum()
            * np.where(y, np.where(called, slopes.tp, slopes.fn), np.where(called, slopes.fp, slopes.tn)),
            "mcc_gap": weight.sum()
            * (by_true * of_recall / (cells.tp + cells.fn) + by_false * of_fall_out / (cells.fp + cells.tn)),
            "precision": centred(y, called),
            "recall": of_recall,
            "specificity": of_fall_out,
            "prevalence": centred(y),
            "calibration_intercept": centred(y - score),
            "calibration_slope": centred((y - score) * distance),
        }
        least = _ROUNDING * np.sqrt((weight**2).sum())
    return {
        name: values if np.linalg.norm(values) > least else np.zeros(len(y)) for name, values in found.items()
    }


def _period(times: Floats) -> int:
    """How many rows a period has; 0 where they have no order."""
    n, span = len(times), float(np.ptp(times)) if len(times) else 0.0
    return int(min(n // _PERIODS, np.ceil(n * _LONGEST / span))) if span > 0 else 0


def _effect(influence: Floats, length: int, codes: npt.NDArray[np.intp]) -> float:
    """The larger of both variances over that of independent rows, at least 1."""
    squares, n = float((influence**2).sum()), len(influence)
    if not squares:
        return 1.0
    found = [1.0]
    if length:
        sums = np.concatenate([[0.0], np.cumsum(influence)])
        periods = sums[length:] - sums[:-length]
        steps = periods[length:] - periods[:-length]
        found.append(float((steps**2).mean() / 2 / (length / n * squares)))
    if last := int(codes.max(initial=0)):
        sums = np.bincount(codes, influence, last + 1)
        found.append(float((sums**2).sum() / squares * (last + 1) / last))
    return max(found)
