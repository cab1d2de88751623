"""Logistic regression on a design matrix: the fit and the graph that both linear families end with.

Everything here is float64, in Python and in the graph: a row far outside the training range then
scores the same in both, whatever the order of the summation.
"""

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from onnx import NodeProto, TensorProto, helper

from minorkey.data.dataset import Labels
from minorkey.models.family import Weights
from minorkey.models.threads import native_threads

__all__ = ["Linear", "fit_linear", "linear_nodes"]

Design = npt.NDArray[np.float64]

#: Up to this many columns a Newton step (a factorisation of their Hessian) is the fastest way.
_NEWTON_COLUMNS = 400


@dataclass(frozen=True)
class Linear:
    """Log odds that are linear in a design matrix: ``design @ coefficients + intercept``."""

    coefficients: npt.NDArray[np.float64]
    intercept: float

    def probability(self, design: Design) -> npt.NDArray[np.float64]:
        """Probability of class 1 for every row, shape (n,)."""
        from scipy.special import expit

        return expit(design @ self.coefficients + self.intercept)


def fit_linear(design: Design, y: Labels, weight: Weights, *, inverse_penalty: float, threads: int) -> Linear:
    """Logistic regression with an L2 penalty, weights honoured.

    Args:
        design: shape (n, k), standardised or bounded columns.
        y: shape (n,).
        weight: shape (n,).
        inverse_penalty: scikit-learn's C.
        threads: most threads to use.
    """
    from scipy.linalg import LinAlgWarning
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    solver = "newton-cholesky" if design.shape[1] <= _NEWTON_COLUMNS else "lbfgs"
    model = LogisticRegression(C=inverse_penalty, solver=solver, max_iter=300)
    with native_threads(threads), warnings.catch_warnings():
        # An ill-conditioned Hessian makes the solver fall back by itself; the loss is convex either way.
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", LinAlgWarning)
        model.fit(design, y, sample_weight=weight)
    return Linear(coefficients=model.coef_[0].astype(np.float64), intercept=float(model.intercept_[0]))


def linear_nodes(
    linear: Linear, design: str
) -> tuple[list[NodeProto], dict[str, npt.NDArray[np.float64]], str]:
    """Nodes from a design matrix (double, [N, k]) to the probability (float), their constants, its name."""
    nodes = [
        helper.make_node("MatMul", [design, "coefficients"], ["linear_part"]),
        helper.make_node("Add", ["linear_part", "intercept"], ["log_odds"]),
        helper.make_node("Sigmoid", ["log_odds"], ["probability_double"]),
        helper.make_node("Cast", ["probability_double"], ["probability"], to=TensorProto.FLOAT),
    ]
    constants = {
        "coefficients": linear.coefficients[:, None],
        "intercept": np.array(linear.intercept, np.float64),
    }
    return nodes, constants, "probability"
