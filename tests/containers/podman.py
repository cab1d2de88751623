"""Containers of the images, started as a cluster would: plain user, read-only root, no capabilities."""

import json
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["PIPELINE", "PREDICTOR", "Container", "inspect", "once", "shared", "started"]

PIPELINE = "localhost/minorkey-pipeline:python3.11"
PREDICTOR = "localhost/minorkey-predictor:python3.11"

#: What a start in a sandbox needs: limits that its own do not exceed.
_SANDBOX = [
    "podman",
    "--runtime=runc",
    "run",
    "--rm",
    "--ulimit=nofile=1024:1024",
    "--ulimit=nproc=1024:1024",
]
_RESTRICTED = ["--read-only", "--read-only-tmpfs=false", "--tmpfs=/tmp", "--cap-drop=all"]
_RESTRICTED += ["--security-opt=no-new-privileges"]


@dataclass
class Container:
    """A container under way."""

    name: str
    process: "subprocess.Popen[str]"

    def execute(self, *command: str) -> str:
        done = subprocess.run(
            ["podman", "exec", self.name, *command], check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def await_line(self, text: str, seconds: float = 60) -> None:
        """Read what it prints until a line holds the text."""
        until = time.monotonic() + seconds
        for line in self.process.stdout or ():
            if text in line:
                return
            assert time.monotonic() < until, f"it did not print {text!r}"
        raise AssertionError(f"it ended without printing {text!r}")

    def stop(self, *, grace: int = 30) -> tuple[int, float]:
        """Send SIGTERM, and SIGKILL after the grace period as a kubelet would.

        Returns:
            The exit status and how many seconds it took.
        """
        began = time.monotonic()
        subprocess.run(["podman", "stop", f"--time={grace}", self.name], check=True, capture_output=True)
        taken = time.monotonic() - began
        return self.process.wait(timeout=30), taken


def _command(image: str, arguments: list[str], options: list[str], network: str) -> list[str]:
    return [*_SANDBOX, *_RESTRICTED, f"--network={network}", *options, image, *arguments]


def once(
    image: str, *arguments: str, options: list[str] | None = None, network: str = "none"
) -> "subprocess.CompletedProcess[str]":
    """Run a container to its end."""
    command = _command(image, list(arguments), options or [], network)
    return subprocess.run(command, capture_output=True, text=True)


@contextmanager
def started(
    image: str, *arguments: str, options: list[str] | None = None, network: str = "none"
) -> Iterator[Container]:
    """A running container, removed at the end whatever happens."""
    name = f"minorkey-test-{uuid.uuid4().hex[:12]}"
    command = _command(image, list(arguments), [f"--name={name}", *(options or [])], network)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield Container(name, process)
    finally:
        subprocess.run(["podman", "rm", "--force", "--ignore", "--time=0", name], capture_output=True)
        process.wait(timeout=30)
        if process.stdout:
            process.stdout.close()


def inspect(image: str) -> dict[str, Any]:
    done = subprocess.run(["podman", "image", "inspect", image], check=True, capture_output=True, text=True)
    (found,) = json.loads(done.stdout)
    return found


def shared(folder: Path) -> Path:
    """A folder that the container's user may write to."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o777)
    return folder
