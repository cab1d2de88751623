"""The recording rules and the statistical alerts over arrays of counts, by the library's own functions.

`tests/monitoring/test_benchmarks.py` holds the figures against those that promtool holds the rules against,
and the conditions against the alerts' expressions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from minorkey.bundle.null_quantiles import STATISTICS
from minorkey.drift.divergences import smoothed
from minorkey.evaluation.implied import implied_mcc, implied_mcc_variance, mcc_variance
from minorkey.evaluation.logit_bins import LOGIT_CENTRES
from minorkey.evaluation.metrics import Confusion, matthews_corrcoef

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

Z = 1.959963984540054
#: Newton's steps of the rules for the intercept, and then for the slope.
_STEPS = (5, 7)
#: Design effects of a reference whose rows are independent.
INDEPENDENT = dict.fromkeys(
    ("mcc", "mcc_gap", "prevalence", "calibration_intercept", "calibration_slope"), 1.0
)


@dataclass(frozen=True)
class Bound:
    """A figure and its standard error, each of shape (...,)."""

    value: Floats
    error: Floats

    def low(self, z: float = Z) -> Floats:
        return self.value - z * self.error

    def high(self, z: float = Z) -> Floats:
        return self.value + z * self.error


@dataclass(frozen=True)
class Measured:
    """Figures of mature outcomes in a window; NaN where there are fewer positives than the rules want.

    Attributes:
        mcc: Matthews correlation.
        gap: measured less implied Matthews correlation.
        prevalence: share of positives.
        rows: effective rows that it rests on.
        intercept: calibration intercept.
        slope: calibration slope.
    """

    mcc: Bound
    gap: Bound
    prevalence: Floats
    rows: Floats
    intercept: Bound
    slope: Bound

    def prevalence_low(self, z: float = Z) -> Floats:
        return _wilson(self.prevalence, self.rows, -z)

    def prevalence_high(self, z: float = Z) -> Floats:
        return _wilson(self.prevalence, self.rows, z)


def measured(
    outcome: Floats,
    logits: Floats,
    rates: Mapping[str, Floats | float],
    fewest: int,
    design: Mapping[str, float] = INDEPENDENT,
) -> Measured:
    """Figures of rows of weight 1.

    Args:
        outcome: shape (..., 2, 2), by decision and outcome.
        logits: shape (..., bins, 2), by bin of the score's log-odds and outcome.
        rates: the reference's, as a bundle has them; each a number or of shape (...,).
        fewest: positives below which there are no figures.
        design: the reference's design effects, as a bundle has them.
    """
    known = outcome[..., 1].sum(axis=-1) >= fewest
    table = np.where(known[..., None, None], outcome, np.nan)
    cells = Confusion(table[..., 1, 1], table[..., 1, 0], table[..., 0, 1], table[..., 0, 0])
    rows = table.sum(axis=(-1, -2))
    prevalence = table[..., 1].sum(axis=-1) / rows
    with np.errstate(divide="ignore", invalid="ignore"):
        mcc = np.where(known, matthews_corrcoef(cells), np.nan)
        variance = np.where(known, mcc_variance(cells, cells), np.nan)
    true, false = rates["true_positive"], rates["false_positive"]
    own = implied_mcc_variance(
        prevalence, true, false, rates["true_positive_variance"], rates["false_positive_variance"]
    )
    gap = mcc - implied_mcc(prevalence, true, false)
    intercept, slope = _calibration(logits, known)
    return Measured(
        Bound(mcc, np.sqrt(design["mcc"] * variance)),
        Bound(gap, np.sqrt(design["mcc_gap"] * variance + own)),
        prevalence,
        rows / design["prevalence"],
        Bound(intercept.value, np.sqrt(design["calibration_intercept"]) * intercept.error),
        Bound(slope.value, np.sqrt(design["calibration_slope"]) * slope.error),
    )


def standardised(
    counts: Floats, entry: Mapping[str, Any], profile: Mapping[str, Any], statistic: str = "psi"
) -> tuple[Floats, Floats]:
    """The figure of one feature or of the score, and the one that is 1 at its null's upper quantile.

    Args:
        counts: shape (..., bins), of one window.
        entry: of the feature or score in the reference profile.
        profile: the whole of it.
        statistic: ``psi`` or ``jensen_shannon``.
    """
    reference = smoothed(np.asarray(entry["fractions"]) * profile["rows"])
    value = STATISTICS[statistic](reference, smoothed(counts))
    quantiles = np.asarray(entry["null"][statistic])[window_of(counts.sum(axis=-1), profile)]
    low, high = quantiles[..., 0], quantiles[..., 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        return value, np.where(high > low, (value - low) / (high - low), np.nan)


def window_of(rows: Floats, profile: Mapping[str, Any]) -> npt.NDArray[np.intp]:
    """Place of the largest window of the null quantiles that so many rows fill."""
    return np.maximum(np.searchsorted(profile["null"]["windows"], rows, side="right") - 1, 0)


@dataclass(frozen=True)
class Drift:
    """Figures of features and score in a window, each of shape (...,).

    Attributes:
        standardised: the largest over the features.
        null_upper: what chance takes that one to, 99 times in 100.
        psi: the largest index over the features.
        score: of the score, standardised.
        score_psi: its index.
    """

    standardised: Floats
    null_upper: Floats
    psi: Floats
    score: Floats
    score_psi: Floats


def drift(
    features: Mapping[str, Floats], score: Floats, profile: Mapping[str, Any], statistic: str = "psi"
) -> Drift:
    """The global figure and the score's; all windows hold at least as many rows as the rules want.

    Args:
        features: by name, shape (..., bins), counts of one window.
        score: shape (..., bins).
        profile: the reference profile.
        statistic: what the figure rests on; the index is always PSI.
    """
    named = profile["features"]
    each = [standardised(counts, named[name], profile, statistic)[1] for name, counts in features.items()]
    psi = [standardised(counts, named[name], profile)[0] for name, counts in features.items()]
    largest = np.asarray(profile["null"]["largest"][statistic])[window_of(score.sum(axis=-1), profile)]
    return Drift(
        np.nanmax(each, axis=0),
        largest[..., 1],
        np.max(psi, axis=0),
        standardised(score, profile["score"], profile, statistic)[1],
        standardised(score, profile["score"], profile)[0],
    )


def firing(condition: Bools, looks: int) -> Bools:
    """Whether an alert fires at each look: its condition held at this one and the `looks` before it.

    Args:
        condition: shape (..., looks).
        looks: how often ``for`` holds the time between two looks.
    """
    fires = condition.copy()
    for back in range(1, looks + 1):
        fires[..., back:] &= condition[..., :-back]
        fires[..., :back] = False
    return fires


def starts(fires: Bools) -> Bools:
    """The looks at which an alert begins to fire."""
    began = fires.copy()
    began[..., 1:] &= ~fires[..., :-1]
    return began


def _calibration(logits: Floats, known: Bools) -> tuple[Bound, Bound]:
    """As `fit_logit_bins` of the library, many at once and with the rules' number of steps."""
    shape = known.shape
    value, error = (np.full((2, known.size), np.nan) for _ in range(2))
    flat = logits.reshape(-1, *logits.shape[-2:])
    for part in np.array_split(np.flatnonzero(known.ravel()), max(1, known.size // 20_000)):
        if len(part):
            value[:, part], error[:, part] = _fitted(flat[part])
    return tuple(Bound(value[one].reshape(shape), error[one].reshape(shape)) for one in (0, 1))


def _fitted(logits: Floats) -> tuple[Floats, Floats]:
    rows, good = logits.sum(axis=2), logits[:, :, 1].sum(axis=1)
    x, bad = LOGIT_CENTRES, rows.sum(axis=1) - good
    promised = rows @ (1 / (1 + np.exp(-x)))
    with np.errstate(all="ignore"):
        a = np.log(good / bad) - np.log(promised / (rows.sum(axis=1) - promised))
        for step in range(_STEPS[0] + 1):
            p = 1 / (1 + np.exp(-(a[:, None] + x)))
            information = (rows * p * (1 - p)).sum(axis=1)
            if step < _STEPS[0]:
                a = a + (good - (rows * p).sum(axis=1)) / information
        offset, slope = a, np.ones_like(a)
        for step in range(_STEPS[1] + 1):
            p = 1 / (1 + np.exp(-(offset[:, None] + slope[:, None] * x)))
            w = rows * p * (1 - p)
            i00, i01, i11 = w.sum(axis=1), w @ x, w @ x**2
            det = i00 * i11 - i01**2
            det = np.where(det > 1e-9, det, np.nan)
            if step < _STEPS[1]:
                u0, u1 = good - (rows * p).sum(axis=1), (logits[:, :, 1] - rows * p) @ x
                offset, slope = (
                    offset + (i11 * u0 - i01 * u1) / det,
                    slope + (i00 * u1 - i01 * u0) / det,
                )
        return np.array([a, slope]), np.sqrt(np.array([1 / information, i00 / det]))


def _wilson(value: Floats, rows: Floats, z: float) -> Floats:
    half = z * np.sqrt(value * (1 - value) / rows + z**2 / (4 * rows**2))
    return (value + z**2 / (2 * rows) + half) / (1 + z**2 / rows)
