"""A `Preprocessor` as an ONNX graph: the same operations in the same order, a kind of column at a time.

Values are laid out column by column, shape [columns, N], until one transposition at the end, so that
many rank-1 inputs cost one concatenation instead of a reshape each.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from minorkey.data import times
from minorkey.models.graph import IR_VERSION, ML_OPSET, OPSET

if TYPE_CHECKING:
    from minorkey.data.preprocessing import Preprocessor

__all__ = ["free_name", "graph_inputs", "preprocessing_graph"]

_ELEMENT = {"numeric": TensorProto.DOUBLE, "datetime": TensorProto.DOUBLE, "categorical": TensorProto.STRING}


def preprocessing_graph(preprocessor: "Preprocessor") -> onnx.ModelProto:
    """The graph from one input per feature to ``features`` (float, [N, p]).

    Every value inside is named ``pre.<digest>/...``, so that equal preprocessors can be recognised and
    shared. The output is called ``features`` unless a feature is called so (`free_name`).
    """
    writer = _Writer(f"pre.{preprocessor.digest}/")
    inputs = graph_inputs(preprocessor.features)
    sources = {value.name: value.name for value in inputs}
    if len(inputs) == 1:
        only = inputs[0].name
        sources[only] = writer.add("Reshape", only, writer.integers([-1]))
    blocks, missing = _numeric(writer, preprocessor, sources)
    parts, missing_times = _times(writer, preprocessor, sources)
    continuous = writer.concat(blocks + parts)
    if preprocessor.means:
        continuous = _standardised(writer, preprocessor, continuous)
    categories = _categories(writer, preprocessor, sources)
    rows = [block for block in (continuous, *missing, *missing_times, *categories) if block]
    output = free_name("features", sources)
    writer.add("Transpose", writer.concat(rows), output=output, perm=[1, 0])
    graph = helper.make_graph(
        writer.nodes,
        "preprocessing",
        inputs,
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["N", len(preprocessor.names)])],
        initializer=writer.constants,
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)


def graph_inputs(features: Sequence[Any]) -> list[onnx.ValueInfoProto]:
    """One graph input per `Feature`: shape [N], or [N, 1] if it is the only one.

    MLflow's ONNX flavour passes the columns of a data frame in these shapes.
    """
    shape = ["N"] if len(features) > 1 else ["N", 1]
    return [helper.make_tensor_value_info(f.name, _ELEMENT[f.kind], shape) for f in features]


def free_name(name: str, taken: Any) -> str:
    """The name, with underscores after it until no feature is called so."""
    while name in taken:
        name += "_"
    return name


class _Writer:
    """Collects nodes and constants under a prefix."""

    def __init__(self, prefix: str) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._prefix = prefix
        self._known: dict[tuple[Any, ...], str] = {}

    def add(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        output = output or f"{self._prefix}{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def constant(self, values: Any, dtype: Any) -> str:
        array = np.asarray(values, dtype)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._known:
            self._known[key] = f"{self._prefix}constant_{len(self.constants)}"
            self.constants.append(numpy_helper.from_array(array, self._known[key]))
        return self._known[key]

    def integers(self, values: Sequence[int]) -> str:
        return self.constant(values, np.int64)

    def column(self, values: Sequence[float], dtype: Any) -> str:
        """A constant of shape [len(values), 1]."""
        return self.constant(np.asarray(values, dtype)[:, None], dtype)

    def concat(self, names: Sequence[str]) -> str:
        if len(names) < 2:
            return names[0] if names else ""
        return self.add("Concat", *names, axis=0)

    def stack(self, names: Sequence[str]) -> str:
        """Rank-1 values as rows of one, shape [len(names), N]."""
        return self.add("Reshape", self.concat(names), self.integers([len(names), -1]))

    def rows(self, name: str, positions: Sequence[int], count: int) -> str:
        if list(positions) == list(range(count)):
            return name
        return self.add("Gather", name, self.integers(positions), axis=0)


def _numeric(
    writer: _Writer, preprocessor: "Preprocessor", sources: dict[str, str]
) -> tuple[list[str], list[str]]:
    """Imputed columns, differences and ratios; and missing indicators."""
    from minorkey.data.preprocessing import FINITE

    names = [sources[f.name] for f in preprocessor.features if f.kind == "numeric"]
    if not names:
        return [], []
    low, high = writer.constant(-FINITE, np.float64), writer.constant(FINITE, np.float64)
    raw = writer.add("Cast", writer.add("Clip", writer.stack(names), low, high), to=TensorProto.FLOAT)
    missing = writer.add("IsNaN", raw)
    values = writer.add("Where", missing, writer.column(preprocessor.medians, np.float32), raw)
    blocks = [values]
    if preprocessor.pairs:
        first = writer.rows(values, [pair.first for pair in preprocessor.pairs], -1)
        second = writer.rows(values, [pair.second for pair in preprocessor.pairs], -1)
        epsilon = writer.column([pair.epsilon for pair in preprocessor.pairs], np.float32)
        ratio = writer.add("Div", first, writer.add("Add", writer.add("Abs", second), epsilon))
        derived = writer.concat([writer.add("Sub", first, second), ratio])
        limits = writer.constant(-FINITE, np.float32), writer.constant(FINITE, np.float32)
        blocks.append(writer.add("Clip", derived, *limits))
    return blocks, _indicators(writer, missing, preprocessor.indicators, len(names))


def _indicators(writer: _Writer, missing: str, positions: Sequence[int], count: int) -> list[str]:
    if not positions:
        return []
    return [writer.add("Cast", writer.rows(missing, positions, count), to=TensorProto.FLOAT)]


def _times(
    writer: _Writer, preprocessor: "Preprocessor", sources: dict[str, str]
) -> tuple[list[str], list[str]]:
    """Parts of times, in the order of the columns; and missing indicators."""
    names = [sources[f.name] for f in preprocessor.features if f.kind == "datetime"]
    learned = preprocessor.times
    if not names:
        return [], []

    def constant(value: float) -> str:
        return writer.constant(value, np.float64)

    raw = writer.stack(names)
    missing = writer.add("IsNaN", raw)
    known = writer.add("Where", missing, writer.column([one.median for one in learned], np.float64), raw)
    bounded = writer.add("Clip", known, constant(-times.BOUND), constant(times.BOUND))
    day = writer.add("Floor", writer.add("Div", bounded, constant(times.DAY)))
    weekday = writer.add("Add", day, constant(3.0))
    within_day = writer.add("Sub", bounded, writer.add("Mul", day, constant(times.DAY)))
    position = {
        "hour": writer.add("Div", within_day, constant(3_600.0)),
        "weekday": _remainder(writer, weekday, constant(7.0)),
        "day of year": _remainder(writer, day, constant(times.YEAR)),
    }
    blocks: dict[str, str] = {}
    for name, length in times.CYCLES.items():
        if learned[0].cyclic:
            phase = writer.add("Div", position[name], constant(length))
            shifted = writer.add("Add", phase, constant(0.25))
            blocks[f"{name} wave"] = _wave(writer, phase)
            blocks[f"{name} shifted wave"] = _wave(
                writer, writer.add("Sub", shifted, writer.add("Floor", shifted))
            )
        else:
            blocks[name] = position[name]
    if any(one.trend for one in learned):
        trends = [one.trend or (0.0, 0.0) for one in learned]
        first, last = (writer.column(bound, np.float64) for bound in zip(*trends, strict=True))
        blocks["day"] = writer.add("Min", writer.add("Max", day, first), last)
    stacked = writer.add("Cast", writer.concat(list(blocks.values())), to=TensorProto.FLOAT)
    places = {name: place * len(names) for place, name in enumerate(blocks)}
    order = [places[part] + column for column, one in enumerate(learned) for part in one.parts()]
    indicators = [column for column, one in enumerate(learned) if one.indicator]
    values = writer.rows(stacked, order, len(blocks) * len(names))
    return [values], _indicators(writer, missing, indicators, len(names))


def _remainder(writer: _Writer, value: str, length: str) -> str:
    whole = writer.add("Floor", writer.add("Div", value, length))
    return writer.add("Sub", value, writer.add("Mul", whole, length))


def _wave(writer: _Writer, phase: str) -> str:
    one, two, four = (writer.constant(value, np.float64) for value in (1.0, 2.0, 4.0))
    centred = writer.add("Sub", writer.add("Mul", phase, two), one)
    slope = writer.add("Sub", one, writer.add("Abs", centred))
    return writer.add("Mul", writer.add("Mul", centred, slope), four)


def _standardised(writer: _Writer, preprocessor: "Preprocessor", continuous: str) -> str:
    from minorkey.data.preprocessing import SCALED_LIMIT

    centred = writer.add("Sub", continuous, writer.column(preprocessor.means, np.float32))
    scaled = writer.add("Div", centred, writer.column(preprocessor.scales, np.float32))
    limits = writer.constant(-SCALED_LIMIT, np.float32), writer.constant(SCALED_LIMIT, np.float32)
    return writer.add("Clip", scaled, *limits)


def _categories(writer: _Writer, preprocessor: "Preprocessor", sources: dict[str, str]) -> list[str]:
    names = [sources[f.name] for f in preprocessor.features if f.kind == "categorical"]
    if not names:
        return []
    codes = []
    for name, levels in zip(names, preprocessor.levels, strict=True):
        table = levels.code_table()
        codes.append(
            writer.add(
                "LabelEncoder",
                name,
                domain="ai.onnx.ml",
                keys_strings=list(table),
                values_floats=[float(code) for code in table.values()],
                default_float=float(len(levels.kept)),
            )
        )
    stacked = writer.stack(codes)
    if not preprocessor.onehot:
        return [stacked]
    columns = [column for column, levels in enumerate(preprocessor.levels) for _ in range(levels.count)]
    own = [float(code) for levels in preprocessor.levels for code in range(levels.count)]
    spread = writer.rows(stacked, columns, len(names))
    return [
        writer.add("Cast", writer.add("Equal", spread, writer.column(own, np.float32)), to=TensorProto.FLOAT)
    ]
