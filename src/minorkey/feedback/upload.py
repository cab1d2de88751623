"""Labelled rows of production where a cluster's runs can read them."""

import tempfile
from pathlib import Path

import fsspec

from minorkey.errors import DataError, StateError
from minorkey.feedback.export import export_rows
from minorkey.feedback.service import open_intake
from minorkey.feedback.spec import load_feedback_spec
from minorkey.progress import emit
from minorkey.stores.bucket import Bucket

__all__ = ["export_to"]


def export_to(uri: str, model: str, specification: str) -> str:
    """Export a model's mature labelled rows to a URI.

    Args:
        uri: of the Parquet file; whatever lies there is replaced.
        model: name of the model.
        specification: file of the feedback service's specification.

    Returns:
        The URI, "" where there is no such row yet.

    Raises:
        SpecError: the specification cannot be read, or does not name the model.
        StateError: the database or the store does not answer.
    """
    with tempfile.TemporaryDirectory(prefix="minorkey-") as folder:
        file = Path(folder) / "rows.parquet"
        try:
            export_rows(open_intake(load_feedback_spec(Path(specification))), model, file)
        except DataError as error:
            emit("warned", text=f"{error.problem}: the run starts from its data alone")
            return ""
        _upload(uri, file.read_bytes())
    return uri


def _upload(uri: str, content: bytes) -> None:
    root, _, name = uri.rpartition("/")
    if uri.startswith("s3://"):
        Bucket(root).put(name, content)
        return
    try:
        store, path = fsspec.core.url_to_fs(uri)
        store.makedirs(str(Path(path).parent), exist_ok=True)
        store.pipe_file(path, content)
    except (OSError, ImportError, ValueError) as error:
        raise StateError(
            "the labelled rows cannot be written",
            key=uri,
            value=error,
            remedy="check kubeflow.feedback_root, its credentials and free space",
        ) from None
