"""Average precision inside folds, where the scores of different folds come from different models."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from minorkey.evaluation.ranking import Floats, Ranking, divide

__all__ = ["FoldRanking"]


@dataclass(frozen=True)
class FoldRanking:
    """Rankings inside each fold: scores of different folds come from different models."""

    rows: tuple[npt.NDArray[np.intp], ...]
    rankings: tuple[Ranking, ...]

    @classmethod
    def of(cls, y: npt.NDArray[Any], score: Floats, rows: Sequence[npt.NDArray[np.intp]]) -> Self:
        """Rank the rows of each fold that holds a positive."""
        held = tuple(fold for fold in rows if (y[fold] == 1).any())
        return cls(held, tuple(Ranking.of(y[fold], score[fold]) for fold in held))

    def average_precision(self, weights: Floats) -> Floats:
        """Mean of the folds' average precision, each fold weighing as its positives.

        Args:
            weights: shape (replicates, n).

        Returns:
            Shape (replicates,); NaN where no positive has weight.
        """
        total, positives = np.zeros(len(weights)), np.zeros(len(weights))
        for rows, ranking in zip(self.rows, self.rankings, strict=True):
            part = weights[:, rows]
            weight = part[:, ranking.order[ranking.positive]].sum(axis=1)
            total += np.where(weight > 0, weight * np.nan_to_num(ranking.average_precision(part)), 0.0)
            positives += weight
        return divide(total, positives, absent=np.nan)
