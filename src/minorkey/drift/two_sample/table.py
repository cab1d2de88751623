"""Two samples counted in the same bins, and what chance alone would count there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from minorkey.bundle.reference import assign_bins, bin_entry
from minorkey.drift.two_sample.sample import Sample

__all__ = ["Table", "bins_of"]

Floats = npt.NDArray[np.float64]


def bins_of(reference: Sample, bins: int = 10) -> dict[str, Any]:
    """An entry of the reference profile for the only column of a sample.

    Args:
        reference: rows that the bins are quantiles of.
        bins: about how many there are, for numbers.

    Raises:
        ShapeError: there are several columns.
    """
    return bin_entry(reference.only, bins)


@dataclass(frozen=True)
class Table:
    """Counts in bins, scaled to the samples' effective sizes. Bins that nobody is in are left in.

    Attributes:
        reference: shape (bins,), counts of the reference.
        current: shape (bins,), counts of the current rows.
        units: shape (2, bins), what one effective row of each sample counts in each bin: 1 without weights.
        weighted: whether rows differ in weight.
    """

    reference: Floats
    current: Floats
    units: Floats
    weighted: bool

    @classmethod
    def of(cls, entry: Mapping[str, Any], reference: Sample, current: Sample) -> Self:
        """The samples' only columns in the bins of an entry of a reference profile."""
        bins, known = len(entry["bins"]), dict(entry)
        places = assign_bins(known, reference.only), assign_bins(known, current.only)
        return cls.counted(places, bins, reference, current)

    @classmethod
    def counted(
        cls,
        places: tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]],
        bins: int,
        reference: Sample,
        current: Sample,
    ) -> Self:
        """Rows whose bins are known, by position."""
        in_reference, in_current = places
        return cls(
            _counts(in_reference, bins, reference),
            _counts(in_current, bins, current),
            np.array([_units(in_reference, bins, reference), _units(in_current, bins, current)]),
            reference.weighted or current.weighted,
        )

    @property
    def sizes(self) -> tuple[float, float]:
        """Effective numbers of rows."""
        return float(self.reference.sum()), float(self.current.sum())

    @property
    def pooled(self) -> Floats:
        """Fractions of both samples together, shape (bins,)."""
        both = self.reference + self.current
        fractions: Floats = both / both.sum()
        return fractions

    def null(self, draws: int, generator: np.random.Generator) -> tuple[Floats, Floats]:
        """Counts of two samples from the pooled distribution, each of shape (draws, bins).

        Rows of equal weight are permuted. Rows that differ in weight are drawn bin by bin from Poisson
        distributions with the variance that the weights have in that bin.
        """
        if not self.weighted:
            both = np.rint(self.reference + self.current).astype(np.int64)
            chosen = generator.multivariate_hypergeometric(both, round(self.sizes[1]), draws)
            return (both - chosen).astype(np.float64), chosen.astype(np.float64)
        drawn = []
        for size, unit in zip(self.sizes, self.units, strict=True):
            counts = generator.poisson(self.pooled * size / unit, (draws, len(unit))) * unit
            totals = np.maximum(counts.sum(axis=1, keepdims=True), np.finfo(float).tiny)
            drawn.append(counts * size / totals)
        return drawn[0], drawn[1]

    def fractions(self) -> tuple[Floats, Floats]:
        """Fractions of the reference and of the current rows, not smoothed."""
        n, m = self.sizes
        return self.reference / n, self.current / m


def _counts(places: npt.NDArray[np.intp], bins: int, sample: Sample) -> Floats:
    return np.asarray(np.bincount(places, sample.shares, bins) * sample.effective, np.float64)


def _units(places: npt.NDArray[np.intp], bins: int, sample: Sample) -> Floats:
    if not sample.weighted:
        return np.ones(bins)
    scaled = sample.shares * sample.effective
    squares, sums = np.bincount(places, scaled**2, bins), np.bincount(places, scaled, bins)
    overall = float((scaled**2).sum() / scaled.sum())
    return np.divide(squares, sums, out=np.full(bins, overall), where=sums > 0)
