"""Random forest (Breiman, 2001)."""

from typing import Any, Literal

import numpy as np
from optuna.distributions import BaseDistribution

from minorkey.data.dataset import Labels
from minorkey.models.family import Encoding, Facts, FittedModel, Matrix, Weights
from minorkey.models.forest import forest_space, grow_forest, smallest_leaf

__all__ = ["RandomForest"]


class RandomForest:
    """Bagged trees that try a random part of the columns at each split."""

    name = "random_forest"
    resource: Literal["cpu", "gpu"] = "cpu"
    encoding = Encoding(scale=False, categorical="ordinal")
    weights = True

    def space(self, facts: Facts) -> dict[str, BaseDistribution]:
        """Columns tried at a split, leaf size, and impurity."""
        return forest_space(facts)

    def portfolio(self, facts: Facts) -> list[dict[str, Any]]:
        """A forest with small leaves, and one with smoother leaves."""
        low = smallest_leaf(facts.rows)
        return [
            {"max_features": "sqrt", "min_samples_leaf": max(5, low), "criterion": "gini"},
            {"max_features": "sqrt", "min_samples_leaf": low, "criterion": "entropy"},
        ]

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
        """Fit; categories are compared by their codes."""
        classes = np.bincount(y, minlength=2)
        return grow_forest(
            features,
            y,
            weight,
            thresholds="best",
            draws=(int(classes[0]), int(classes[1])),
            params=params,
            seed=seed,
            threads=threads,
        )
