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
from minorkey.lease.holder import EXPIRY_SECONDS, Holder, in_flight

__all__ = ["FolderLeases"]


class FolderLeases:
    """Leases in a folder of this machine.

    Args:
        folder: made when a lease is first taken.
        validity: seconds that a lease lasts without a sign of its run.
    """

    def __init__(self, folder: Path, *, validity: float = EXPIRY_SECONDS) -> None:
        self._folder = folder
        self._validity = validity

    def take(self, model: str, run_key: str, *, owner: str = "") -> Holder:
        """Take the lease of a model, or renew it if this run holds it already."""
        taken = Holder(run_key, socket.gethostname(), owner, time.time())
        with self._locked(model) as path:
            current = _read(path)
            if current is not None and current.run_key != run_key and self._alive(current):
                raise in_flight(model, current, time.time(), f"delete {path}")
            _write(path, taken)
        return taken

    def renew(self, model: str, run_key: str) -> bool:
        """Say that the run is alive; False if it does not hold the lease."""
        with self._locked(model) as path:
            current = _read(path)
            if current is None or current.run_key != run_key:
                return False
            _write(path, dataclasses.replace(current, heartbeat=time.time()))
            return True

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
        return current if current is not None and self._alive(current) else None

    def _alive(self, current: Holder) -> bool:
        return current.alive(validity=self._validity)

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


def _write(path: Path, holder: Holder) -> None:
    aside = path.with_suffix(f".{os.getpid()}.partial")
    try:
        aside.write_text(json.dumps(dataclasses.asdict(holder)), encoding="utf-8")
        aside.replace(path)
    except OSError:
        aside.unlink(missing_ok=True)
        raise


def _read(path: Path) -> Holder | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        # What a newer minorkey says beside is passed over: its run is in flight all the same.
        return Holder(**{field.name: content[field.name] for field in dataclasses.fields(Holder)})
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
