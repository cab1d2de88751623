"""The Matthews correlation that known rates imply at a prevalence, and how sure a measured one is.

A change of prevalence alone moves the Matthews correlation. Whether a model has decayed is therefore
judged against what its own true and false positive rates give at today's prevalence.
"""

import numpy as np

from minorkey.evaluation.metrics import Confusion
from minorkey.evaluation.ranking import Floats

__all__ = ["implied_mcc", "implied_mcc_slopes", "implied_mcc_variance", "mcc_slopes", "mcc_variance"]


def implied_mcc(prevalence: Floats | float, true_positive: float, false_positive: float) -> Floats:
    """Matthews correlation of a classifier with these rates.

    Args:
        prevalence: share of positives, strictly between 0 and 1.
        true_positive: share of positives that are called positive.
        false_positive: share of negatives that are called positive.
    """
    called, spread = _called(prevalence, true_positive, false_positive)
    return np.asarray((true_positive - false_positive) * spread / np.sqrt(called * (1 - called)))


def implied_mcc_variance(
    prevalence: Floats | float,
    true_positive: float,
    false_positive: float,
    true_positive_variance: float,
    false_positive_variance: float,
) -> Floats:
    """Variance of `implied_mcc` from that of the two rates, by the delta method."""
    by_true, by_false = implied_mcc_slopes(prevalence, true_positive, false_positive)
    return np.asarray(by_true**2 * true_positive_variance + by_false**2 * false_positive_variance)


def implied_mcc_slopes(
    prevalence: Floats | float, true_positive: Floats | float, false_positive: Floats | float
) -> tuple[Floats, Floats]:
    """Derivatives of `implied_mcc` by the true and by the false positive rate."""
    called, spread = _called(prevalence, true_positive, false_positive)
    v = called * (1 - called)
    curve = (true_positive - false_positive) * (1 - 2 * called) / (2 * v**1.5)
    return (
        np.asarray(spread * (1 / np.sqrt(v) - curve * prevalence)),
        np.asarray(spread * (-1 / np.sqrt(v) - curve * (1 - np.asarray(prevalence)))),
    )


def mcc_variance(confusion: Confusion, squares: Confusion) -> Floats:
    """Variance of the Matthews correlation of weighted counts, by the delta method.

    Args:
        confusion: sums of weights.
        squares: sums of squared weights, equal to ``confusion`` where every weight is 1.

    Returns:
        0 where a margin is empty: the correlation is 0 then whichever rows come.

    Source: Bishop, Fienberg and Holland (1975), "Discrete Multivariate Analysis", chapter 14.
    """
    slopes = mcc_slopes(confusion)
    return np.asarray(
        slopes.tp**2 * squares.tp
        + slopes.fp**2 * squares.fp
        + slopes.fn**2 * squares.fn
        + slopes.tn**2 * squares.tn
    )


def mcc_slopes(confusion: Confusion) -> Confusion:
    """What one more row in a cell adds to the Matthews correlation; 0 where a margin is empty."""
    tp, fp, fn, tn = confusion.tp, confusion.fp, confusion.fn, confusion.tn
    called, actual, refused, clean = tp + fp, tp + fn, tn + fn, tn + fp
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.sqrt(called * actual) * np.sqrt(clean * refused)
        half = (tp * tn - fp * fn) / scale / 2
        slopes = {
            "tp": tn / scale - half * (1 / called + 1 / actual),
            "fp": -fn / scale - half * (1 / called + 1 / clean),
            "fn": -fp / scale - half * (1 / actual + 1 / refused),
            "tn": tp / scale - half * (1 / clean + 1 / refused),
        }
    return Confusion(**{cell: np.where(scale > 0, slope, 0.0) for cell, slope in slopes.items()})


def _called(
    prevalence: Floats | float, true_positive: Floats | float, false_positive: Floats | float
) -> tuple[Floats, Floats]:
    share = np.asarray(prevalence, np.float64)
    called = share * true_positive + (1 - share) * false_positive
    return called, np.sqrt(share * (1 - share))
