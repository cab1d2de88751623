"""bundle.json: every other file's digest, and a digest over them all, checked before anything is loaded."""

import hashlib
import json
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from minorkey.errors import BundleError, StateError

__all__ = ["FORMAT", "GRAPH", "MANIFEST", "read_verified", "write_folder"]

#: Version of the bundle's format. A reader refuses any other.
FORMAT = 1
MANIFEST, GRAPH = "bundle.json", "model.onnx"

_NOT_PLAIN = "the bundle holds something else than plain files"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_MOST_MANIFEST_BYTES, _MOST_FILE_BYTES = 64 * 2**20, 2**31


def write_folder(folder: Path, files: Mapping[str, bytes], content: dict[str, Any]) -> str:
    """Write a bundle's folder aside and put it in place by a rename.

    Args:
        folder: where it goes; an empty folder or an older bundle there is replaced.
        files: every file but the manifest.
        content: the manifest's content; numbers that are not finite are written as null.

    Returns:
        The bundle's digest.

    Raises:
        StateError: the folder holds something else, or cannot be written.
    """
    listed = {
        name: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)} for name, data in files.items()
    }
    manifest = {**_plain(content), "format": FORMAT, "files": listed}
    manifest["digest"] = _digest(manifest)
    text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    # Lone surrogates of the data's own names survive as JSON escapes.
    encoded = text.encode("utf-8", "backslashreplace")
    folder = folder.absolute()
    aside: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _refuse_other_content(folder)
        aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        aside.chmod(0o755)
        for name, data in {**files, MANIFEST: encoded}.items():
            (aside / name).write_bytes(data)
        _put_in_place(aside, folder)
    except OSError as error:
        raise StateError(
            "the bundle cannot be written",
            key=str(folder),
            value=error.strerror or error,
            remedy="name a folder that you may write to, on a disk with room",
        ) from None
    finally:
        if aside is not None:
            shutil.rmtree(aside, ignore_errors=True)
    return str(manifest["digest"])


def read_verified(folder: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The manifest and every other file of a bundle, after all digests have been compared.

    Raises:
        BundleError: altered, incomplete, of another format, or with files that do not belong to it.
    """
    try:
        entries = {entry.name: entry for entry in os.scandir(folder)}
    except OSError as error:
        raise _refused("there is no bundle", folder, value=error.strerror) from None
    if MANIFEST not in entries:
        raise _refused("there is no bundle", folder, value=f"no {MANIFEST}")
    for entry in entries.values():
        if entry.is_symlink() or not entry.is_file(follow_symlinks=False):
            raise _refused(_NOT_PLAIN, folder, value=entry.name)
    manifest = _parsed(folder / MANIFEST)
    listed = _listed(folder, manifest)
    if set(entries) != {MANIFEST, *listed}:
        wrong = ", ".join(sorted(set(entries) ^ {MANIFEST, *listed}))
        raise _refused("the bundle has files too many or too few", folder, value=wrong)
    if manifest["digest"] != _digest(manifest):
        raise _refused(f"{MANIFEST} was altered", folder)
    files = {}
    for name, fact in listed.items():
        data = _read(folder / name, fact["size"])
        if len(data) != fact["size"] or hashlib.sha256(data).hexdigest() != fact["sha256"]:
            raise _refused(f"{name} was altered", folder)
        files[name] = data
    return manifest, files


def _parsed(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(_read(path, _MOST_MANIFEST_BYTES).decode("utf-8"))
    except (ValueError, RecursionError):
        raise _refused(f"{MANIFEST} is not JSON", path.parent) from None
    if not isinstance(manifest, dict) or not isinstance(manifest.get("digest"), str):
        raise _refused(f"{MANIFEST} is not a bundle's manifest", path.parent)
    if manifest.get("format") != FORMAT or isinstance(manifest.get("format"), bool):
        raise _refused(
            "the bundle has another format",
            path.parent,
            value=manifest.get("format"),
            allowed=f"format {FORMAT}",
            remedy="use the version of minorkey that wrote it: a newer one, if the number is higher",
        )
    return manifest


def _listed(folder: Path, manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    listed = manifest.get("files")
    valid = isinstance(listed, dict) and all(
        _NAME.fullmatch(name)
        and name != MANIFEST
        and isinstance(fact, dict)
        and isinstance(fact.get("sha256"), str)
        and type(fact.get("size")) is int
        and 0 <= fact["size"] <= _MOST_FILE_BYTES
        for name, fact in listed.items()
    )
    if not valid or not isinstance(listed, dict) or GRAPH not in listed:
        raise _refused(f"{MANIFEST} lists its files wrongly", folder)
    return listed


def _read(path: Path, most: int) -> bytes:
    """At most ``most`` bytes, and one more if there are more; never through a link."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _refused(
                    "the bundle holds something else than plain files", path.parent, value=path.name
                )
            return stream.read(most + 1)
    except OSError as error:
        raise _refused(f"{path.name} cannot be read", path.parent, value=error.strerror) from None


def _digest(manifest: dict[str, Any]) -> str:
    """SHA-256 over the names and digests of all files, the manifest's own without its digest."""
    own = {key: value for key, value in manifest.items() if key != "digest"}
    text = json.dumps(own, sort_keys=True)
    pairs = [(name, fact["sha256"]) for name, fact in manifest["files"].items()]
    pairs.append((MANIFEST, hashlib.sha256(text.encode()).hexdigest()))
    return hashlib.sha256(json.dumps(sorted(pairs)).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """The value as JSON knows it."""
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple | set | frozenset | np.ndarray):
        return [_plain(entry) for entry in (sorted(value) if isinstance(value, set | frozenset) else value)]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return value


def _refuse_other_content(folder: Path) -> None:
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise StateError(
            "something else lies where the bundle goes",
            key=str(folder),
            allowed="a new or empty folder, or an older bundle, which is replaced",
            remedy="name another folder, or move what lies there away",
        )
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MANIFEST).is_file():
        raise StateError(
            "the folder holds something else than a bundle",
            key=str(folder),
            allowed="a new or empty folder, or an older bundle, which is replaced",
            remedy="name another folder",
        )


def _put_in_place(aside: Path, folder: Path) -> None:
    if folder.is_dir() and any(folder.iterdir()):
        former = Path(tempfile.mkdtemp(prefix=f".{folder.name}.former.", dir=folder.parent))
        folder.rename(former)
        aside.rename(folder)
        shutil.rmtree(former, ignore_errors=True)
    else:
        aside.rename(folder)


def _refused(
    problem: str,
    folder: Path,
    *,
    value: Any = None,
    allowed: str = "a bundle as minorkey wrote it",
    remedy: str = "fetch the bundle again, or run the training again",
) -> BundleError:
    return BundleError(problem, key=str(folder), value=value, allowed=allowed, remedy=remedy)
