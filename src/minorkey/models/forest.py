"""What the three forests share: how many trees, and how scikit-learn's trees are read."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution

from minorkey.models.family import Facts
from minorkey.models.trees_onnx import FittedTrees, Tree, at_most

__all__ = ["MAX_FEATURES", "fitted_forest", "forest_space", "smallest_leaf", "tree_count"]

#: Columns tried at each split: the square root of their number, or a share of them.
MAX_FEATURES: tuple[str | float, ...] = ("sqrt", 0.3, 0.6, 1.0)


def tree_count(rows: int) -> int:
    """Trees of a forest. More never hurts the score, only time and bytes, so it is not searched.

    Source: Probst and Boulesteix (2018), "To tune or not to tune the number of trees".
    """
    if rows <= 20_000:
        return 300
    return 200 if rows <= 200_000 else 100


def smallest_leaf(rows: int) -> int:
    """The smallest leaf worth a try: keeps a tree of many rows within some 25,000 leaves."""
    return max(1, rows // 25_000)


def forest_space(facts: Facts) -> dict[str, BaseDistribution]:
    """The space of a forest that sees every row."""
    low = smallest_leaf(facts.rows)
    return {
        "max_features": CategoricalDistribution(MAX_FEATURES),
        "min_samples_leaf": IntDistribution(low, max(20, 4 * low), log=True),
        "criterion": CategoricalDistribution(("gini", "entropy")),
    }


def fitted_forest(forest: Any, features: int) -> FittedTrees:
    """A fitted scikit-learn classification forest of two classes."""
    return FittedTrees(
        predict=lambda matrix: forest.predict_proba(matrix)[:, 1],
        trees=lambda: _trees(forest),
        features=features,
        link="identity",
    )


def _trees(forest: Any) -> Iterator[Tree]:
    for estimator in forest.estimators_:
        tree = estimator.tree_
        shares = tree.value[:, 0, :]
        positive = shares[:, 1] / shares.sum(axis=1)
        yield Tree(
            feature=tree.feature.astype(np.int64),
            threshold=at_most(tree.threshold),
            left=tree.children_left.astype(np.int64),
            right=tree.children_right.astype(np.int64),
            value=positive / len(forest.estimators_),
        )
