"""What a graph must be before onnxruntime sees it: plain operators, data inside, the promised inputs."""

from collections.abc import Iterator

import onnx
from onnx import TensorProto

from minorkey.data.dataset import Schema
from minorkey.errors import BundleError

__all__ = ["refuse_foreign"]

_DOMAINS = {"", "ai.onnx.ml"}
_ELEMENT = {"numeric": TensorProto.DOUBLE, "datetime": TensorProto.DOUBLE, "categorical": TensorProto.STRING}


def refuse_foreign(content: bytes, schema: Schema) -> None:
    """Refuse a graph that is not one of ours.

    Args:
        content: the serialised graph.
        schema: what the bundle says of its features.

    Raises:
        BundleError: it does not parse, has operators of other domains, local functions, data outside
            the file, or other inputs than one per feature.
    """
    try:
        model = onnx.load_model_from_string(content)
    except Exception as error:  # protobuf's errors share no base of their own
        raise _refused("is not an ONNX model", str(error), "a serialised ONNX model") from None
    domains = {entry.domain for entry in model.opset_import}
    domains |= {node.domain for graph in _graphs(model.graph) for node in graph.node}
    if domains - _DOMAINS:
        raise _refused(
            "uses operators of another domain",
            ", ".join(sorted(domains - _DOMAINS)),
            "the domains '' and 'ai.onnx.ml'",
        )
    if len(model.functions) or len(model.training_info):
        raise _refused("holds functions or training of its own", "", "a plain graph")
    for tensor in _tensors(model.graph):
        if tensor.data_location == TensorProto.EXTERNAL or len(tensor.external_data):
            raise _refused("points to data outside its file", tensor.name, "all data inside model.onnx")
    _refuse_other_inputs(model.graph, schema)


def _refuse_other_inputs(graph: onnx.GraphProto, schema: Schema) -> None:
    constants = {constant.name for constant in graph.initializer}
    found = {
        value.name: value.type.tensor_type.elem_type for value in graph.input if value.name not in constants
    }
    expected = {feature.name: _ELEMENT[feature.kind] for feature in schema.features}
    if found != expected:
        raise _refused(
            "has other inputs than the schema has features",
            ", ".join(sorted(set(found) ^ set(expected))) or "other types",
            "one input per feature",
        )
    if len(graph.output) != 2:
        raise _refused("has other outputs", len(graph.output), "two outputs: raw and score")


def _graphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs) if attribute.HasField("g") else attribute.graphs:
                yield from _graphs(inner)


def _tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    for inner in _graphs(graph):
        yield from inner.initializer
        for sparse in inner.sparse_initializer:
            yield from (sparse.values, sparse.indices)
        for node in inner.node:
            for attribute in node.attribute:
                yield from (attribute.t, *attribute.tensors)
                for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
                    yield from (sparse.values, sparse.indices)


def _refused(problem: str, value: object, allowed: str) -> BundleError:
    return BundleError(
        f"the bundle's graph {problem}",
        key="model.onnx",
        value=value or None,
        allowed=allowed,
        remedy="use a bundle as minorkey wrote it",
    )
