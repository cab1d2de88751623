"""Server processes for tests: started on free ports of the loopback, and gone with the test run."""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import pytest

_PATIENCE = 200.0
_PARENT_DIED = 1


def unavailable(reason: str) -> NoReturn:
    """A server that cannot run here: a failure in CI, where nothing may be missing, else a skip."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@contextlib.contextmanager
def running(
    command: Sequence[str | Path],
    *,
    log: Path,
    ready: Callable[[], bool],
    environment: Mapping[str, str] | None = None,
    user: int | None = None,
    stop: signal.Signals = signal.SIGTERM,
) -> Iterator[subprocess.Popen[bytes]]:
    """A server from the moment it is ready until the context ends.

    Args:
        command: what to run.
        log: file for its output.
        ready: whether it answers; an exception means no.
        environment: its environment; default: this process's.
        user: number of the user and group to run as, where this process is root.
        stop: the signal that ends it.
    """
    with log.open("wb") as output:
        try:
            server = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=None if environment is None else dict(environment),
                cwd=log.parent,
                start_new_session=True,
                user=user,
                group=user,
                extra_groups=None if user is None else [],
                preexec_fn=lambda: ctypes.CDLL(None).prctl(_PARENT_DIED, int(stop)),
            )
        except OSError as error:
            unavailable(f"{command[0]} cannot be run: {error}")
        try:
            _await(server, ready, log)
            yield server
        finally:
            server.send_signal(stop)
            try:
                server.wait(20)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(server.pid, signal.SIGKILL)
                server.wait()


def _await(server: subprocess.Popen[bytes], ready: Callable[[], bool], log: Path) -> None:
    end = time.monotonic() + _PATIENCE
    while server.poll() is None and time.monotonic() < end:
        with contextlib.suppress(Exception):
            if ready():
                return
        time.sleep(0.05)
    said = log.read_text(errors="replace")[-2_000:]
    unavailable(f"{server.args[0]} does not serve (exit status {server.poll()}): {said}")  # type: ignore[index]
