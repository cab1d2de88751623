"""A bundle's graph as a model in MLflow's ONNX flavour, with where it came from."""

import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import numpy as np

from minorkey.bundle.bundle import Bundle
from minorkey.bundle.manifest import GRAPH
from minorkey.serving.samples import sample_rows
from minorkey.tracking import RunTracker

__all__ = ["lineage_tags", "log_graph"]

#: What MLflow's ONNX flavour needs to load the model.
_NEEDED = ("onnx", "onnxruntime", "numpy", "pandas")


def log_graph(bundle: Bundle, tracker: RunTracker, tags: Mapping[str, str]) -> tuple[str, str]:
    """Log the graph in MLflow's ONNX flavour; its URI and id.

    The signature is one of tensors: with one of columns pandas 3 hands its own string arrays to
    onnxruntime, which refuses them.
    """
    import mlflow
    import mlflow.onnx
    import onnx
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec

    graph = onnx.load(bundle.folder / GRAPH)
    features = bundle.info.schema.features
    shape = (-1, 1) if len(features) == 1 else (-1,)
    kinds = {
        feature.name: np.dtype(str if feature.kind == "categorical" else "float64") for feature in features
    }
    signature = ModelSignature(
        Schema([TensorSpec(kind, shape, name) for name, kind in kinds.items()]),
        Schema([TensorSpec(np.dtype("float32"), (-1,), output.name) for output in graph.graph.output]),
    )
    rows = sample_rows(bundle.info, 2)
    example = {name: values.astype(kinds[name]).reshape(shape) for name, values in rows.items()}
    with mlflow.start_run(run_id=tracker.run_id):
        logged = mlflow.onnx.log_model(
            graph,
            name="model",
            signature=signature,
            input_example=example,
            pip_requirements=[
                f"{name}=={version(name)}" for name in ("onnx", "onnxruntime", "numpy", "pandas")
            ],
            onnx_execution_providers=["CPUExecutionProvider"],
            onnx_session_options={"intra_op_num_threads": 1},
            save_as_external_data=False,
            tags=dict(tags),
        )
    return str(logged.model_uri), str(logged.model_id)


def lineage_tags(bundle: Bundle, run_key: str, bundle_uri: str) -> dict[str, str]:
    """Where a version comes from, as tags: the bundle's lineage, its digest and place, the code's commit."""
    tags = {
        f"minorkey.{key}": str(value)
        for key, value in bundle.info.lineage.items()
        if isinstance(value, str | int | float)
    }
    tags |= {"minorkey.run_key": run_key, "minorkey.digest": bundle.digest, "minorkey.bundle_uri": bundle_uri}
    sha = _git_sha()
    return tags | ({"minorkey.git_sha": sha} if sha else {})


def _git_sha() -> str:
    """Commit of the checkout that this code runs from, "" outside of one."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout.strip()  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return ""
