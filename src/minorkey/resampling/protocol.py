"""The contract of a resampler."""

from typing import Any, Protocol

from optuna.distributions import BaseDistribution

from minorkey.data.dataset import Labels
from minorkey.models.family import Facts, Matrix

__all__ = ["Resampler"]


class Resampler(Protocol):
    """Changes the class balance of a fold's training rows, and of nothing else."""

    @property
    def name(self) -> str:
        """Name in the registry and in a configuration."""
        ...

    @property
    def deterministic(self) -> bool:
        """Whether the result does not depend on the seed."""
        ...

    def applies(self, facts: Facts) -> bool:
        """Whether the resampler suits the data: kinds of columns, number of rows, no row weights."""
        ...

    def space(self, facts: Facts) -> dict[str, BaseDistribution]:
        """The search space: parameter name to Optuna distribution."""
        ...

    def resample(
        self,
        x: Matrix,
        y: Labels,
        categorical: tuple[tuple[int, int], ...],
        params: dict[str, Any],
        *,
        seed: int,
    ) -> tuple[Matrix, Labels]:
        """The resampled training rows.

        Args:
            x: shape (n, p), finite.
            y: shape (n,), 1 for the rare class.
            categorical: (column, levels) of each ordinal-coded column. Categories come as codes, whatever
                the model family wants to see of them.
            params: one value for every key of `space`.
            seed: seed of everything random.

        Returns:
            Rows and labels. Rows that are kept are bit for bit those of `x`.
        """
        ...
