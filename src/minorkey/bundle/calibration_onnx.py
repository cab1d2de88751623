"""A `Calibration` as ONNX nodes, in double arithmetic like the Python one."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import NodeProto, TensorProto, helper, numpy_helper
from onnx.onnx_ml_pb2 import TensorProto as Tensor

from minorkey.errors import ContractError
from minorkey.evaluation.calibration import CLIP, Calibration

__all__ = ["calibration_nodes"]

_PREFIX = "calibration/"


def calibration_nodes(calibration: Calibration, raw: str, score: str) -> tuple[list[NodeProto], list[Tensor]]:
    """Nodes and constants from ``raw`` (float, [N]) to ``score`` (float, [N]).

    Never decreasing in ``raw``: every step is a monotone operation.

    Raises:
        ContractError: the parameters are not those of a non-decreasing map.
    """
    nodes: list[NodeProto] = []
    constants: dict[str, npt.NDArray[np.float64] | npt.NDArray[np.int64]] = {}

    def add(operator: str, *inputs: Any, output: str = "", **attributes: Any) -> str:
        names = []
        for value in inputs:
            if not isinstance(value, str):
                constants[f"{_PREFIX}constant_{len(constants)}"] = np.asarray(value)
                value = f"{_PREFIX}constant_{len(constants) - 1}"
            names.append(value)
        output = output or f"{_PREFIX}{operator}_{len(nodes)}"
        nodes.append(helper.make_node(operator, names, [output], name=output, **attributes))
        return output

    wide = add("Cast", raw, to=TensorProto.DOUBLE)
    if calibration.kind == "platt":
        wide = _platt(add, calibration.parameters, wide)
    elif calibration.kind == "isotonic":
        wide = _isotonic(add, calibration.parameters, wide)
    bounded = add("Clip", wide, np.float64(0), np.float64(1))
    add("Cast", bounded, output=score, to=TensorProto.FLOAT)
    return nodes, [numpy_helper.from_array(value, name) for name, value in constants.items()]


def _platt(add: Callable[..., str], parameters: dict[str, Any], raw: str) -> str:
    slope, intercept = np.float64(parameters["slope"]), np.float64(parameters["intercept"])
    if not (slope >= 0 and np.isfinite(slope) and np.isfinite(intercept)):
        raise ContractError(f"expected a finite slope of at least 0 and intercept, got {parameters}")
    inner = add("Clip", raw, np.float64(CLIP), np.float64(1 - CLIP))
    logit = add("Sub", add("Log", inner), add("Log", add("Sub", np.float64(1), inner)))
    return add("Sigmoid", add("Add", add("Mul", logit, slope), intercept))


def _isotonic(add: Callable[..., str], parameters: dict[str, Any], raw: str) -> str:
    """The first height, and what each segment adds up to the raw score: constant outside the knots."""
    x, y = np.asarray(parameters["x"], np.float64), np.asarray(parameters["y"], np.float64)
    if len(x) != len(y) or len(x) < 1 or (np.diff(x) <= 0).any() or (np.diff(y) < 0).any():
        raise ContractError("expected increasing x and non-decreasing y of one length")
    if len(x) == 1:
        return add("Add", add("Mul", raw, np.float64(0)), y[:1])
    widths, slopes = np.diff(x), np.diff(y) / np.diff(x)
    risen = slopes > 0
    column = add("Unsqueeze", raw, np.array([1], np.int64))
    covered = add("Max", add("Sub", column, x[:-1][risen]), np.float64(0))
    rises = add("Mul", add("Min", covered, widths[risen]), slopes[risen])
    return add("Add", add("ReduceSum", rises, np.array([1], np.int64), keepdims=0), y[:1])
