"""Extremely randomised trees (Geurts, Ernst and Wehenkel, 2006)."""

from typing import Any, Literal

from optuna.distributions import BaseDistribution

from minorkey.data.dataset import Labels
from minorkey.models.family import Encoding, Facts, FittedModel, Matrix, Weights
from minorkey.models.forest import forest_space, grow_forest, smallest_leaf

__all__ = ["ExtraTrees"]


class ExtraTrees:
    """Trees on all rows whose thresholds are drawn at random. Trying all columns is often best."""

    name = "extra_trees"
    resource: Literal["cpu", "gpu"] = "cpu"
    encoding = Encoding(scale=False, categorical="ordinal")
    weights = True

    def space(self, facts: Facts) -> dict[str, BaseDistribution]:
        """Columns tried at a split, leaf size, and impurity."""
        return forest_space(facts)

    def portfolio(self, facts: Facts) -> list[dict[str, Any]]:
        """All columns at each split, and their square root."""
        low = smallest_leaf(facts.rows)
        return [
            {"max_features": 1.0, "min_samples_leaf": low, "criterion": "gini"},
            {"max_features": "sqrt", "min_samples_leaf": max(2, low), "criterion": "gini"},
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
        return grow_forest(
            features,
            y,
            weight,
            thresholds="random",
            draws=None,
            params=params,
            seed=seed,
            threads=threads,
        )
