"""The same model with another calibration: what comes before the raw score stays as it is."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import onnx

from minorkey.bundle.bundle import BundleInfo, write_bundle
from minorkey.bundle.calibration_onnx import calibration_nodes
from minorkey.bundle.manifest import GRAPH, read_verified
from minorkey.errors import BundleError
from minorkey.evaluation.calibration import Calibration

__all__ = ["write_recalibrated"]


def write_recalibrated(
    source: Path, folder: Path, calibration: Calibration, threshold: float, **changes: Any
) -> str:
    """Write a bundle that differs from another in its calibration, threshold and what it says of itself.

    Args:
        source: folder of the other bundle.
        folder: where the new one goes.
        calibration: from the raw score to a probability.
        threshold: rows with a calibrated score of at least this are called positive.
        changes: other fields of `BundleInfo`.

    Returns:
        The new bundle's digest.

    Raises:
        BundleError: the other bundle is altered, or its graph has another form than `compose` gives.
        StateError: the folder cannot be written.
    """
    manifest, files = read_verified(Path(source))
    info = BundleInfo.from_json(manifest)
    graph = _recalibrated(onnx.load_model_from_string(files[GRAPH]), calibration)
    return write_bundle(folder, graph, replace(info, calibration=calibration, threshold=threshold, **changes))


def _recalibrated(model: onnx.ModelProto, calibration: Calibration) -> onnx.ModelProto:
    graph = model.graph
    if len(graph.output) != 2:
        raise BundleError(
            "the graph has no raw score and score",
            key="model.onnx",
            value=[output.name for output in graph.output],
            allowed="two outputs, the raw score and the calibrated score",
            remedy="use a bundle that minorkey has written",
        )
    raw, score = (output.name for output in graph.output)
    nodes, constants = calibration_nodes(calibration, raw, score)
    kept = _needed(graph, raw)
    used = {name for node in kept for name in node.input}
    initializers = [constant for constant in graph.initializer if constant.name in used]
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    for field, values in (("node", [*kept, *nodes]), ("initializer", [*initializers, *constants])):
        changed.graph.ClearField(field)
        getattr(changed.graph, field).extend(values)
    onnx.checker.check_model(changed)
    return changed


def _needed(graph: onnx.GraphProto, wanted: str) -> list[onnx.NodeProto]:
    """The nodes that a value rests on, in their order."""
    needed, kept = {wanted}, []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            kept.append(node)
            needed.update(node.input)
    return kept[::-1]
