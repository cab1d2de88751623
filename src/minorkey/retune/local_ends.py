"""Ends a run of this machine: its supervisor, its command and all that belongs to them."""

import json
import os
import signal
from contextlib import suppress
from pathlib import Path

import psutil

from minorkey.retune.supervisor import PROCESSES

__all__ = ["end_processes"]


def end_processes(folder: Path, *, by_force: bool) -> None:
    """Signal the process group of a run, if one of the processes that its folder names still lives in it.

    The steps of its pipeline end with the command: they watch it. A process that has ended meanwhile, or
    another one that has got its number, is left alone.

    Args:
        folder: of the run.
        by_force: kill instead of asking.

    Raises:
        OSError: the processes belong to another user.
    """
    try:
        named = json.loads((folder / PROCESSES).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return
    group = int(named[0]["pid"])  # The supervisor began a session, and so a group of its own.
    for one in named:
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            pid = int(one["pid"])
            if psutil.Process(pid).create_time() == one["created"] and os.getpgid(pid) == group:
                os.killpg(group, signal.SIGKILL if by_force else signal.SIGTERM)
                return
