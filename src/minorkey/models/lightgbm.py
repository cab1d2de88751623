"""LightGBM (Ke et al., 2017)."""

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from minorkey.data.dataset import Labels
from minorkey.models.boosting import (
    bin_count,
    l2_distribution,
    learning_rate_distribution,
    rounds_distribution,
)
from minorkey.models.family import Encoding, Facts, FittedModel, Matrix, Weights
from minorkey.models.trees_onnx import LEAF, FittedTrees, Tree, at_most

__all__ = ["LightGbm"]


class LightGbm:
    """Boosted trees grown leaf by leaf, with row and column sampling."""

    name = "lightgbm"
    resource: Literal["cpu", "gpu"] = "cpu"
    encoding = Encoding(scale=False, categorical="ordinal")
    weights = True

    def space(self, facts: Facts) -> dict[str, BaseDistribution]:
        """Rounds, shrinkage, tree size, sampling and regularisation."""
        return {
            "num_iterations": rounds_distribution(facts),
            "learning_rate": learning_rate_distribution(),
            "num_leaves": IntDistribution(4, 128, log=True),
            "min_data_in_leaf": IntDistribution(2, 100, log=True),
            "lambda_l2": l2_distribution(facts),
            "feature_fraction": FloatDistribution(0.3, 1.0),
            "bagging_fraction": FloatDistribution(0.5, 1.0),
            "extra_trees": CategoricalDistribution((False, True)),
        }

    def portfolio(self, facts: Facts) -> list[dict[str, Any]]:
        """Slow learning with sampling (smaller trees for rare positives), and the library's defaults."""
        default = {
            "num_iterations": 100,
            "learning_rate": 0.1,
            "num_leaves": 31,
            "min_data_in_leaf": 20,
            "lambda_l2": 1.0,
            "feature_fraction": 1.0,
            "bagging_fraction": 1.0,
            "extra_trees": False,
        }
        slow = {
            "num_iterations": 400,
            "learning_rate": 0.03,
            "num_leaves": 12 if facts.positives < 0.02 * facts.rows else 31,
            "min_data_in_leaf": 5,
            "lambda_l2": 5.0,
            "feature_fraction": 0.6,
            "bagging_fraction": 0.8,
            "extra_trees": False,
        }
        return [slow, default]

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
        import lightgbm

        settings = {
            **params,
            "objective": "binary",
            "max_bin": bin_count(features.shape[1]),
            "bagging_freq": 1,
            "seed": seed,
            "num_threads": threads,
            "deterministic": True,
            "force_row_wise": True,
            "verbosity": -1,
        }
        rounds = settings.pop("num_iterations")
        data = lightgbm.Dataset(features, label=y, weight=weight, free_raw_data=True)
        booster = lightgbm.train(settings, data, num_boost_round=rounds)
        return FittedTrees(
            predict=lambda matrix: booster.predict(matrix, num_threads=threads),
            trees=lambda: _trees(booster),
            features=features.shape[1],
            link="logit",
        )


def _trees(booster: Any) -> Iterator[Tree]:
    for content in booster.dump_model()["tree_info"]:
        yield _tree(content["tree_structure"])


def _tree(root: dict[str, Any]) -> Tree:
    nodes = [root]
    left, right = [], []
    for node in nodes:
        if "split_feature" in node:
            left.append(len(nodes))
            right.append(len(nodes) + 1)
            nodes += [node["left_child"], node["right_child"]]
        else:
            left.append(LEAF)
            right.append(LEAF)
    return Tree(
        feature=np.array([node.get("split_feature", 0) for node in nodes], np.int64),
        threshold=at_most([node.get("threshold", 0.0) for node in nodes]),
        left=np.array(left, np.int64),
        right=np.array(right, np.int64),
        value=np.array([node.get("leaf_value", 0.0) for node in nodes], np.float64),
    )
