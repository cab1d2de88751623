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
    """The height at the beginning of the raw score's segment, and its rise from there.

    A tree finds the segment, so thousands of knots cost no memory per row.
    """
    x, y = np.asarray(parameters["x"], np.float64), np.asarray(parameters["y"], np.float64)
    if len(x) != len(y) or len(x) < 1 or (np.diff(x) <= 0).any() or (np.diff(y) < 0).any():
        raise ContractError("expected increasing x and non-decreasing y of one length")
    if len(x) == 1:
        return add("Add", add("Mul", raw, np.float64(0)), y)
    first, low, high, slope = x[:-1], y[:-1], y[1:], np.diff(y) / np.diff(x)
    place = _segment(add, raw, x[1:-1]) if len(x) > 2 else np.zeros(1, np.int64)
    begin, floor, ceiling, rise = (add("Gather", values, place) for values in (first, low, high, slope))
    covered = add("Max", add("Sub", raw, begin), np.float64(0))
    return add("Min", add("Add", floor, add("Mul", covered, rise)), ceiling)


def _segment(add: Callable[..., str], raw: str, bounds: npt.NDArray[np.float64]) -> str:
    """Which of the segments between inner knots each raw score lies in, by a balanced tree.

    Inner node i asks whether the raw score is at most bound i; leaf i is segment i.
    """
    children = np.zeros((len(bounds), 2), np.int64)
    leaves = np.zeros((len(bounds), 2), np.int64)

    def grow(begin: int, end: int) -> tuple[int, int]:
        """The tree over segments begin to end - 1: its root, and whether that is a leaf."""
        if end - begin == 1:
            return begin, 1
        node = (begin + end - 1) // 2
        for side, part in enumerate(((begin, node + 1), (node + 1, end))):
            children[node, side], leaves[node, side] = grow(*part)
        return node, 0

    root, _ = grow(0, len(bounds) + 1)
    narrow = add("Cast", add("Unsqueeze", raw, np.array([1], np.int64)), to=TensorProto.FLOAT)
    found = add(
        "TreeEnsemble",
        narrow,
        domain="ai.onnx.ml",
        n_targets=1,
        aggregate_function=1,  # sum
        post_transform=0,  # none
        tree_roots=[root],
        nodes_featureids=[0] * len(bounds),
        nodes_splits=numpy_helper.from_array(bounds.astype(np.float32)),
        nodes_modes=numpy_helper.from_array(np.zeros(len(bounds), np.uint8)),  # x <= split
        nodes_truenodeids=children[:, 0].tolist(),
        nodes_trueleafs=leaves[:, 0].tolist(),
        nodes_falsenodeids=children[:, 1].tolist(),
        nodes_falseleafs=leaves[:, 1].tolist(),
        leaf_targetids=[0] * (len(bounds) + 1),
        leaf_weights=numpy_helper.from_array(np.arange(len(bounds) + 1, dtype=np.float32)),
    )
    return add("Cast", add("Reshape", found, np.array([-1], np.int64)), to=TensorProto.INT64)
