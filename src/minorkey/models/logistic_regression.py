"""Logistic regression with an L2 penalty."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import onnx
from onnx import TensorProto, helper
from optuna.distributions import BaseDistribution, FloatDistribution

from minorkey.data.dataset import Labels, Scores
from minorkey.models.family import Encoding, Facts, FittedModel, Matrix, Weights
from minorkey.models.graph import model_graph
from minorkey.models.linear import Linear, fit_linear, linear_nodes

__all__ = ["LogisticRegression"]


@dataclass(frozen=True)
class _Fitted:
    linear: Linear

    def score(self, features: Matrix) -> Scores:
        return self.linear.probability(features.astype(np.float64))

    def to_onnx(self) -> onnx.ModelProto:
        cast = helper.make_node("Cast", ["features"], ["design"], to=TensorProto.DOUBLE)
        nodes, constants, probability = linear_nodes(self.linear, "design")
        columns = self.linear.coefficients.size
        return model_graph("linear", [cast, *nodes], constants, features=columns, probability=probability)


class LogisticRegression:
    """The straight line that every other family has to beat."""

    name = "logistic_regression"
    resource: Literal["cpu", "gpu"] = "cpu"
    encoding = Encoding(scale=True, categorical="onehot")
    weights = True

    def space(self, facts: Facts) -> dict[str, BaseDistribution]:
        """The inverse penalty."""
        return {"C": FloatDistribution(1e-4, 1e2, log=True)}

    def portfolio(self, facts: Facts) -> list[dict[str, Any]]:
        """The usual penalty."""
        return [{"C": 1.0}]

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
        """Fit on scaled columns; convex, so the seed changes nothing."""
        design = features.astype(np.float64)
        return _Fitted(fit_linear(design, y, weight, inverse_penalty=params["C"], threads=threads))
