"""Kolmogorov-Smirnov: the largest distance of two distribution functions, also with ties and weights.

A missing value counts as the smallest value, so that a change of the missing share is seen.

- Rows of equal weight, values without ties worth mentioning: Marsaglia, Tsang and Wang's distribution.
- Ties, or samples so small and so equal in size that the statistic has few values: permutations, where
  equal distances are told apart by the Cramer-von Mises statistic.
- Weights, or ties in many rows: the Gaussian process to which the difference of the two distribution
  functions converges, with the weights' own variance, is drawn at the distinct values.

Ties make large distances rarer: where rows weigh the same, the distribution without ties bounds the p-value,
and is its value where the draws are too few to come to it.

Source: Hodges (1958), "The Significance Probability of the Smirnov Two-Sample Test"; van der Vaart and
Wellner (1996), "Weak Convergence and Empirical Processes", chapters 3.6 and 3.7.
"""

import math
import warnings
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.stats import ks_2samp, kstwo

from minorkey.drift.two_sample.drawing import Bools, drawn_p_value
from minorkey.drift.two_sample.protocol import Outcome, Scope
from minorkey.drift.two_sample.sample import Sample
from minorkey.errors import ShapeError

__all__ = ["KolmogorovSmirnov"]

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

#: A value that so large a share of the rows has is a tie worth mentioning.
_TIE = 0.01
#: Steps of the scaled statistic above this make its p-values coarse (1,250 and 1,250 rows).
_COARSE = 0.02
#: Most rows of both samples together that are permuted.
_PERMUTED = 4_000
#: Most places at which the limiting process is drawn.
_PLACES = 512
_EQUAL = 1e-12


@dataclass(frozen=True)
class KolmogorovSmirnov:
    """For one numeric column. The statistic is the distance, 0 to 1.

    Attributes:
        draws: permutations, or draws of the limiting process, at most.
    """

    draws: int = 999
    name = "ks"
    scope: Scope = "numeric"

    def drawing(self, draws: int) -> Self:
        """See `TwoSampleTest.drawing`."""
        return replace(self, draws=draws)

    def compare(self, reference: Sample, current: Sample, *, seed: int) -> Outcome:
        """See `TwoSampleTest.compare`."""
        if reference.categorical or current.categorical:
            raise ShapeError("expected numbers, got a categorical column")
        values = np.concatenate([reference.only, current.only]).astype(np.float64)
        values[np.isnan(values)] = -np.inf
        order = np.argsort(values, kind="stable")
        signed = np.concatenate([reference.shares, -current.shares])[order]
        ends = np.flatnonzero(np.append(values[order][1:] != values[order][:-1], True))
        distance = float(np.abs(np.cumsum(signed)[ends]).max())
        n, m = reference.effective, current.effective
        generator = np.random.default_rng(seed)
        tied = np.diff(ends, prepend=-1).max() > max(1, _TIE * len(values))
        if len(ends) == 1:
            return Outcome(0.0, 1.0)
        if reference.weighted or current.weighted:
            return Outcome(distance, self._drawn(signed, ends, n, m, generator, 1.0))
        if len(values) <= _PERMUTED and (tied or _coarse(len(reference), len(current))):
            exact = _without_ties(values[: len(reference)], values[len(reference) :])
            return Outcome(distance, self._permuted(signed, ends, generator, exact))
        closed = float(kstwo.sf(distance, max(1, round(n * m / (n + m)))))
        return Outcome(distance, self._drawn(signed, ends, n, m, generator, closed) if tied else closed)

    def _permuted(self, signed: Floats, ends: Places, generator: np.random.Generator, bound: float) -> float:
        mass = np.diff(ends, prepend=-1)
        distance, spread = _statistics(np.cumsum(signed)[None, ends], mass)

        def reach(number: int) -> Bools:
            shuffled = generator.permuted(np.broadcast_to(signed, (number, len(signed))), axis=1)
            distances, spreads = _statistics(np.cumsum(shuffled, axis=1)[:, ends], mass)
            further = distances > distance + _EQUAL
            as_far = (np.abs(distances - distance) <= _EQUAL) & (spreads >= spread - _EQUAL)
            return np.asarray(further | as_far)

        return drawn_p_value(reach, self.draws, bound=bound)

    def _drawn(
        self, signed: Floats, ends: Places, n: float, m: float, generator: np.random.Generator, bound: float
    ) -> float:
        if len(ends) > _PLACES:
            ends = _thinned(ends, _PLACES)
        starts = np.concatenate([[0], ends[:-1] + 1])
        in_reference, in_current = np.clip(signed, 0, None), np.clip(-signed, 0, None)
        pooled = np.cumsum(n * in_reference + m * in_current)[ends] / (n + m)
        deviation = np.sqrt(np.add.reduceat(signed**2, starts))
        observed = np.abs(np.cumsum(signed)[ends]).max()

        def reach(number: int) -> Bools:
            paths = np.cumsum(generator.standard_normal((number, len(ends))) * deviation, axis=1)
            return np.asarray(np.abs(paths - pooled * paths[:, -1:]).max(axis=1) >= observed - _EQUAL)

        return drawn_p_value(reach, self.draws, bound=bound)


def _statistics(paths: Floats, mass: Places) -> tuple[Floats, Floats]:
    """Kolmogorov-Smirnov and Cramer-von Mises statistics of differences of distribution functions."""
    return np.abs(paths).max(axis=1), paths**2 @ mass / mass.sum()


def _without_ties(reference: Floats, current: Floats) -> float:
    """How often permutations of rows without ties come to the distance of these rows."""
    with warnings.catch_warnings():
        # Rounding makes some probabilities of 1 a little more, whereupon SciPy takes the approximate one.
        warnings.filterwarnings("ignore", "ks_2samp: Exact calculation unsuccessful", RuntimeWarning)
        return float(ks_2samp(reference, current, method="exact").pvalue)


def _coarse(n: int, m: int) -> bool:
    return math.sqrt(n * m / (n + m)) / math.lcm(n, m) > _COARSE


def _thinned(ends: Places, places: int) -> Places:
    """About so many of the ends, evenly over the rows; the last one stays."""
    rows = ends[-1] + 1
    wanted = np.searchsorted(ends, np.arange(1, places + 1) * rows // places - 1)
    return ends[np.unique(wanted)]
