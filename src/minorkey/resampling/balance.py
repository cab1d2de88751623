"""What resamplers share: the sampling ratio, neighbour counts, and the space that distances live in."""

from typing import Any

import numpy as np
import numpy.typing as npt
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution

from minorkey.data.dataset import Labels
from minorkey.errors import ContractError
from minorkey.models.family import Facts, Matrix

__all__ = [
    "FEWEST_POSITIVES",
    "Categorical",
    "Standardised",
    "current_ratio",
    "neighbour_space",
    "neighbours",
    "ratio_space",
    "refuse_codes",
    "room_to_grow",
    "with_synthetic",
    "without_codes",
]

#: (column, levels) of each ordinal-coded column.
Categorical = tuple[tuple[int, int], ...]

#: Fewest positives that a resampler is offered: below, a fold has too few to learn a neighbourhood from.
FEWEST_POSITIVES = 6
#: Above this imbalance there is nothing to resample.
_BALANCED = 0.8
#: Above this many rows the ratio is bounded, because growing to balance would double the rows.
_MANY_ROWS, _MANY_ROWS_RATIO = 100_000, 0.3


def current_ratio(y: Labels) -> float:
    """Positives for each negative."""
    positives = int(y.sum())
    return positives / max(1, len(y) - positives)


def room_to_grow(facts: Facts) -> bool:
    """Whether changing the balance makes sense at all: unweighted, imbalanced, and enough positives."""
    negatives = facts.rows - facts.positives
    return (
        not facts.weighted and facts.positives >= FEWEST_POSITIVES and facts.positives < _BALANCED * negatives
    )


def ratio_space(facts: Facts, *, fewest: float = 0.01) -> dict[str, BaseDistribution]:
    """Space of ``ratio``: positives for each negative afterwards, from twice today's to balance.

    Args:
        fewest: the ratio is at least this.
    """
    today = facts.positives / max(1, facts.rows - facts.positives)
    high = 1.0 if facts.rows <= _MANY_ROWS else max(_MANY_ROWS_RATIO, min(1.0, 4 * today))
    low = min(max(fewest, 0.01, 2 * today), 0.9 * high)
    return {"ratio": FloatDistribution(low, high, log=True)}


def neighbours(k: int, available: int) -> int:
    """At most ``k`` neighbours of the ``available`` others, at least one."""
    return max(1, min(k, available))


def neighbour_space(facts: Facts) -> dict[str, BaseDistribution]:
    """Space of ``k_neighbors``, bounded by the positives that a fold of five is sure to have."""
    most = max(1, min(10, facts.positives * 4 // 5 - 1))
    return {"k_neighbors": IntDistribution(min(3, most), most)}


def without_codes(x: Matrix, categorical: Categorical) -> npt.NDArray[np.float64]:
    """Standardised columns without the codes of categories, between which there is no distance."""
    columns = np.setdiff1d(np.arange(x.shape[1]), [column for column, _ in categorical])
    return Standardised(x[:, columns]).values


def refuse_codes(name: str, categorical: Categorical) -> None:
    """Refuse to interpolate between codes of categories.

    Raises:
        ContractError: there are ordinal-coded columns.
    """
    if categorical:
        raise ContractError(
            f"{name} would interpolate between the codes of categories; use smote_nc (see Resampler.applies)"
        )


class Standardised:
    """Columns on one scale, in which neighbours are sought: otherwise the largest unit decides alone.

    Columns of zeros and ones stay as they are: standardised, the rarest level would weigh the most.
    """

    def __init__(self, x: Matrix) -> None:
        wide = x.astype(np.float64)
        self._mean = wide.mean(axis=0)
        scale = wide.std(axis=0)
        two_valued = ((x == 0) | (x == 1)).all(axis=0)
        self._scale = np.where((scale > 0) & ~two_valued, scale, 1.0)
        self.values: npt.NDArray[np.float64] = (wide - self._mean) / self._scale

    def restore(self, values: npt.NDArray[np.float64]) -> Matrix:
        """Values on their own scales again, as finite float32."""
        most = np.finfo(np.float32).max
        return np.clip(values * self._scale + self._mean, -most, most).astype(np.float32)


def with_synthetic(
    x: Matrix, y: Labels, space: Standardised, resampled: npt.NDArray[Any], labels: npt.NDArray[Any]
) -> tuple[Matrix, Labels]:
    """The original rows untouched, and after them the synthetic rows back on their own scales.

    Args:
        resampled: shape (n + synthetic, p), standardised, original rows first.
        labels: shape (n + synthetic,).
    """
    synthetic = space.restore(resampled[len(x) :])
    return np.vstack([x, synthetic]), np.concatenate([y, labels[len(y) :].astype(y.dtype)])
