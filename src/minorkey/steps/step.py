"""What every step has in common: it says when it starts and ends, and how it fails on bad input."""

import errno
import functools
import os
import resource
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import ParamSpec, TypeVar

from minorkey.aside import put_text
from minorkey.errors import InputError, StateError
from minorkey.progress import emit
from minorkey.run_state import when_owner_dies
from minorkey.settings import settings

__all__ = ["step"]

P = ParamSpec("P")
R = TypeVar("R")

_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)


def step(run: Callable[P, R]) -> Callable[P, R]:
    """Decorate a step's ``run``: progress events, and bad input as one message instead of a traceback.

    An `InputError` is written to ``settings().error`` (where set), printed once on standard error,
    and ends the process with its exit code.
    """
    name = run.__module__.rpartition(".")[2]

    @functools.wraps(run)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        if settings().owner_lock:
            when_owner_dies(Path(settings().owner_lock), lambda: os._exit(1))
        try:
            return _on_a_sound_disk(timed, *args, **kwargs)
        except InputError as error:
            print(f"error: {error}", file=sys.stderr)
            with suppress(OSError):  # a full disk has no room for these two either
                _leave(error)
                emit("step_failed", step=name, problem=error.problem)
            raise SystemExit(error.exit_code) from None

    def timed(*args: P.args, **kwargs: P.kwargs) -> R:
        emit("step_started", step=name)
        started, cpu = time.monotonic(), _cpu_seconds()
        result = run(*args, **kwargs)
        emit(
            "step_finished",
            step=name,
            seconds=round(time.monotonic() - started, 3),
            cpu_seconds=round(_cpu_seconds() - cpu, 3),
        )
        return result

    return wrapped


def _on_a_sound_disk(run: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    try:
        return run(*args, **kwargs)
    except OSError as error:
        if error.errno not in _DISK:
            raise
        raise StateError(
            "the disk is full or cannot be written",
            key=str(error.filename or Path.cwd()),
            value=error.strerror,
            remedy="make room, or choose another folder (--out; MINORKEY_HOME for what outlives a run)",
        ) from error


def _leave(error: InputError) -> None:
    if settings().error:
        path = Path(settings().error)
        put_text(path, error.dumps())


def _cpu_seconds() -> float:
    """CPU seconds of this process and of the children it has waited for."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
