"""Histogram gradient boosting of scikit-learn, always regularised."""

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution

from minorkey.data.dataset import Labels
from minorkey.models.boosting import l2_distribution, learning_rate_distribution, rounds_distribution
from minorkey.models.family import Encoding, Facts, FittedModel, Matrix, Weights
from minorkey.models.threads import native_threads
from minorkey.models.trees_onnx import LEAF, FittedTrees, Tree, at_most

__all__ = ["HistGradientBoosting"]


class HistGradientBoosting:
    """Boosted trees grown leaf by leaf on binned columns."""

    name = "hist_gradient_boosting"
    resource: Literal["cpu", "gpu"] = "cpu"
    encoding = Encoding(scale=False, categorical="ordinal")
    weights = True

    def space(self, facts: Facts) -> dict[str, BaseDistribution]:
        """Rounds, shrinkage, tree size and regularisation."""
        return {
            "max_iter": rounds_distribution(facts),
            "learning_rate": learning_rate_distribution(),
            "max_leaf_nodes": IntDistribution(4, 64, log=True),
            "min_samples_leaf": IntDistribution(2, 100, log=True),
            "l2_regularization": l2_distribution(facts),
            "max_features": FloatDistribution(0.3, 1.0),
        }

    def portfolio(self, facts: Facts) -> list[dict[str, Any]]:
        """Slow and regularised."""
        return [
            {
                "max_iter": 200,
                "learning_rate": 0.05,
                "max_leaf_nodes": 24,
                "min_samples_leaf": 10,
                "l2_regularization": 5.0,
                "max_features": 0.7,
            }
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
        from sklearn.ensemble import HistGradientBoostingClassifier

        model = HistGradientBoostingClassifier(early_stopping=False, random_state=seed, **params)
        with native_threads(threads):
            model.fit(features, y, sample_weight=weight)

        def predict(matrix: Matrix) -> np.ndarray[Any, np.dtype[np.float64]]:
            with native_threads(threads):
                return model.predict_proba(matrix)[:, 1]

        return FittedTrees(
            predict=predict,
            trees=lambda: _trees(model),
            features=features.shape[1],
            link="logit",
            offset=float(np.ravel(model._baseline_prediction)[0]),
        )


def _trees(model: Any) -> Iterator[Tree]:
    for (predictor,) in model._predictors:
        nodes = predictor.nodes
        leaf = nodes["is_leaf"].astype(bool)
        yield Tree(
            feature=nodes["feature_idx"].astype(np.int64),
            threshold=at_most(nodes["num_threshold"]),
            left=np.where(leaf, LEAF, nodes["left"].astype(np.int64)),
            right=np.where(leaf, LEAF, nodes["right"].astype(np.int64)),
            value=nodes["value"].astype(np.float64),
        )
