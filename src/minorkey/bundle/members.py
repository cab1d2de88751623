"""One member: a fold's preprocessing and a fitted model as a single graph over raw columns."""

import numpy as np
import onnx
import pandas as pd
from onnx import TensorProto, helper

from minorkey.bundle.graphs import as_model, refuse_other_opsets, renamed_constants, renamed_nodes
from minorkey.bundle.session import Session
from minorkey.data.dataset import Scores
from minorkey.data.preprocessing import Preprocessor
from minorkey.data.preprocessing_onnx import free_name
from minorkey.errors import ContractError
from minorkey.models.family import FittedModel

__all__ = ["check_parity", "member_graph"]


def member_graph(preprocessor: Preprocessor, fitted: FittedModel) -> onnx.ModelProto:
    """The graph from raw columns to the member's score.

    Args:
        preprocessor: fitted on the same rows as the model.
        fitted: its graph goes from ``features`` (float, [N, p]) to ``score`` (float, [N]).

    Returns:
        One input per feature; one output (float, [N]), called ``score`` unless a feature is called so.
        Values of the preprocessing are named ``pre.<digest>/...``, those of the model ``model/...``.

    Raises:
        ContractError: the model's graph has other inputs, outputs or operator versions than agreed.
    """
    before, model = preprocessor.to_onnx().graph, fitted.to_onnx()
    refuse_other_opsets(model)
    ends = [value.name for value in model.graph.input], [value.name for value in model.graph.output]
    if [len(names) for names in ends] != [1, 1]:
        raise ContractError(f"expected a model graph with one input and one output, got {ends}")
    matrix, passed = before.output[0].name, f"pre.{preprocessor.digest}/features"
    score = free_name("score", {value.name for value in before.input})
    places = {ends[0][0]: passed, ends[1][0]: score}

    def inside(name: str) -> str:
        return places.get(name, f"model/{name}")

    graph = helper.make_graph(
        renamed_nodes(before.node, lambda name: passed if name == matrix else name)
        + renamed_nodes(model.graph.node, inside),
        "member",
        list(before.input),
        [helper.make_tensor_value_info(score, TensorProto.FLOAT, ["N"])],
        initializer=[*before.initializer, *renamed_constants(model.graph.initializer, inside)],
    )
    return as_model(graph)


def check_parity(
    graph: onnx.ModelProto, features: pd.DataFrame, expected: Scores, *, tolerance: float = 1e-5
) -> float:
    """Compare a graph's scores with those of the Python object that it was exported from.

    Args:
        graph: a member's graph, or a composed one (its first output is compared: the raw score).
        features: canonical features.
        expected: shape (n,), scores of the Python object.
        tolerance: largest difference allowed.

    Returns:
        The largest absolute difference.

    Raises:
        ContractError: a difference beyond the tolerance, or a score that is not a number in [0, 1].
    """
    session = Session(graph.SerializeToString())
    found = session.run({name: features[name].to_numpy() for name in session.names})[0]
    if not np.isfinite(found).all() or (len(found) and (found.min() < 0 or found.max() > 1)):
        raise ContractError("the graph gives scores that are not numbers in [0, 1]")
    differences = np.abs(found - np.asarray(expected, np.float64))
    worst = int(differences.argmax()) if len(differences) else 0
    largest = float(differences[worst]) if len(differences) else 0.0
    if not largest <= tolerance:
        raise ContractError(
            f"the graph's scores differ from the model's by {largest:.2g} (allowed: {tolerance:.2g}) on "
            f"{int((differences > tolerance).sum()):,} of {len(differences):,} rows; worst is row {worst}: "
            f"{found[worst]:.9g} against {expected[worst]:.9g}"
        )
    return largest
