"""Runs a service in this process until it is asked to end."""

import threading
from collections.abc import Callable

import structlog
import uvicorn
from starlette.applications import Starlette

from minorkey.serving.server import bind, http_config, url_of

__all__ = ["run_service"]

_END_SECONDS = 30.0

_log = structlog.get_logger("minorkey.endpoint")


def run_service(
    name: str, app: Starlette, host: str, port: int, work: Callable[[threading.Event], None]
) -> None:
    """Answer requests, and work beside it in a thread, until SIGTERM or SIGINT.

    Args:
        name: what the log calls it.
        app: answers.
        host: address to bind.
        port: port to bind, 0 for any free one.
        work: returns soon after its event is set.

    Raises:
        StateError: the address cannot be bound.
    """
    listener = bind(host, port)
    stop = threading.Event()
    worker = threading.Thread(target=work, args=(stop,), name=f"{name}-work", daemon=True)
    config = http_config(app)
    worker.start()
    _log.info("serving", service=name, url=url_of(listener))
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        stop.set()
        worker.join(_END_SECONDS)
