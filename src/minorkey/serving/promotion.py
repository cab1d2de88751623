"""Make a version serve, verify its answers, and only then call it champion; or leave all as it was."""

from typing import Any

from minorkey.bundle.bundle import Bundle
from minorkey.errors import MinorkeyError
from minorkey.progress import emit
from minorkey.registry import move_champion
from minorkey.serving import local
from minorkey.serving.verification import verify_server

__all__ = ["serve_and_promote"]


def serve_and_promote(
    model: str, version: str, bundle: Bundle, *, expected: str, host: str, port: int
) -> dict[str, Any]:
    """Start or swap the model's predictor on this machine, and move the alias ``champion``.

    Args:
        model: name of the registered model.
        version: the version to serve.
        bundle: its bundle.
        expected: version of the present champion, "" for none.
        host: address to bind.
        port: port to bind; 0: the running predictor's, or any free one.

    Returns:
        ``url``, ``pid`` and ``verified``.

    Raises:
        StateError: the champion is another one by now, or the predictor does not start.
        ContractError: it answers otherwise than the bundle. After any failure what served before serves
            again, at the same address.
    """
    before = local.served(model)
    try:
        server = local.start(model, bundle.folder, version, host=host, port=port)
        verified = verify_server(server.url, model, version, bundle)
        move_champion(model, version, expected=expected)
    except BaseException:
        _go_back(model, before)
        raise
    return {"url": server.url, "pid": server.pid, "verified": verified}


def _go_back(model: str, before: local.Served) -> None:
    """Restore what served; the failure that led here stays the one that is raised."""
    try:
        local.restore(model, before)
    except (MinorkeyError, OSError) as error:
        emit("warned", text=f"nothing serves {model} now, its former predictor does not start again: {error}")
