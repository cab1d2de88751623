"""One run in flight a model, whoever started it.

A lease is a small file per model in ``settings().home/leases``. It belongs to a run, not to a process,
because the steps of a run are processes of their own: `load` takes it, the end of the run releases it.
A run whose owner's lock is free (the kernel frees it when the owner dies, however it dies), or whose owner
cannot be looked at and which has not been heard of for half a day, has lost its lease.
"""

import dataclasses
import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from minorkey.errors import StateError
from minorkey.settings import settings

__all__ = ["EXPIRY_SECONDS", "Holder", "holder", "release", "take"]

#: A lease whose owner cannot be looked at (another host, or unknown) ends this long after its last sign.
EXPIRY_SECONDS = 12 * 3600.0


@dataclass(frozen=True)
class Holder:
    """The run that holds a model's lease.

    Attributes:
        run_key: the run.
        host: where it was started.
        owner: file there that the run's owner keeps locked, "" if there is none.
        heartbeat: when the run was last heard of, seconds since 1970.
    """

    run_key: str
    host: str
    owner: str
    heartbeat: float

    def alive(self) -> bool:
        """Whether the run may still be going on."""
        if self.owner and self.host == socket.gethostname():
            return _is_locked(Path(self.owner))
        return time.time() - self.heartbeat < EXPIRY_SECONDS


def take(model: str, run_key: str, *, owner: str = "") -> Holder:
    """Take the lease of a model, or renew it if this run holds it already.

    Args:
        model: name of the model.
        run_key: the run that takes it.
        owner: file that the run's owner keeps locked with ``flock``, "" if there is none.

    Raises:
        StateError: another run that is alive holds it, or the folder is not writable.
    """
    taken = Holder(run_key, socket.gethostname(), owner, time.time())
    with _locked(model) as path:
        current = _read(path)
        if current is not None and current.run_key != run_key and current.alive():
            raise StateError(
                f"a run of model {model} is in flight",
                key=f"model {model}",
                value=f"run {current.run_key} on {current.host}, last heard of "
                f"{time.time() - current.heartbeat:.0f} s ago ({current.owner or 'no owner known'})",
                allowed="one run of a model at a time",
                remedy=f"wait for it or end it, or use another model name (if it is gone, delete {path})",
            )
        aside = path.with_suffix(f".{os.getpid()}.partial")
        try:
            aside.write_text(json.dumps(dataclasses.asdict(taken)), encoding="utf-8")
            aside.replace(path)
        except OSError:
            aside.unlink(missing_ok=True)
            raise
    return taken


def release(model: str, run_key: str) -> bool:
    """Give the lease back; False if this run does not hold it."""
    with _locked(model) as path:
        current = _read(path)
        if current is None or current.run_key != run_key:
            return False
        path.unlink()
        return True


def holder(model: str) -> Holder | None:
    """The run that holds the lease and may still be going on, if any."""
    current = _read(_path(model))
    return current if current is not None and current.alive() else None


@contextmanager
def _locked(model: str) -> Iterator[Path]:
    path = _path(model)
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


def _path(model: str) -> Path:
    return settings().home / "leases" / f"{model}.json"


def _read(path: Path) -> Holder | None:
    try:
        return Holder(**json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def _is_locked(owner: Path) -> bool:
    try:
        with owner.open(encoding="utf-8") as stream:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
