"""The contract of a test whether two samples come from one distribution."""

from dataclasses import dataclass
from typing import Literal, Protocol, Self

from minorkey.drift.two_sample.sample import Sample

__all__ = ["Outcome", "Scope", "TwoSampleTest"]

#: What a test looks at: one numeric column, one categorical column, one column of either kind, or all
#: columns together.
Scope = Literal["numeric", "categorical", "column", "joint"]


@dataclass(frozen=True)
class Outcome:
    """What a test says.

    Attributes:
        statistic: the larger, the further apart; its unit is the test's own.
        p_value: probability of such a statistic, or a larger one, if nothing has changed.
    """

    statistic: float
    p_value: float


class TwoSampleTest(Protocol):
    """Compares two samples. Equal samples and seeds give equal outcomes."""

    @property
    def name(self) -> str:
        """Name in the registry and in a table."""
        ...

    @property
    def scope(self) -> Scope:
        """What the test looks at."""
        ...

    def drawing(self, draws: int) -> Self:
        """The same test, whose p-value may come from so many draws at most.

        Args:
            draws: a p-value from draws is not below 1 / (draws + 1).
        """
        ...

    def compare(self, reference: Sample, current: Sample, *, seed: int) -> Outcome:
        """Statistic and p-value.

        Args:
            reference: rows of the time when all was well.
            current: rows to judge; the same columns.
            seed: seed of everything random.

        Raises:
            ShapeError: the columns differ, or do not suit the test.
        """
        ...
