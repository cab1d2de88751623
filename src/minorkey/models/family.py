"""The contract of a model family. A new family is one file that provides one `ModelFamily`."""

from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
import onnx
from optuna.distributions import BaseDistribution

from minorkey.data.dataset import Labels, Scores

__all__ = ["Encoding", "Facts", "FittedModel", "Matrix", "ModelFamily"]

Matrix = npt.NDArray[np.float32]
Weights = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Facts:
    """What a search space may depend on: known before any fit, from the training rows alone."""

    rows: int
    positives: int
    numeric: int
    categorical: int
    #: Whether rows carry differing weights: families without weight support leave the space.
    weighted: bool = False
    cores: int = 1


@dataclass(frozen=True)
class Encoding:
    """What a family wants to see of the columns.

    Attributes:
        scale: standardise numeric columns. Never before trees: a split must see the raw float32.
        categorical: "onehot", or "ordinal" (codes by first appearance in sorted order; the target is
            never used), which makes one column of each category.
    """

    scale: bool
    categorical: Literal["onehot", "ordinal"]


class FittedModel(Protocol):
    """A model that has been fitted on the float32 matrix of a fold."""

    def score(self, features: Matrix) -> Scores:
        """Score of every row, shape (n,), in [0, 1]; higher is more likely positive."""
        ...

    def to_onnx(self) -> onnx.ModelProto:
        """The model as a graph from ``features`` (float, [N, p]) to ``score`` (float, [N])."""
        ...


class ModelFamily(Protocol):
    """One kind of model: its space, its portfolio and how it is fitted."""

    name: str
    resource: Literal["cpu", "gpu"]
    encoding: Encoding
    #: Whether `fit` honours row weights.
    weights: bool

    def space(self, facts: Facts) -> dict[str, BaseDistribution]:
        """The search space: parameter name to Optuna distribution."""
        ...

    def portfolio(self, facts: Facts) -> list[dict[str, Any]]:
        """Configurations known to be strong, best first; each value lies inside `space`."""
        ...

    def fit(
        self,
        features: Matrix,
        y: Labels,
        weight: Weights,
        params: dict[str, Any],
        *,
        seed: int,
        threads: int = 1,
        categorical: tuple[tuple[int, int], ...] = (),
    ) -> FittedModel:
        """Fit on the training rows of one fold.

        Args:
            features: shape (n, p), as `encoding` asks.
            y: shape (n,).
            weight: shape (n,), mean 1.
            params: one value for every key of `space`.
            seed: seed of everything random.
            threads: most threads to use.
            categorical: (column, levels) of each ordinal-coded column; level codes are 0..levels-1.
        """
        ...
