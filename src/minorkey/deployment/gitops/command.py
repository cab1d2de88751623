"""The git command: run in a folder of its own, with a time limit, never with a secret in its arguments."""

import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from minorkey.errors import MinorkeyError, StateError

__all__ = ["Done", "Git", "GitFailed"]


@dataclass(frozen=True)
class Done:
    """What a command left."""

    code: int
    out: bytes
    told: str


class GitFailed(MinorkeyError):
    """A command that works on this machine's own files failed: a defect, or a full disk."""


class Git:
    """git in one folder.

    Args:
        folder: a bare repository, or where one is to be.
        environment: every variable that git has.
        seconds: how long one command may take.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str], seconds: float = 120.0) -> None:
        self.folder = folder
        self._environment = {**environment, "GIT_DIR": str(folder), "GIT_INDEX_FILE": str(folder / "index")}
        self._seconds = seconds

    def local(self, *arguments: str, given: bytes = b"") -> bytes:
        """What a command prints that touches this folder alone.

        Raises:
            GitFailed: it failed.
        """
        done = self.run(*arguments, given=given)
        if done.code:
            raise GitFailed(f"git {arguments[0]} failed: {done.told.strip() or done.code}")
        return done.out

    def run(self, *arguments: str, given: bytes = b"") -> Done:
        """Run a command to its end; one that takes too long is ended with all that it started.

        Raises:
            StateError: there is no git here.
        """
        try:
            process = subprocess.Popen(  # noqa: S603
                ["git", *arguments],  # noqa: S607
                env=self._environment,
                cwd=self.folder.parent,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except FileNotFoundError:
            raise StateError(
                "git is not installed",
                key="git",
                remedy="install git 2.31 or later (the pipeline's image has it), and openssh-client for ssh",
            ) from None
        try:
            out, told = process.communicate(given, timeout=self._seconds)
        except subprocess.TimeoutExpired:
            _end(process)
            return Done(-1, b"", f"fatal: timed out after {self._seconds:g} seconds")
        except BaseException:
            _end(process)
            raise
        return Done(process.returncode, out, told.decode("utf-8", "replace"))


def _end(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
