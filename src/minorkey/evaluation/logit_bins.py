"""Calibration from counts: outcomes by bins of the score's log-odds, and the fit that they allow.

Serving imports this module: nothing but NumPy.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from minorkey.errors import ContractError, ShapeError

__all__ = [
    "LOGIT_BINS",
    "LOGIT_CENTRES",
    "Recalibration",
    "fit_logit_bins",
    "logit_bin_place",
    "logit_bin_places",
]

Floats = npt.NDArray[np.float64]

_WIDTH, _START, _END, _CLIP = 0.5, -16.0, 10.0, 1e-7
#: Log-odds in the middle of each bin; values beyond the ends count in the outermost bins. They reach down to
#: one in ten million: where positives are one in ten thousand, most rows have scores far below.
LOGIT_CENTRES: Floats = np.arange(_START + _WIDTH / 2, _END, _WIDTH)
#: Names of the bins, as labels have them.
LOGIT_BINS = tuple(f"{centre:.2f}" for centre in LOGIT_CENTRES)

_STEPS = 50
_TOLERANCE = 1e-12


@dataclass(frozen=True)
class Recalibration:
    """How far the scores are from calibrated; intercept 0 and slope 1 are perfect.

    Attributes:
        intercept: shift of the log-odds, with the slope held at 1.
        intercept_variance: its variance.
        slope: factor of the log-odds, fitted with an intercept of its own; NaN where the scores do not
            differ enough to tell.
        slope_variance: its variance.
    """

    intercept: float
    intercept_variance: float
    slope: float
    slope_variance: float


def logit_bin_places(scores: npt.ArrayLike) -> npt.NDArray[np.intp]:
    """Position among `LOGIT_BINS` of every score, shape (n,).

    Args:
        scores: shape (n,), calibrated probabilities.
    """
    clipped = np.clip(np.asarray(scores, np.float64), _CLIP, 1 - _CLIP)
    logit = np.log(clipped) - np.log1p(-clipped)
    place = np.floor((logit - _START) / _WIDTH).astype(np.intp)
    return np.asarray(np.clip(place, 0, len(LOGIT_BINS) - 1))


def logit_bin_place(score: float) -> int:
    """Position among `LOGIT_BINS` of one score, by plain Python, which is faster for it."""
    clipped = min(max(_CLIP, score), 1 - _CLIP)
    logit = math.log(clipped) - math.log1p(-clipped)
    return min(max(math.floor((logit - _START) / _WIDTH), 0), len(LOGIT_BINS) - 1)


def fit_logit_bins(
    negatives: npt.ArrayLike, positives: npt.ArrayLike, design_effect: float = 1.0
) -> Recalibration:
    """Calibration intercept and slope by maximum likelihood, every row at its bin's centre.

    Args:
        negatives: shape (bins,), weighted rows whose outcome was negative.
        positives: shape (bins,), weighted rows whose outcome was positive.
        design_effect: by how much weights enlarge the variances.

    Raises:
        ShapeError: not one number for each of `LOGIT_BINS`.
        ContractError: a class is absent.

    Source: Cox (1958), "Two Further Applications of a Model for Binary Regression"; van Calster et al.
    (2016) for what intercept and slope mean.
    """
    bad, good = np.asarray(negatives, np.float64), np.asarray(positives, np.float64)
    if bad.shape != LOGIT_CENTRES.shape or good.shape != LOGIT_CENTRES.shape:
        raise ShapeError(f"expected {len(LOGIT_BINS)} counts each, got {bad.shape} and {good.shape}")
    if not (bad.sum() > 0 and good.sum() > 0):
        raise ContractError("expected outcomes of both classes")
    rows, x = bad + good, LOGIT_CENTRES
    promised = (rows * _sigmoid(x)).sum()
    intercept = np.log(good.sum() / bad.sum()) - np.log(promised / (rows.sum() - promised))
    information = 0.0
    for _ in range(_STEPS):
        p = _sigmoid(intercept + x)
        information = float((rows * p * (1 - p)).sum())
        step = (good.sum() - (rows * p).sum()) / information
        intercept += step
        if abs(step) < _TOLERANCE:
            break
    slope, variance = _slope(rows, good, float(intercept))
    return Recalibration(float(intercept), design_effect / information, slope, design_effect * variance)


def _slope(rows: Floats, good: Floats, intercept: float) -> tuple[float, float]:
    x, beta = LOGIT_CENTRES, np.array([intercept, 1.0])
    if np.count_nonzero(rows) < 2:
        return np.nan, np.nan
    design = np.column_stack([np.ones_like(x), x])
    for _ in range(_STEPS):
        p = _sigmoid(design @ beta)
        information = design.T @ (design * (rows * p * (1 - p))[:, None])
        if not np.linalg.cond(information) < 1e12:
            return np.nan, np.nan
        step = np.linalg.solve(information, design.T @ (good - rows * p))
        beta = beta + step
        if np.abs(step).max() < _TOLERANCE:
            break
    return float(beta[1]), float(np.linalg.inv(information)[1, 1])


def _sigmoid(value: npt.ArrayLike) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.asarray(value, np.float64))))
