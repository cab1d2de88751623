"""What every exported model has in common: versions, inputs and outputs of its ONNX graph."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

__all__ = ["IR_VERSION", "ML_OPSET", "OPSET", "model_graph"]

#: Versions that every graph of a bundle declares, so that graphs can be merged.
OPSET = 21
ML_OPSET = 5
IR_VERSION = 10


def model_graph(
    name: str,
    nodes: Sequence[onnx.NodeProto],
    constants: Mapping[str, npt.NDArray[Any]],
    *,
    features: int,
    probability: str,
) -> onnx.ModelProto:
    """A checked model from ``features`` (float, [N, p]) to ``score`` (float, [N]).

    Args:
        name: name of the graph.
        nodes: nodes that read ``features`` and write ``probability``.
        constants: initializers by name; each keeps its dtype.
        features: number of columns p.
        probability: name of the nodes' result, float of N elements; it is bounded to [0, 1] here,
            because sums of float32 shares can exceed 1 by a rounding error.
    """
    ending = [
        helper.make_node("Clip", [probability, "bound_low", "bound_high"], ["bounded"]),
        helper.make_node("Reshape", ["bounded", "score_shape"], ["score"]),
    ]
    values = {
        **constants,
        "bound_low": np.array(0, np.float32),
        "bound_high": np.array(1, np.float32),
        "score_shape": np.array([-1], np.int64),
    }
    graph = helper.make_graph(
        [*nodes, *ending],
        name,
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", features])],
        [helper.make_tensor_value_info("score", TensorProto.FLOAT, ["N"])],
        [numpy_helper.from_array(value, key) for key, value in values.items()],
    )
    model = helper.make_model(
        graph,
        producer_name="minorkey",
        ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)],
    )
    onnx.checker.check_model(model)
    return model
