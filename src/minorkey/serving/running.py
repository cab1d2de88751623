"""The predictor processes that run on this machine, by the record that each of them leaves."""

import json
from dataclasses import dataclass, fields
from pathlib import Path

import httpx
import psutil

from minorkey.serving.process import POINTER, RECORD
from minorkey.settings import settings

__all__ = ["LocalServer", "end", "folder_of", "models", "served_version", "status"]

_STOP_SECONDS = 15.0


@dataclass(frozen=True)
class LocalServer:
    """A predictor process, as its ``server.json`` says.

    Attributes:
        format: version of the files between it and this module.
        package: version of minorkey that it runs.
        model: the name it serves.
        pid: its process id.
        created: its creation time, by which a reused pid is told.
        host: the address it was asked to bind.
        url: where it answers.
        started: Unix time at which it began to listen.
    """

    format: int
    package: str
    model: str
    pid: int
    created: float
    host: str
    url: str
    started: float

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.url.rpartition(":")[2])


def models() -> list[str]:
    """Names of the models that were ever deployed here, sorted."""
    return sorted(pointer.parent.name for pointer in (settings().home / "serving").glob(f"*/{POINTER}"))


def status(model: str) -> LocalServer | None:
    """The running predictor of a model, None if there is none."""
    try:
        content = json.loads((folder_of(model) / RECORD).read_text(encoding="utf-8"))
        known = {field.name for field in fields(LocalServer)}
        server = LocalServer(**{key: value for key, value in content.items() if key in known})
    except (FileNotFoundError, ValueError, TypeError):
        return None
    return server if _process(server) is not None else None


def folder_of(model: str) -> Path:
    """Where everything about a model's predictor lies."""
    return settings().home / "serving" / model


def end(server: LocalServer) -> None:
    """Ask a predictor to end, wait for the requests under way, and insist if that takes too long."""
    process = _process(server)
    if process is None:
        return
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except psutil.TimeoutExpired:
        process.kill()
        process.wait(_STOP_SECONDS)


def served_version(server: LocalServer) -> str:
    """The version that a predictor answers as, "" if it does not answer."""
    try:
        answer = httpx.get(f"{server.url}/v2/models/{server.model}", timeout=5, trust_env=False)
        return str(answer.json()["versions"][0])
    except (httpx.HTTPError, ValueError, KeyError):
        return ""


def _process(server: LocalServer) -> psutil.Process | None:
    try:
        process = psutil.Process(server.pid)
        alive = process.status() != psutil.STATUS_ZOMBIE and abs(process.create_time() - server.created) < 1
    except psutil.Error:
        return None
    return process if alive else None
