"""XGBoost (Chen and Guestrin, 2016)."""

import json
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution

from minorkey.data.dataset import Labels
from minorkey.models.boosting import (
    bin_count,
    l2_distribution,
    learning_rate_distribution,
    rounds_distribution,
)
from minorkey.models.family import Encoding, Facts, FittedModel, Matrix, Weights
from minorkey.models.trees_onnx import FittedTrees, Tree, below

__all__ = ["XgBoost"]


class XgBoost:
    """Boosted trees grown level by level, with second-order regularisation."""

    name = "xgboost"
    resource: Literal["cpu", "gpu"] = "cpu"
    encoding = Encoding(scale=False, categorical="ordinal")
    weights = True

    def space(self, facts: Facts) -> dict[str, BaseDistribution]:
        """Rounds, shrinkage, depth, sampling and regularisation."""
        return {
            "num_boost_round": rounds_distribution(facts),
            "learning_rate": learning_rate_distribution(),
            "max_depth": IntDistribution(2, 10),
            "min_child_weight": FloatDistribution(1e-3, 10.0, log=True),
            "reg_lambda": l2_distribution(facts),
            "colsample_bynode": FloatDistribution(0.3, 1.0),
            "subsample": FloatDistribution(0.5, 1.0),
        }

    def portfolio(self, facts: Facts) -> list[dict[str, Any]]:
        """Shallow and slow for noisy data, deep for clean data. A leaf's least hessian follows the prior."""
        prior = facts.positives / facts.rows
        pace = 0.05 if facts.positives < 2_000 else 0.1
        shared = {
            "num_boost_round": 300,
            "min_child_weight": float(np.clip(2 * prior * (1 - prior), 1e-3, 1.0)),
            "colsample_bynode": 0.6,
            "subsample": 0.8,
        }
        return [
            {"max_depth": 4, "learning_rate": pace, "reg_lambda": 3.0, **shared},
            {"max_depth": 8, "learning_rate": 0.1, "reg_lambda": 1.0, **shared},
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
        """Fit; categories are compared by their codes. The start is the weighted base rate."""
        import xgboost

        base_rate = float(np.clip(np.average(y, weights=weight), 1e-6, 1 - 1e-6))
        settings = {
            **params,
            "objective": "binary:logistic",
            "max_bin": bin_count(features.shape[1]),
            "tree_method": "hist",
            "base_score": base_rate,
            "seed": seed,
            "nthread": threads,
            "verbosity": 0,
        }
        rounds = settings.pop("num_boost_round")
        data = xgboost.DMatrix(features, label=y, weight=weight, nthread=threads)
        booster = xgboost.train(settings, data, num_boost_round=rounds)
        return FittedTrees(
            predict=lambda matrix: booster.inplace_predict(matrix),
            trees=lambda: _trees(booster),
            features=features.shape[1],
            link="logit",
            offset=float(np.log(base_rate / (1 - base_rate))),
        )


def _trees(booster: Any) -> Iterator[Tree]:
    content = json.loads(bytes(booster.save_raw("json")))
    for tree in content["learner"]["gradient_booster"]["model"]["trees"]:
        condition = np.array(tree["split_conditions"], np.float32)
        yield Tree(
            feature=np.array(tree["split_indices"], np.int64),
            threshold=below(condition),
            left=np.array(tree["left_children"], np.int64),
            right=np.array(tree["right_children"], np.int64),
            value=condition.astype(np.float64),
        )
