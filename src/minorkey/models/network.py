"""A small network on piecewise linear encodings of numbers and embeddings of categories."""

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

__all__ = ["Inputs", "Layers", "Network"]

#: Standard deviations at which a number's linear term stops.
LINEAR_RANGE = np.float32(5.0)


@dataclass(frozen=True)
class Inputs:
    """How columns enter the network. All of it is bounded, so no outlier can run away with a score.

    A number x becomes ``clip((x - start) * slope, 0, 1)`` for each of its bins, and x itself, clipped.
    A category becomes a row of the embedding table; a code outside 0..levels-1 has a row of its own.

    Attributes:
        numeric: shape (m,), numeric columns.
        start, slope: shape (m, bins); an unused bin has slope 0.
        codes: shape (c,), ordinal-coded columns.
        levels: shape (c,), number of levels of each.
        offsets: shape (c,), first row of each in the embedding table.

    Source: Gorishniy, Rubachev and Babenko (2022), "On Embeddings for Numerical Features in Tabular
    Deep Learning".
    """

    numeric: npt.NDArray[np.int64]
    start: npt.NDArray[np.float32]
    slope: npt.NDArray[np.float32]
    codes: npt.NDArray[np.int64]
    levels: npt.NDArray[np.int64]
    offsets: npt.NDArray[np.int64]

    @classmethod
    def fit(cls, features: Matrix, categorical: tuple[tuple[int, int], ...], bins: int) -> "Inputs":
        """Bins between the quantiles of each numeric column."""
        codes = np.array([column for column, _ in categorical], np.int64)
        levels = np.array([count for _, count in categorical], np.int64)
        numeric = np.setdiff1d(np.arange(features.shape[1]), codes)
        quantiles = np.linspace(0, 1, bins + 1)
        start = np.zeros((numeric.size, bins), np.float32)
        slope = np.zeros_like(start)
        for row, column in enumerate(numeric):
            edges = np.unique(np.quantile(features[:, column], quantiles).astype(np.float32))
            start[row, : edges.size - 1] = edges[:-1]
            with np.errstate(over="ignore"):
                slope[row, : edges.size - 1] = np.minimum(1 / np.diff(edges), np.float32(1e6))
        offsets = np.cumsum(levels + 1) - (levels + 1)
        return cls(numeric, start, slope, codes, levels, offsets)

    @property
    def table_rows(self) -> int:
        """Rows of the embedding table."""
        return int((self.levels + 1).sum())

    def numbers(self, features: Matrix) -> Matrix:
        """Encoded numbers, shape (n, m * (bins + 1))."""
        x = features[:, self.numeric]
        with np.errstate(over="ignore"):
            ramps = np.clip((x[:, :, None] - self.start) * self.slope, np.float32(0), np.float32(1))
        linear = np.clip(x, -LINEAR_RANGE, LINEAR_RANGE)
        return np.hstack([ramps.reshape(len(x), self.start.size), linear])

    def rows(self, features: Matrix) -> npt.NDArray[np.int64]:
        """Rows of the embedding table, shape (n, c)."""
        code = features[:, self.codes]
        known = (code >= 0) & (code < self.levels.astype(np.float32))
        return np.where(known, code, self.levels.astype(np.float32)).astype(np.int64) + self.offsets


@dataclass(frozen=True)
class Layers:
    """A trained network as arrays, batch normalisation folded in.

    Attributes:
        table: shape (rows, dimension), the embedding table.
        weights: one matrix (inputs, outputs) a layer; rectified after each but the last.
        biases: one vector a layer.
    """

    table: npt.NDArray[np.float32]
    weights: tuple[npt.NDArray[np.float32], ...]
    biases: tuple[npt.NDArray[np.float32], ...]


@dataclass(frozen=True)
class _Fitted:
    inputs: Inputs
    layers: Layers
    features: int

    def score(self, features: Matrix) -> Scores:
        from scipy.special import expit

        hidden = self.inputs.numbers(features)
        if self.inputs.codes.size:
            embedded = self.layers.table[self.inputs.rows(features)]
            hidden = np.hstack([hidden, embedded.reshape(len(features), math.prod(embedded.shape[1:]))])
        for weight, bias in zip(self.layers.weights[:-1], self.layers.biases[:-1], strict=True):
            hidden = np.maximum(hidden @ weight + bias, np.float32(0))
        margin = hidden @ self.layers.weights[-1] + self.layers.biases[-1]
        return expit(margin[:, 0].astype(np.float64))

    def to_onnx(self) -> onnx.ModelProto:
        node = helper.make_node
        nodes: list[NodeProto] = []
        parts: list[str] = []
        constants: dict[str, npt.NDArray[Any]] = {}
        if self.inputs.numeric.size:
            constants |= {
                "numeric": self.inputs.numeric,
                "start": self.inputs.start,
                "slope": self.inputs.slope,
                "last_axis": np.array([2], np.int64),
                "zero": np.array(0, np.float32),
                "one": np.array(1, np.float32),
                "linear_low": np.array(-LINEAR_RANGE),
                "linear_high": np.array(LINEAR_RANGE),
            }
            nodes += [
                node("Gather", ["features", "numeric"], ["x"], axis=1),
                node("Unsqueeze", ["x", "last_axis"], ["x_column"]),
                node("Sub", ["x_column", "start"], ["past_start"]),
                node("Mul", ["past_start", "slope"], ["ramp"]),
                node("Clip", ["ramp", "zero", "one"], ["bounded_ramp"]),
                node("Flatten", ["bounded_ramp"], ["ramps"], axis=1),
                node("Clip", ["x", "linear_low", "linear_high"], ["linear"]),
            ]
            parts += ["ramps", "linear"]
        if self.inputs.codes.size:
            constants |= {
                "codes": self.inputs.codes,
                "levels": self.inputs.levels.astype(np.float32),
                "no_code": np.array(0, np.float32),
                "offsets": self.inputs.offsets,
                "table": self.layers.table,
            }
            nodes += [
                node("Gather", ["features", "codes"], ["code"], axis=1),
                node("GreaterOrEqual", ["code", "no_code"], ["not_negative"]),
                node("Less", ["code", "levels"], ["not_beyond"]),
                node("And", ["not_negative", "not_beyond"], ["known"]),
                node("Where", ["known", "code", "levels"], ["known_code"]),
                node("Cast", ["known_code"], ["level"], to=TensorProto.INT64),
                node("Add", ["level", "offsets"], ["table_row"]),
                node("Gather", ["table", "table_row"], ["embedding"], axis=0),
                node("Flatten", ["embedding"], ["embeddings"], axis=1),
            ]
            parts.append("embeddings")
        nodes.append(node("Concat", parts, ["hidden0"], axis=1))
        last = len(self.layers.weights)
        for i, (weight, bias) in enumerate(zip(self.layers.weights, self.layers.biases, strict=True), 1):
            constants |= {f"weight{i}": weight, f"bias{i}": bias}
            nodes.append(node("Gemm", [f"hidden{i - 1}", f"weight{i}", f"bias{i}"], [f"linear{i}"]))
            if i < last:
                nodes.append(node("Relu", [f"linear{i}"], [f"hidden{i}"]))
        nodes.append(node("Sigmoid", [f"linear{last}"], ["probability"]))
        return model_graph("network", nodes, constants, features=self.features, probability="probability")


class Network:
    """A perceptron of one to three hidden layers, trained by `minorkey.models.network_training`."""

    name = "network"
    resource: Literal["cpu", "gpu"] = "gpu"
    encoding = Encoding(scale=True, categorical="ordinal")
    weights = True

    def space(self, facts: Facts) -> dict[str, BaseDistribution]:
        """Shape, regularisation, step size and the focal loss's focus (0: weighted log loss)."""
        return {
            "bins": IntDistribution(2, 32, log=True),
            "width": IntDistribution(16, 256, log=True),
            "depth": IntDistribution(1, 3),
            "dropout": FloatDistribution(0.0, 0.5),
            "learning_rate": FloatDistribution(3e-4, 1e-2, log=True),
            "weight_decay": FloatDistribution(1e-5, 1e-1, log=True),
            "focal_gamma": FloatDistribution(0.0, 3.0),
        }

    def portfolio(self, facts: Facts) -> list[dict[str, Any]]:
        """Two layers of 128 units."""
        return [
            {
                "bins": 12,
                "width": 128,
                "depth": 2,
                "dropout": 0.15,
                "learning_rate": 2e-3,
                "weight_decay": 1e-2,
                "focal_gamma": 0.0,
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
        """Train; stops early on the log loss of a split inside these rows."""
        from minorkey.models.network_training import train

        inputs = Inputs.fit(features, categorical, params["bins"])
        layers = train(inputs, features, y, weight, params, seed=seed, threads=threads)
        return _Fitted(inputs=inputs, layers=layers, features=features.shape[1])
