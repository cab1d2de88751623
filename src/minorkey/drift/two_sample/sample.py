"""Rows to compare: canonical features, and the rows' weights."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from minorkey.errors import ShapeError

__all__ = ["Sample"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """Rows of one period.

    Attributes:
        features: canonical columns (`minorkey.data.dataset.Feature`): float64 with NaN where missing, or
            str with "" where missing.
        weight: shape (n,), non-negative; None: all equal. Only proportions matter.
    """

    features: pd.DataFrame
    weight: Floats | None = None

    def __post_init__(self) -> None:
        if not len(self.features) or not len(self.features.columns):
            raise ShapeError(f"expected rows and columns, got shape {self.features.shape}")
        if self.weight is None:
            return
        weight = np.asarray(self.weight, np.float64)
        if weight.shape != (len(self.features),):
            raise ShapeError(f"expected {len(self.features)} weights, got shape {weight.shape}")
        if not np.isfinite(weight).all() or (weight < 0).any() or not weight.any():
            raise ShapeError("expected weights that are finite, not negative, and not all 0")

    def __len__(self) -> int:
        return len(self.features)

    @property
    def weighted(self) -> bool:
        """Whether the rows differ in weight."""
        return self.weight is not None and bool(np.ptp(self.weight) > 0)

    @cached_property
    def effective(self) -> float:
        """Kish's effective number of rows; the number of rows where they weigh the same."""
        if not self.weighted or self.weight is None:
            return float(len(self))
        return float(self.weight.sum() ** 2 / (self.weight**2).sum())

    @cached_property
    def shares(self) -> Floats:
        """Each row's share of the sample, shape (n,), summing to 1."""
        if self.weight is None:
            return np.full(len(self), 1 / len(self))
        shares: Floats = np.asarray(self.weight, np.float64) / np.sum(self.weight)
        return shares

    @property
    def categorical(self) -> bool:
        """Whether the only column holds text."""
        return self.only.dtype == object

    @property
    def only(self) -> npt.NDArray[np.float64] | npt.NDArray[np.object_]:
        """The values of the only column.

        Raises:
            ShapeError: there are several.
        """
        if len(self.features.columns) != 1:
            raise ShapeError(f"expected one column, got {list(self.features.columns)}")
        column = self.features.iloc[:, 0]
        text = column.dtype == object or isinstance(column.dtype, pd.StringDtype)
        return column.to_numpy(object) if text else column.to_numpy(np.float64)

    def column(self, name: str) -> "Sample":
        """The same rows with one column."""
        return Sample(self.features[[name]], self.weight)

    def at_most(self, rows: int, generator: np.random.Generator) -> "Sample":
        """The sample, or so many of its rows drawn without replacement, in their order."""
        if len(self) <= rows:
            return self
        return self.take(np.sort(generator.choice(len(self), rows, replace=False)))

    def take(self, positions: npt.NDArray[np.intp]) -> "Sample":
        """The rows at these positions."""
        weight = None if self.weight is None else self.weight[positions]
        if weight is not None and not weight.any():
            weight = None
        return Sample(self.features.iloc[positions], weight)
