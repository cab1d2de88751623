"""The predictor process of each model on this machine: started detached, swapped, restored, stopped.

Everything about it lies in ``settings().home/serving/<model>/``: ``server.json`` (pid, url), ``current.json``
(what it is to serve) and ``predictor.log``.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version as package_version
from pathlib import Path

from filelock import FileLock, Timeout

from minorkey.errors import StateError
from minorkey.serving.pointer import Target, read_pointer, write_pointer
from minorkey.serving.process import FORMAT, POINTER, RECORD
from minorkey.serving.running import LocalServer, end, folder_of, models, served_version, status
from minorkey.settings import settings

__all__ = [
    "LocalServer",
    "Served",
    "current_target",
    "models",
    "restore",
    "served",
    "start",
    "status",
    "stop",
]

_START_SECONDS = 60.0
_LOG = "predictor.log"
#: The step's own channels: the predictor outlives the step and must not write to them.
_NOT_INHERITED = ("MINORKEY_EVENTS", "MINORKEY_ERROR", "MINORKEY_RUN_KEY")


@dataclass(frozen=True)
class Served:
    """What a model had at one moment.

    Attributes:
        target: what its predictor was to serve, None if it never served.
        server: the predictor, None if none ran.
    """

    target: Target | None
    server: LocalServer | None


def start(model: str, bundle: Path, version: str, *, host: str = "127.0.0.1", port: int = 0) -> LocalServer:
    """Make a bundle serve: swap it into the model's running predictor, or start one.

    Args:
        model: the name to serve.
        bundle: the bundle's folder.
        version: the version to serve it as.
        host: address to bind.
        port: port to bind; 0: the running predictor's, or any free one.

    Returns:
        The predictor, once it answers as this version.

    Raises:
        StateError: it does not start, does not swap, or another process is deploying this model.
    """
    with _lock(model):
        return _serve(model, Target(version, str(bundle.absolute())), host, port)


def stop(model: str) -> bool:
    """End a model's predictor; whether there was one."""
    with _lock(model):
        server = status(model)
        if server is not None:
            end(server)
        (folder_of(model) / RECORD).unlink(missing_ok=True)
        return server is not None


def current_target(model: str) -> Target | None:
    """What the model's predictor is to serve, None if it never served."""
    return read_pointer(folder_of(model) / POINTER)


def served(model: str) -> Served:
    """What a failed deployment has to go back to."""
    return Served(current_target(model), status(model))


def restore(model: str, before: Served) -> None:
    """Go back to what served before a deployment failed: the same version at the same address, or nothing.

    Raises:
        StateError: the former predictor was ended and does not start again.
    """
    if before.target is not None and before.server is not None:
        with _lock(model):
            _serve(model, before.target, before.server.host, before.server.port)
        return
    stop(model)
    pointer = folder_of(model) / POINTER
    if before.target is None:
        pointer.unlink(missing_ok=True)
    else:
        write_pointer(pointer, before.target)


@contextmanager
def _lock(model: str) -> Iterator[None]:
    folder = folder_of(model)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / "deploy.lock", timeout=_START_SECONDS * 2)
        lock.acquire()
    except Timeout:
        raise StateError(
            "another process is deploying this model",
            key=str(folder / "deploy.lock"),
            remedy="wait until it has finished, or end it",
        ) from None
    except OSError as error:
        raise StateError(
            f"the predictor's folder cannot be written: {error.strerror or error}",
            key="MINORKEY_HOME",
            value=settings().home,
            remedy="check its permissions and free space, or set MINORKEY_HOME",
        ) from None
    try:
        yield
    finally:
        lock.release()


def _serve(model: str, target: Target, host: str, port: int) -> LocalServer:
    """Point to the target and wait until it is served, by the running predictor if that one fits."""
    folder = folder_of(model)
    write_pointer(folder / POINTER, target)
    running = status(model)
    if running is not None and _fits(running, host, port):
        return _await(model, target.version, None)
    if running is not None:
        end(running)
        port = port or (running.port if running.host == host else 0)
    process = _spawn(folder, model, host, port)
    try:
        return _await(model, target.version, process)
    except BaseException:
        process.kill()
        process.wait()
        raise


def _fits(server: LocalServer, host: str, port: int) -> bool:
    same_code = (server.format, server.package) == (FORMAT, package_version("minorkey"))
    return same_code and server.host == host and port in (0, server.port)


def _spawn(folder: Path, model: str, host: str, port: int) -> "subprocess.Popen[bytes]":
    (folder / RECORD).unlink(missing_ok=True)
    command = [sys.executable, "-m", "minorkey.serving.process", str(folder)]
    command += ["--model", model, "--host", host, "--port", str(port)]
    environment = {key: value for key, value in os.environ.items() if key not in _NOT_INHERITED}
    with (folder / _LOG).open("ab") as log:
        # A session of its own and no inherited pipe: it outlives the step, and the step can end.
        return subprocess.Popen(  # noqa: S603
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _await(model: str, version: str, process: "subprocess.Popen[bytes] | None") -> LocalServer:
    """Wait until the predictor answers as ``version``."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process is not None and process.poll() is not None:
            raise _failure(model, f"ended with exit code {process.returncode}")
        server = status(model)
        if server is not None and served_version(server) == version:
            return server
        if server is None and process is None:
            raise _failure(model, "ended while it was to load the new version")
        time.sleep(0.05)
    raise _failure(model, f"did not serve version {version} within {_START_SECONDS:.0f} s")


def _failure(model: str, problem: str) -> StateError:
    path = folder_of(model) / _LOG
    last = (
        path.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:] if path.exists() else []
    )
    return StateError(
        f"the predictor {problem}",
        key=str(path),
        value=last[0] if last else "an empty log",
        remedy="read the log; if the port is taken choose another in deploy.port",
    )
