"""Renaming the values of an ONNX graph, so that graphs can be put together."""

from collections.abc import Callable, Iterable

import onnx

from minorkey.errors import ContractError
from minorkey.models.graph import IR_VERSION, ML_OPSET, OPSET

__all__ = ["as_model", "refuse_other_opsets", "renamed_constants", "renamed_nodes"]

Rename = Callable[[str], str]

_OPSETS = {"": OPSET, "ai.onnx.ml": ML_OPSET}


def renamed_nodes(nodes: Iterable[onnx.NodeProto], rename: Rename) -> list[onnx.NodeProto]:
    """Copies of nodes whose inputs, outputs and names are renamed, in subgraphs too."""
    copies = []
    for node in nodes:
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        # An empty name stands for an input that is left out.
        copy.input[:] = [rename(name) if name else "" for name in node.input]
        copy.output[:] = [rename(name) if name else "" for name in node.output]
        copy.name = rename(node.name) if node.name else ""
        for attribute in copy.attribute:
            for graph in (attribute.g, *attribute.graphs) if attribute.HasField("g") else attribute.graphs:
                _rename_graph(graph, rename)
        copies.append(copy)
    return copies


def renamed_constants(constants: Iterable[onnx.TensorProto], rename: Rename) -> list[onnx.TensorProto]:
    """Copies of initializers under other names."""
    copies = []
    for constant in constants:
        copy = onnx.TensorProto()
        copy.CopyFrom(constant)
        copy.name = rename(constant.name)
        copies.append(copy)
    return copies


def as_model(graph: onnx.GraphProto) -> onnx.ModelProto:
    """The graph as a model of the versions that every graph of a bundle declares."""
    opsets = [onnx.helper.make_opsetid(domain, version) for domain, version in _OPSETS.items()]
    return onnx.helper.make_model(
        graph, producer_name="minorkey", ir_version=IR_VERSION, opset_imports=opsets
    )


def refuse_other_opsets(model: onnx.ModelProto) -> None:
    """Refuse a graph of other operator versions, which would mean something else once it is merged.

    Raises:
        ContractError: another version, another domain, or local functions.
    """
    found = {entry.domain: entry.version for entry in model.opset_import}
    if any(_OPSETS.get(domain) != version for domain, version in found.items()) or len(model.functions):
        raise ContractError(
            f"expected a graph of the operator sets {_OPSETS} without local functions, got {found} and "
            f"{len(model.functions)} functions; see minorkey.models.graph"
        )


def _rename_graph(graph: onnx.GraphProto, rename: Rename) -> None:
    nodes = renamed_nodes(graph.node, rename)
    constants = renamed_constants(graph.initializer, rename)
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(constants)
    for value in (*graph.input, *graph.output, *graph.value_info):
        value.name = rename(value.name)
