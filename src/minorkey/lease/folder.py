"""Leases as files of a folder, one a model."""

import dataclasses
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from minorkey.errors import StateError
from minorkey.lease.holder import Holder, in_flight

__all__ = ["FolderLeases"]


class FolderLeases:
    """Leases in a folder of this machine.

    Args:
        folder: made when a lease is first taken.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def take(self, model: str, run_key: str, *, owner: str = "") -> Holder:
        """Take the lease of a model, or renew it if this run holds it already."""
        taken = Holder(run_key, socket.gethostname(), owner, time.time())
        with self._locked(model) as path:
            current = _read(path)
            if current is not None and current.run_key != run_key and current.alive():
                raise in_flight(model, current, time.time(), f"delete {path}")
            aside = path.with_suffix(f".{os.getpid()}.partial")
            try:
                aside.write_text(json.dumps(dataclasses.asdict(taken)), encoding="utf-8")
                aside.replace(path)
            except OSError:
                aside.unlink(missing_ok=True)
                raise
        return taken

    def release(self, model: str, run_key: str) -> bool:
        """Give the lease back; False if this run does not hold it."""
        with self._locked(model) as path:
            current = _read(path)
            if current is None or current.run_key != run_key:
                return False
            path.unlink()
            return True

    def holder(self, model: str) -> Holder | None:
        """The run that holds the lease and may still be going on, if any."""
        current = _read(self._path(model))
        return current if current is not None and current.alive() else None

    @contextmanager
    def _locked(self, model: str) -> Iterator[Path]:
        path = self._path(model)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(path.with_suffix(".lock")):
                yield path
        except OSError as error:
            raise StateError(
                "the folder of leases cannot be written",
                key=str(path.parent),
                value=error.strerror or error,
                remedy="set MINORKEY_HOME to a writable folder with space",
            ) from None

    def _path(self, model: str) -> Path:
        return self._folder / f"{model}.json"


def _read(path: Path) -> Holder | None:
    try:
        return Holder(**json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None
