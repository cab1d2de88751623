"""What a container runs: its own command, or its image's entry point."""

import sys
from collections.abc import Sequence

__all__ = ["ENTRYPOINT", "started_as", "words"]

#: That of minorkey's image.
ENTRYPOINT = ("tini", "-g", "--")
_PYTHONS = ("python", "python3")


def words(container: dict, entrypoint: Sequence[str]) -> list[str]:
    """What a container is told to run: ``command`` takes the place of the entry point, ``args`` follow."""
    return [*(container.get("command") or entrypoint), *(container.get("args") or ())]


def started_as(command: list[str]) -> tuple[list[str], bool]:
    """The words that begin a process of this machine, and whether tini is to be its first process.

    Tini need not be installed here: the fake plays it. The image's Python is the one that runs this.
    """
    reaped = tuple(command[: len(ENTRYPOINT)]) == ENTRYPOINT
    if reaped:
        command = command[len(ENTRYPOINT) :]
    if command and command[0] in _PYTHONS:
        command = [sys.executable, *command[1:]]
    return command, reaped
