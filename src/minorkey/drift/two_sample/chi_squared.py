"""Pearson's chi-squared test of homogeneity, for one categorical column.

Where every level is expected five times in both samples and rows weigh the same, the p-value is that of
the chi-squared distribution; else rows are permuted, or drawn with the variance of their weights.

Source: Pearson (1900); Cochran (1954), "Some Methods for Strengthening the Common Chi-Squared Tests".
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import chi2

from minorkey.drift.two_sample.drawing import Bools, drawn_p_value
from minorkey.drift.two_sample.protocol import Outcome, Scope
from minorkey.drift.two_sample.sample import Sample
from minorkey.drift.two_sample.table import Table
from minorkey.errors import ShapeError

__all__ = ["ChiSquared"]

Floats = npt.NDArray[np.float64]

#: Levels beyond the most frequent ones are counted together.
_MOST_LEVELS = 200
_LEAST_EXPECTED = 5
_EQUAL = 1e-9


@dataclass(frozen=True)
class ChiSquared:
    """For one categorical column; a missing value is a level. The statistic is Pearson's.

    Attributes:
        draws: permutations or draws at most, where some level is too rare for the closed form.
    """

    draws: int = 999
    name = "chi2"
    scope: Scope = "categorical"

    def drawing(self, draws: int) -> Self:
        """See `TwoSampleTest.drawing`."""
        return replace(self, draws=draws)

    def compare(self, reference: Sample, current: Sample, *, seed: int) -> Outcome:
        """See `TwoSampleTest.compare`."""
        if not (reference.categorical and current.categorical):
            raise ShapeError("expected categories, got numbers")
        table = _levels(reference, current)
        if len(table.reference) == 1:
            return Outcome(0.0, 1.0)
        statistic = float(_pearson(table.reference, table.current))
        rarest = table.pooled.min() * min(table.sizes)
        if not table.weighted and rarest >= _LEAST_EXPECTED:
            return Outcome(statistic, float(chi2.sf(statistic, len(table.reference) - 1)))
        generator = np.random.default_rng(seed)

        def reach(number: int) -> Bools:
            return np.asarray(_pearson(*table.null(number, generator)) >= statistic * (1 - _EQUAL))

        return Outcome(statistic, drawn_p_value(reach, self.draws))


def _levels(reference: Sample, current: Sample) -> Table:
    codes, levels = pd.factorize(np.concatenate([reference.only, current.only]))
    counts = np.bincount(codes, minlength=len(levels))
    rank = np.empty(len(levels), np.intp)
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(levels))
    places = np.minimum(rank[codes], _MOST_LEVELS)
    at = places[: len(reference)], places[len(reference) :]
    table = Table.counted(at, int(places.max()) + 1, reference, current)
    seen = (table.reference + table.current) > 0
    return Table(table.reference[seen], table.current[seen], table.units[:, seen], table.weighted)


def _pearson(reference: Floats, current: Floats) -> Floats:
    """Pearson's statistic of counts of shape (..., bins)."""
    n, m = reference.sum(axis=-1, keepdims=True), current.sum(axis=-1, keepdims=True)
    pooled = (reference + current) / (n + m)
    squared = (reference / n - current / m) ** 2
    terms = np.divide(squared, pooled, out=np.zeros(squared.shape), where=pooled > 0)
    statistic: Floats = terms.sum(axis=-1) / (1 / n + 1 / m)[..., 0]
    return statistic
