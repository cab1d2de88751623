"""Logistic regression on cubic splines of every numeric column: a generalised additive model."""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import onnx
from onnx import NodeProto, TensorProto, helper
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution

from minorkey.data.dataset import Labels, Scores
from minorkey.models.family import Encoding, Facts, FittedModel, Matrix, Weights
from minorkey.models.graph import model_graph
from minorkey.models.linear import Linear, fit_linear, linear_nodes

__all__ = ["SplineLogistic"]

_DEGREE = 3
#: A column with fewer distinct values (a one-hot column, a flag) enters as it is.
_DISTINCT_VALUES = 8
#: Wider than this (0.8 GB of float64) the columns stay straight lines.
_MOST_CELLS = 100_000_000
#: The outermost knots: beyond these quantiles the column's linear term goes on alone.
_RANGE = (0.002, 0.998)


@dataclass(frozen=True)
class _Basis:
    """B-splines of some columns, beside all columns as they are.

    Attributes:
        columns: shape (s,), the columns that get splines.
        knots: shape (s, intervals + 1 + 2 * degree), not decreasing along each row.
    """

    columns: npt.NDArray[np.int64]
    knots: npt.NDArray[np.float64]

    @classmethod
    def fit(cls, features: Matrix, intervals: int) -> "_Basis":
        columns = [j for j, column in enumerate(features.T) if _is_continuous(column)]
        if len(columns) * (intervals + _DEGREE) * len(features) > _MOST_CELLS:
            columns = []
        quantiles = np.linspace(*_RANGE, intervals + 1)
        inner = np.quantile(features[:, columns].astype(np.float64), quantiles, axis=0).T
        knots = np.pad(inner, ((0, 0), (_DEGREE, _DEGREE)), mode="edge")
        return cls(columns=np.array(columns, np.int64), knots=knots)

    def design(self, features: Matrix) -> npt.NDArray[np.float64]:
        """Shape (n, p + s * (intervals + degree)); Cox and de Boor's recursion."""
        plain = features.astype(np.float64)
        if self.columns.size == 0:
            return plain
        low, high = self._bounds()
        x = np.minimum(np.maximum(plain[:, self.columns], low), high)[:, :, None]
        basis = ((x >= self.knots[:, :-1]) & (x < self.knots[:, 1:])).astype(np.float64)
        for degree in range(1, _DEGREE + 1):
            start, rise, end, fall = self._slopes(degree)
            basis = (x - start) * rise * basis[..., :-1] + (end - x) * fall * basis[..., 1:]
        return np.hstack([plain, basis.reshape(len(plain), math.prod(basis.shape[1:]))])

    def nodes(self) -> tuple[list[NodeProto], dict[str, npt.NDArray[Any]]]:
        """Nodes from ``features`` to ``design`` (double), the same arithmetic, and their constants."""
        cast = helper.make_node("Cast", ["features"], ["plain"], to=TensorProto.DOUBLE)
        if self.columns.size == 0:
            return [cast, helper.make_node("Identity", ["plain"], ["design"])], {}
        low, high = self._bounds()
        constants: dict[str, npt.NDArray[Any]] = {
            "columns": self.columns,
            "low": low,
            "high": high,
            "last_axis": np.array([2], np.int64),
            "knots_from": self.knots[:, :-1],
            "knots_to": self.knots[:, 1:],
            "zero": np.array([0], np.int64),
            "one": np.array([1], np.int64),
            "minus_one": np.array([-1], np.int64),
            "everything": np.array([np.iinfo(np.int64).max], np.int64),
        }
        node = helper.make_node
        nodes = [
            cast,
            node("Gather", ["plain", "columns"], ["chosen"], axis=1),
            node("Max", ["chosen", "low"], ["above_low"]),
            node("Min", ["above_low", "high"], ["bounded_x"]),
            node("Unsqueeze", ["bounded_x", "last_axis"], ["x"]),
            node("GreaterOrEqual", ["x", "knots_from"], ["reached"]),
            node("Less", ["x", "knots_to"], ["not_passed"]),
            node("And", ["reached", "not_passed"], ["inside"]),
            node("Cast", ["inside"], ["basis0"], to=TensorProto.DOUBLE),
        ]
        for d in range(1, _DEGREE + 1):
            names = [f"{part}{d}" for part in ("start", "rise", "end", "fall")]
            constants |= dict(zip(names, self._slopes(d), strict=True))
            previous = f"basis{d - 1}"
            nodes += [
                node("Sub", ["x", names[0]], [f"past{d}"]),
                node("Mul", [f"past{d}", names[1]], [f"up{d}"]),
                node("Slice", [previous, "zero", "minus_one", "last_axis"], [f"lower{d}"]),
                node("Mul", [f"up{d}", f"lower{d}"], [f"rising{d}"]),
                node("Sub", [names[2], "x"], [f"left{d}"]),
                node("Mul", [f"left{d}", names[3]], [f"down{d}"]),
                node("Slice", [previous, "one", "everything", "last_axis"], [f"upper{d}"]),
                node("Mul", [f"down{d}", f"upper{d}"], [f"falling{d}"]),
                node("Add", [f"rising{d}", f"falling{d}"], [f"basis{d}"]),
            ]
        nodes += [
            node("Flatten", [f"basis{_DEGREE}"], ["splines"], axis=1),
            node("Concat", ["plain", "splines"], ["design"], axis=1),
        ]
        return nodes, constants

    def _bounds(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """The range of each spline; its upper end is open, so the bound lies just below it."""
        return self.knots[:, 0], np.nextafter(self.knots[:, -1], -np.inf)

    def _slopes(self, degree: int) -> tuple[npt.NDArray[np.float64], ...]:
        """Where each B-spline of a degree starts and ends, and the slopes there (0 over no width)."""
        start, end = self.knots[:, : -degree - 1], self.knots[:, degree + 1 :]
        rise = self.knots[:, degree:-1] - start
        fall = end - self.knots[:, 1:-degree]
        inverse = [np.divide(1.0, width, out=np.zeros_like(width), where=width > 0) for width in (rise, fall)]
        return start, inverse[0], end, inverse[1]


@dataclass(frozen=True)
class _Fitted:
    basis: _Basis
    linear: Linear
    features: int

    def score(self, features: Matrix) -> Scores:
        return self.linear.probability(self.basis.design(features))

    def to_onnx(self) -> onnx.ModelProto:
        nodes, constants = self.basis.nodes()
        more, more_constants, probability = linear_nodes(self.linear, "design")
        return model_graph(
            "splines",
            [*nodes, *more],
            {**constants, **more_constants},
            features=self.features,
            probability=probability,
        )


class SplineLogistic:
    """Smooth effects of each column, added up in the log odds."""

    name = "spline_logistic"
    resource: Literal["cpu", "gpu"] = "cpu"
    encoding = Encoding(scale=True, categorical="onehot")
    weights = True

    def space(self, facts: Facts) -> dict[str, BaseDistribution]:
        """The inverse penalty and the intervals of each spline."""
        return {
            "C": FloatDistribution(1e-4, 1e2, log=True),
            "intervals": IntDistribution(3, 16, log=True),
        }

    def portfolio(self, facts: Facts) -> list[dict[str, Any]]:
        """Splines of eight intervals."""
        return [{"C": 1.0, "intervals": 8}]

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
        basis = _Basis.fit(features, params["intervals"])
        linear = fit_linear(basis.design(features), y, weight, inverse_penalty=params["C"], threads=threads)
        return _Fitted(basis=basis, linear=linear, features=features.shape[1])


def _is_continuous(column: npt.NDArray[np.float32]) -> bool:
    return np.unique(column).size >= _DISTINCT_VALUES
