"""Composing members and a calibration into the one graph that ships."""

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

from minorkey.bundle.calibration_onnx import calibration_nodes
from minorkey.bundle.graphs import as_model, refuse_other_opsets, renamed_constants, renamed_nodes
from minorkey.data.preprocessing_onnx import free_name
from minorkey.errors import BundleError, ContractError
from minorkey.evaluation.calibration import Calibration

__all__ = ["compose"]

#: A serialised ONNX model must stay below two gibibytes.
_MOST_BYTES = 2**31 - 1


def compose(members: Sequence[tuple[onnx.ModelProto, float]], calibration: Calibration) -> onnx.ModelProto:
    """The graph of a weighted mean of members, calibrated.

    Equal preprocessing (known by the digest in its values' names) is computed once for all members.

    Args:
        members: graphs as `member_graph` makes them, each with its weight; weights are scaled to sum 1.
        calibration: from the mean raw score to a probability.

    Returns:
        Inputs: one per feature, named as the feature; double for numbers and times (NaN where missing),
        string for categories ("" where missing); shape [N], or [N, 1] if there is one feature.
        Outputs: first ``raw`` (float, [N]), the members' weighted mean; second ``score`` (float, [N]),
        the calibrated probability. A name that is taken by a feature gets underscores behind it.

    Raises:
        ContractError: no member, other inputs among members, or a weight that is not positive.
        BundleError: the graph is larger than ONNX allows.
    """
    shares = _shares([weight for _, weight in members])
    size = sum(graph.ByteSize() for graph, _ in members)
    if size > _MOST_BYTES:
        raise BundleError(
            "the model is too large to ship",
            value=f"{size / 2**30:.1f} GiB",
            allowed="less than 2 GiB (ONNX)",
            remedy="set search.ensemble: 1, or leave out the forests with search.families",
        )
    inputs = list(members[0][0].graph.input)
    taken = {value.name for value in inputs}
    nodes: list[NodeProto] = []
    constants: list[onnx.TensorProto] = []
    scores = []
    shared: set[str] = set()
    for number, (model, _) in enumerate(members):
        refuse_other_opsets(model)
        if [value.SerializeToString() for value in model.graph.input] != [
            value.SerializeToString() for value in inputs
        ]:
            raise ContractError(f"member {number} has other inputs than member 0")
        scores.append(_add_member(model.graph, number, taken, shared, nodes, constants))
    raw = free_name("raw", taken)
    score = free_name("score", taken)
    _add_mean(scores, shares, raw, nodes, constants)
    last_nodes, last_constants = calibration_nodes(calibration, raw, score)
    graph = helper.make_graph(
        nodes + last_nodes,
        "minorkey",
        inputs,
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N"]) for name in (raw, score)],
        initializer=constants + last_constants,
    )
    composed = as_model(graph)
    onnx.checker.check_model(composed)
    return composed


def _shares(weights: list[float]) -> list[float]:
    total = sum(weights)
    if not weights or not all(weight > 0 for weight in weights) or not np.isfinite(total):
        raise ContractError(f"expected members with positive weights, got {weights}")
    return [weight / total for weight in weights]


def _add_member(
    graph: onnx.GraphProto,
    number: int,
    inputs: set[str],
    shared: set[str],
    nodes: list[NodeProto],
    constants: list[onnx.TensorProto],
) -> str:
    """Add a member's nodes under its own names, its preprocessing only if it is new; its score's name."""

    def rename(name: str) -> str:
        return name if name in inputs or _is_preprocessing(name) else f"member.{number}/{name}"

    digests = {_digest(name) for node in graph.node for name in node.output if _is_preprocessing(name)}
    known = digests & shared
    shared |= digests
    nodes += renamed_nodes((node for node in graph.node if _digest(node.output[0]) not in known), rename)
    constants += renamed_constants(
        (constant for constant in graph.initializer if _digest(constant.name) not in known), rename
    )
    return rename(graph.output[0].name)


def _add_mean(
    scores: list[str],
    shares: list[float],
    raw: str,
    nodes: list[NodeProto],
    constants: list[onnx.TensorProto],
) -> None:
    if len(scores) == 1:
        nodes.append(helper.make_node("Identity", scores, [raw], name=raw))
        return
    values = {
        "mean/shape": np.array([len(scores), -1], np.int64),
        "mean/shares": np.array(shares, np.float64)[:, None],
        "mean/axis": np.array([0], np.int64),
    }
    constants += [numpy_helper.from_array(value, name) for name, value in values.items()]
    nodes += [
        helper.make_node("Concat", scores, ["mean/flat"], axis=0),
        helper.make_node("Reshape", ["mean/flat", "mean/shape"], ["mean/float"]),
        helper.make_node("Cast", ["mean/float"], ["mean/double"], to=TensorProto.DOUBLE),
        helper.make_node("Mul", ["mean/double", "mean/shares"], ["mean/parts"]),
        helper.make_node("ReduceSum", ["mean/parts", "mean/axis"], ["mean/sum"], keepdims=0),
        helper.make_node("Cast", ["mean/sum"], [raw], to=TensorProto.FLOAT),
    ]


def _is_preprocessing(name: str) -> bool:
    return name.startswith("pre.") and "/" in name


def _digest(name: str) -> str:
    """The digest in the name of a preprocessing value, "" for any other."""
    return name[4:].partition("/")[0] if _is_preprocessing(name) else ""
