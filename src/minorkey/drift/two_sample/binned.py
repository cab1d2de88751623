"""What the tests on the bins of a reference profile have in common."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from minorkey.drift.two_sample.drawing import Bools, drawn_p_value
from minorkey.drift.two_sample.protocol import Outcome, Scope
from minorkey.drift.two_sample.sample import Sample
from minorkey.drift.two_sample.table import Table, bins_of

__all__ = ["Binned"]

Floats = npt.NDArray[np.float64]
_EQUAL = 1e-9


@dataclass(frozen=True)
class Binned(ABC):
    """A divergence of two samples counted in the same bins, with p-values from what chance counts there.

    Attributes:
        entry: the bins, as a reference profile has them; None: quantiles or levels of the reference.
        bins: how many quantile bins, without an entry.
        draws: pairs of samples drawn, for the p-value at most.
    """

    entry: Mapping[str, Any] | None = None
    bins: int = 10
    draws: int = 999
    scope: ClassVar[Scope] = "column"

    @abstractmethod
    def divergence(self, reference: Floats, current: Floats) -> Floats:
        """The statistic of counts of shape (..., bins)."""

    def drawing(self, draws: int) -> Self:
        """See `TwoSampleTest.drawing`."""
        return replace(self, draws=draws)

    def compare(self, reference: Sample, current: Sample, *, seed: int) -> Outcome:
        """See `TwoSampleTest.compare`."""
        table = self.table(reference, current)
        statistic = float(self.divergence(table.reference, table.current))
        generator = np.random.default_rng(seed)

        def reach(number: int) -> Bools:
            return np.asarray(self.divergence(*table.null(number, generator)) >= statistic - _EQUAL)

        return Outcome(statistic, drawn_p_value(reach, self.draws))

    def table(self, reference: Sample, current: Sample) -> Table:
        """Both samples in the bins."""
        return Table.of(self.entry or bins_of(reference, self.bins), reference, current)

    def null_quantile(self, table: Table, level: float, *, seed: int) -> float:
        """What the statistic stays below with probability ``level`` if nothing has changed."""
        drawn = self.divergence(*table.null(self.draws, np.random.default_rng(seed)))
        return float(np.quantile(drawn, level))
