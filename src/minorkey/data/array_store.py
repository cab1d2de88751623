"""A content-addressed store of arrays that many processes share without locks."""

import json
import os
import shutil
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from minorkey.errors import StateError

__all__ = ["ArrayStore", "Entry"]

Arrays = dict[str, npt.NDArray[Any]]

#: What a writer that died has left behind is removed after so many seconds.
_ABANDONED_AFTER = 3_600.0
#: How often an entry may vanish or prove damaged under our hands before that is an error.
_ATTEMPTS = 5


@dataclass(frozen=True)
class Entry:
    """Arrays of one key, memory-mapped and read-only, and the JSON content kept with them."""

    key: str
    arrays: Arrays
    meta: dict[str, Any]


class ArrayStore:
    """Entries are folders that appear by one rename and vanish by one rename.

    So a reader meets an entry whole or not at all, writing twice is harmless, and a process that is
    killed leaves at most a hidden folder that is swept up later. An entry that is forgotten while it
    is mapped stays readable until it is unmapped.

    Args:
        root: folder of the store; made when first needed.
        max_bytes: beyond this size the least recently used entries are forgotten, but never the one
            just written.
    """

    def __init__(self, root: Path, max_bytes: int) -> None:
        self._root = root
        self._max_bytes = max_bytes

    def get(self, key: str, compute: Callable[[], tuple[Arrays, dict[str, Any]]]) -> Entry:
        """The entry of a key, computed and kept if it is not there.

        Args:
            key: names the content; the same key always means the same arrays.
            compute: gives the arrays and JSON content.

        Raises:
            StateError: the store cannot be written.
        """
        folder = self._root / key
        for _ in range(_ATTEMPTS):
            entry = _open(folder)
            if entry is not None:
                return entry
            arrays, meta = compute()
            try:
                _discard(folder)
                self._write(folder, arrays, meta)
                self._forget(keep=folder)
            except OSError as error:
                raise StateError(
                    "the fold store cannot be written",
                    key=str(self._root),
                    value=error.strerror or error,
                    remedy="free space, or set MINORKEY_HOME to a folder that can be written",
                ) from error
        raise StateError(
            "a fold vanished from the store each time it was written",
            key=str(folder),
            remedy="raise MINORKEY_FOLD_STORE_BYTES",
        )

    def _write(self, folder: Path, arrays: Arrays, meta: dict[str, Any]) -> None:
        aside = self._root / f".{uuid.uuid4().hex}"
        aside.mkdir(parents=True)
        try:
            for name, array in arrays.items():
                np.save(aside / f"{name}.npy", np.ascontiguousarray(array), allow_pickle=False)
            content = {"arrays": sorted(arrays), "meta": meta}
            (aside / "entry.json").write_text(json.dumps(content), encoding="utf-8")
            try:
                aside.rename(folder)
            except OSError:
                if not folder.is_dir():
                    raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    def _forget(self, keep: Path) -> None:
        """Forget the least recently used entries beyond the size bound, and what dead writers left."""
        entries = []
        for folder in self._root.iterdir():
            try:
                used, size = folder.stat().st_mtime, sum(file.stat().st_size for file in folder.iterdir())
            except OSError:
                continue
            if not folder.name.startswith("."):
                entries.append((used, size, folder))
            elif used < time.time() - _ABANDONED_AFTER:
                shutil.rmtree(folder, ignore_errors=True)
        total = sum(size for _, size, _ in entries)
        for _, size, folder in sorted(entries):
            if total <= self._max_bytes:
                break
            if folder != keep:
                _discard(folder)
                total -= size


def _open(folder: Path) -> Entry | None:
    """The entry as it lies on disk; None where it is missing, vanishing or damaged."""
    try:
        content = json.loads((folder / "entry.json").read_text(encoding="utf-8"))
        arrays = {name: _map(folder / f"{name}.npy") for name in content["arrays"]}
    except (OSError, ValueError, KeyError, EOFError):
        return None
    # Where the store is shared read-only, or the entry is being forgotten, use leaves no trace.
    with suppress(OSError):
        os.utime(folder)
    return Entry(key=folder.name, arrays=arrays, meta=content["meta"])


def _map(path: Path) -> npt.NDArray[Any]:
    """A read-only map of an array; an empty one, which no system can map, is read."""
    with path.open("rb") as stream:
        np.lib.format.read_magic(stream)
        shape = np.lib.format.read_array_header_1_0(stream)[0]
    empty = 0 in shape
    array: npt.NDArray[Any] = np.load(path, mmap_mode=None if empty else "r", allow_pickle=False)
    if empty:
        array.setflags(write=False)
    return array


def _discard(folder: Path) -> None:
    """Take an entry away at one stroke, then delete it."""
    aside = folder.with_name(f".{uuid.uuid4().hex}")
    try:
        folder.rename(aside)
    except FileNotFoundError:
        return
    shutil.rmtree(aside, ignore_errors=True)
