"""What stands beside the result: the prior and three models as anyone would first try them."""

from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, helper

from minorkey.data.dataset import Scores
from minorkey.models.family import Matrix
from minorkey.models.graph import model_graph
from minorkey.trials.trial import Configuration

__all__ = ["BASELINES", "LABELS", "Prior"]

#: Name to configuration; the prior needs none. Parameters are scikit-learn's defaults, save what
#: `LABELS` says. Without a least leaf size the graph of a forest grows with the data.
BASELINES: dict[str, Configuration] = {
    "weighted_logistic_regression": Configuration(
        family="logistic_regression", model={"C": 1.0}, weight_exponent=1.0
    ),
    "default_gradient_boosting": Configuration(
        family="hist_gradient_boosting",
        model={
            "max_iter": 100,
            "learning_rate": 0.1,
            "max_leaf_nodes": 31,
            "min_samples_leaf": 20,
            "l2_regularization": 0.0,
            "max_features": 1.0,
        },
    ),
    "default_random_forest": Configuration(
        family="random_forest", model={"max_features": "sqrt", "min_samples_leaf": 5, "criterion": "gini"}
    ),
}

#: What each baseline is, for the reader of a report.
LABELS: dict[str, str] = {
    "prior": "share of positives, for every row",
    "weighted_logistic_regression": "default logistic regression, classes weighted to balance",
    "default_gradient_boosting": "default gradient boosting, 100 rounds, no early stopping",
    "default_random_forest": "default random forest, five rows a leaf, 80 to 300 trees by the number of rows",
}


@dataclass(frozen=True)
class Prior:
    """The share of positives as everyone's score: what knowing nothing about a row is worth."""

    share: float
    #: Number of columns that the graph takes and does not look at.
    columns: int

    def score(self, features: Matrix) -> Scores:
        """The same score for every row, shape (n,)."""
        return np.full(len(features), self.share)

    def to_onnx(self) -> onnx.ModelProto:
        """The constant as a graph of the same form as any model's."""
        share = helper.make_tensor("share", TensorProto.FLOAT, [1], [self.share])
        nodes = [
            helper.make_node("Shape", ["features"], ["rows"], start=0, end=1),
            helper.make_node("ConstantOfShape", ["rows"], ["share"], value=share),
        ]
        return model_graph("prior", nodes, {}, features=self.columns, probability="share")
