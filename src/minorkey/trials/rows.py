"""The training set on its way to other machines: put under the study root once, fetched once a machine."""

import hashlib
import json
import shutil
import tempfile
import uuid
from pathlib import Path

from minorkey.data.training_set import TrainingSet
from minorkey.errors import StateError
from minorkey.settings import settings
from minorkey.trials.study_root import StudyRoot, open_root

__all__ = ["fetch_rows", "put_rows"]

#: Marks a place under the study root, as opposed to a folder.
_SCHEME = "study:"
_LIST = "complete.json"


def put_rows(training: TrainingSet, root: StudyRoot) -> str:
    """Put the rows and folds under ``data/<digest>/`` unless they are there.

    Each file's key carries the digest of its content and the list of files comes last, so that a writer
    that was killed leaves nothing that could be taken for the whole.

    Returns:
        What `fetch_rows` takes.

    Raises:
        StateError: the study root is full or not writable.
    """
    prefix = f"data/{training.digest}"
    if root.get(f"{prefix}/{_LIST}") is None:
        with tempfile.TemporaryDirectory() as aside:
            training.write(Path(aside) / "rows")
            files = {}
            for file in sorted((Path(aside) / "rows").iterdir()):
                content = file.read_bytes()
                files[file.name] = f"{_digest(content)}-{file.name}"
                root.put_if_absent(f"{prefix}/{files[file.name]}", content)
        root.put_if_absent(f"{prefix}/{_LIST}", json.dumps(files).encode())
    return _SCHEME + prefix


def fetch_rows(place: str) -> Path:
    """The folder of a training set on this machine, fetched from the study root where need be.

    Args:
        place: a folder, or what `put_rows` gave.

    Raises:
        StateError: the study root does not hold the rows, or not what was put there.
    """
    if not place.startswith(_SCHEME):
        return Path(place)
    prefix = place.removeprefix(_SCHEME)
    folder = settings().home / "rows" / Path(prefix).name
    if not folder.is_dir():
        _fetch(open_root(settings().study_root), prefix, folder)
    return folder


def _fetch(root: StudyRoot, prefix: str, folder: Path) -> None:
    files: dict[str, str] = json.loads(_get(root, f"{prefix}/{_LIST}"))
    aside = folder.with_name(f".{uuid.uuid4().hex}")
    aside.mkdir(parents=True)
    try:
        for name, key in files.items():
            content = _get(root, f"{prefix}/{key}")
            if not key.startswith(_digest(content)):
                raise _missing(root, f"{prefix}/{key}", "is altered")
            (aside / name).write_bytes(content)
        try:
            aside.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _get(root: StudyRoot, key: str) -> bytes:
    content = root.get(key)
    if content is None:
        raise _missing(root, key, "is not there")
    return content


def _missing(root: StudyRoot, key: str, what: str) -> StateError:
    return StateError(
        f"a file of the training set {what}",
        key=f"{root.location}/{key}",
        remedy="check that driver and pods use the same study root, and run the same command again",
    )


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]
