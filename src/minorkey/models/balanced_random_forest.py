"""Balanced random forest (Chen, Liaw and Breiman, 2004)."""

from typing import Any, Literal

import numpy as np
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from minorkey.data.dataset import Labels
from minorkey.models.family import Encoding, Facts, FittedModel, Matrix, Weights
from minorkey.models.forest import MAX_FEATURES, grow_forest

__all__ = ["BalancedRandomForest"]


class BalancedRandomForest:
    """A forest each of whose trees sees all positives and a random few of the negatives."""

    name = "balanced_random_forest"
    resource: Literal["cpu", "gpu"] = "cpu"
    encoding = Encoding(scale=False, categorical="ordinal")
    weights = True

    def space(self, facts: Facts) -> dict[str, BaseDistribution]:
        """Negatives drawn for each positive, columns tried at a split, and leaf size."""
        return {
            "negatives_per_positive": FloatDistribution(1.0, 30.0, log=True),
            "max_features": CategoricalDistribution(MAX_FEATURES),
            "min_samples_leaf": IntDistribution(1, 20, log=True),
        }

    def portfolio(self, facts: Facts) -> list[dict[str, Any]]:
        """Ten negatives for each positive: evenly balanced trees rank the rarest rows poorly."""
        return [{"negatives_per_positive": 10.0, "max_features": "sqrt", "min_samples_leaf": 2}]

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
        negatives, positives = np.bincount(y, minlength=2).tolist()
        drawn = min(negatives, round(params["negatives_per_positive"] * positives))
        tree = {name: value for name, value in params.items() if name != "negatives_per_positive"}
        return grow_forest(
            features,
            y,
            weight,
            thresholds="best",
            draws=(drawn, positives),
            params=tree,
            seed=seed,
            threads=threads,
        )
