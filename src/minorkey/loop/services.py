"""The processes beside the predictor: Prometheus, Alertmanager, feedback service and retune trigger."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from minorkey.errors import StateError

__all__ = ["PROGRAMS", "Ports", "Service", "free_ports", "require_programs", "running"]

#: Programs that the loop needs, and the Debian packages that hold them.
PROGRAMS = {"prometheus": "prometheus", "prometheus-alertmanager": "prometheus-alertmanager"}
_START_SECONDS, _END_SECONDS = 60.0, 10.0


@dataclass(frozen=True)
class Ports:
    """Loopback ports, one a process."""

    predictor: int
    feedback: int
    trigger: int
    prometheus: int
    alertmanager: int


@dataclass(frozen=True)
class Service:
    """A process to start.

    Attributes:
        name: of its log.
        command: its command line.
        ready: URL that answers 200 once it can be used.
    """

    name: str
    command: Sequence[str]
    ready: str


def require_programs() -> None:
    """Refuse to begin where Prometheus or Alertmanager is missing.

    Raises:
        StateError: naming the command that installs what is missing.
    """
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        packages = " ".join(PROGRAMS[program] for program in missing)
        raise StateError(
            "the loop needs programs that are not installed",
            key="PATH",
            value=", ".join(missing),
            allowed="Debian's Prometheus and Alertmanager",
            remedy=f"sudo apt-get install {packages}",
        )


def free_ports() -> Ports:
    """Ports of the loopback interface that nobody listens on now."""
    with_sockets = [socket.socket() for _ in Ports.__dataclass_fields__]
    try:
        for one in with_sockets:
            one.bind(("127.0.0.1", 0))
        return Ports(*(one.getsockname()[1] for one in with_sockets))
    finally:
        for one in with_sockets:
            one.close()


@contextmanager
def running(services: Sequence[Service], logs: Path) -> Iterator[None]:
    """Start services one after the other, each once the one before answers; end them all at the end.

    Args:
        services: in the order of their start.
        logs: folder of their logs.

    Raises:
        StateError: one of them does not start.
    """
    logs.mkdir(parents=True, exist_ok=True)
    begun: list[subprocess.Popen[bytes]] = []
    try:
        for service in services:
            log = logs / f"{service.name}.log"
            with log.open("wb") as stream:
                begun.append(
                    subprocess.Popen(  # noqa: S603
                        service.command,
                        stdin=subprocess.DEVNULL,
                        stdout=stream,
                        stderr=subprocess.STDOUT,
                        start_new_session=True,
                    )
                )
            _await(service, begun[-1], log)
        yield
    finally:
        for process in reversed(begun):
            _end(process)


def _await(service: Service, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with suppress(httpx.HTTPError):
            if httpx.get(service.ready, timeout=2.0, trust_env=False).status_code == httpx.codes.OK:
                return
        time.sleep(0.1)
    last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
    raise StateError(
        f"{service.name} does not start",
        key=str(log),
        value=last[0] if last else "an empty log",
        remedy="read the log",
    )


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a service, and the runs that it started, which would outlive it."""
    try:
        started = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        started = []
    process.terminate()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for one in started:
        with suppress(psutil.NoSuchProcess):
            one.kill()
    psutil.wait_procs(started, _END_SECONDS)
