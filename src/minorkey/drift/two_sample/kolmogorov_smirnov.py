"""Kolmogorov-Smirnov: the largest distance of two distribution functions, also with ties and weights.

A missing value counts as the smallest value, so that a change of the missing share is seen.

- Rows of equal weight, values without ties worth mentioning: Marsaglia, Tsang and Wang's distribution.
- Ties, or samples so small and so equal in size that the statistic has few values: permutations, where
  equal distances are told apart by the Cramer-von Mises statistic.
- Weights, or ties in many rows: the Gaussian process to which the difference of the two distribution
  functions converges, with the weights' own variance, is drawn at the distinct values.

Source: Hodges (1958), "The Significance Probability of the Smirnov Two-Sample Test"; van der Vaart and
Wellner (1996), "Weak Convergence and Empirical Processes", chapters 3.6 and 3.7.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import kstwo

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
        draws: permutations, or draws of the limiting process.
    """

    draws: int = 999
    name = "ks"
    scope: Scope = "numeric"

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
        if reference.weighted or current.weighted or (tied and len(values) > _PERMUTED):
            return Outcome(distance, self._drawn(signed, ends, n, m, generator))
        if len(values) <= _PERMUTED and (tied or _coarse(len(reference), len(current))):
            return Outcome(distance, self._permuted(signed, ends, generator))
        return Outcome(distance, float(kstwo.sf(distance, max(1, round(n * m / (n + m))))))

    def _permuted(self, signed: Floats, ends: Places, generator: np.random.Generator) -> float:
        mass = np.diff(ends, prepend=-1)
        distance, spread = _statistics(np.cumsum(signed)[None, ends], mass)
        shuffled = generator.permuted(np.broadcast_to(signed, (self.draws, len(signed))), axis=1)
        distances, spreads = _statistics(np.cumsum(shuffled, axis=1)[:, ends], mass)
        further = distances > distance + _EQUAL
        as_far = (np.abs(distances - distance) <= _EQUAL) & (spreads >= spread - _EQUAL)
        return (1 + int((further | as_far).sum())) / (self.draws + 1)

    def _drawn(
        self, signed: Floats, ends: Places, n: float, m: float, generator: np.random.Generator
    ) -> float:
        if len(ends) > _PLACES:
            ends = _thinned(ends, _PLACES)
        starts = np.concatenate([[0], ends[:-1] + 1])
        in_reference, in_current = np.clip(signed, 0, None), np.clip(-signed, 0, None)
        pooled = np.cumsum(n * in_reference + m * in_current)[ends] / (n + m)
        deviation = np.sqrt(np.add.reduceat(signed**2, starts))
        observed = np.abs(np.cumsum(signed)[ends]).max()
        paths = np.cumsum(generator.standard_normal((self.draws, len(ends))) * deviation, axis=1)
        suprema = np.abs(paths - pooled * paths[:, -1:]).max(axis=1)
        return (1 + int((suprema >= observed - _EQUAL).sum())) / (self.draws + 1)


def _statistics(paths: Floats, mass: Places) -> tuple[Floats, Floats]:
    """Kolmogorov-Smirnov and Cramer-von Mises statistics of differences of distribution functions."""
    return np.abs(paths).max(axis=1), paths**2 @ mass / mass.sum()


def _coarse(n: int, m: int) -> bool:
    return math.sqrt(n * m / (n + m)) / math.lcm(n, m) > _COARSE


def _thinned(ends: Places, places: int) -> Places:
    """About so many of the ends, evenly over the rows; the last one stays."""
    rows = ends[-1] + 1
    wanted = np.searchsorted(ends, np.arange(1, places + 1) * rows // places - 1)
    return ends[np.unique(wanted)]
