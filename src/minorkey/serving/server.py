"""Runs the predictor in this process."""

import socket
from pathlib import Path

import structlog
import uvicorn
from starlette.applications import Starlette

from minorkey.bundle.bundle import Bundle
from minorkey.endpoint.limits import Connections
from minorkey.errors import BundleError, SpecError, StateError
from minorkey.registry.versions import bundle_of_version, resolve_reference
from minorkey.serving.alias import ALIAS_SECONDS, alias_pointer
from minorkey.serving.app import create_app
from minorkey.serving.follower import Follower, load_target
from minorkey.serving.pointer import Target
from minorkey.serving.predictor import Predictor
from minorkey.serving.records import recorder_of_settings
from minorkey.serving.shadow_follower import ShadowFollower
from minorkey.serving.shadow_reference import shadow_of
from minorkey.serving.slot import Slot

__all__ = ["bind", "http_config", "predictor_of_bundle", "predictor_server", "run_server", "serve", "url_of"]

_log = structlog.get_logger("minorkey.serving")


def serve(
    bundle: Path | None,
    model: str | None,
    host: str = "127.0.0.1",
    port: int = 8080,
    *,
    served_as: str = "",
    digest: str = "",
    shadow: str | None = None,
) -> None:
    """Serve a bundle, or a registered model whose alias is followed, until SIGTERM or SIGINT.

    Args:
        bundle: folder of a bundle; exclusive with ``model``.
        model: ``NAME@ALIAS`` (followed) or ``NAME@VERSION``; default ``minorkey@champion``.
        host: address to bind.
        port: port to bind, 0 for any free one.
        served_as: ``NAME@VERSION`` that a bundle is served as; "": its own name and its digest's beginning.
        digest: what the bundle's must be; "": any.
        shadow: what scores the same rows and is counted apart: ``NAME@ALIAS`` (followed), ``NAME@VERSION``
            or the folder of a bundle.

    Raises:
        BundleError: the bundle is altered, foreign, absent, or another one than `digest` says.
        SpecError: `served_as` is no ``NAME@VERSION``.
        StateError: both or an unknown model are named, or the address cannot be bound.
    """
    if bundle is not None and model is not None:
        raise StateError(
            "two things to serve are named",
            key="--bundle, --model",
            allowed="one of them",
            remedy="leave one of them out",
        )
    if bundle is not None:
        slot = Slot(predictor_of_bundle(bundle, served_as, digest))
        follower = None
    else:
        slot, follower = _registered(model or "minorkey@champion")
    beside = None if shadow is None else shadow_of(slot, shadow)
    listener = bind(host, port)
    _log.info("serving", url=url_of(listener), model=slot.current.model, version=slot.current.version)
    run_server(slot, follower, listener, beside)


def predictor_of_bundle(folder: Path, served_as: str = "", digest: str = "") -> Predictor:
    """A bundle, ready to answer.

    Args:
        folder: where it lies.
        served_as: ``NAME@VERSION``; "": its own name and its digest's beginning.
        digest: what the bundle's must be; "": any.

    Raises:
        BundleError: the bundle is altered, foreign, absent, or another one than `digest` says.
        SpecError: `served_as` is no ``NAME@VERSION``.
    """
    loaded = Bundle.load(folder)
    if digest and loaded.digest != digest:
        raise BundleError(
            "this is another bundle than the one that was to be served",
            key=str(folder),
            value=loaded.digest,
            allowed=digest,
            remedy="check the address of the bundle, or register the model again",
        )
    model, _, version = served_as.partition("@")
    if served_as and not (model and version):
        raise SpecError(
            "the name to serve as has no version",
            key="--as",
            value=served_as,
            allowed="NAME@VERSION",
            remedy="write it like fraud@7",
        )
    return Predictor(loaded, model or loaded.info.model, version or loaded.digest[:12])


def bind(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        StateError: the address is taken, not ours or not allowed.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        # asyncio switches Nagle's delay off only where the socket names its protocol.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(1024)
    except (OSError, OverflowError, UnicodeError) as error:
        raise StateError(
            f"the address cannot be bound: {getattr(error, 'strerror', None) or error}",
            key="host and port",
            value=f"{host}:{port}",
            allowed="an address of this machine and a free port; port 0 takes any free one",
            remedy="choose another port, or end the process that holds this one",
        ) from None
    return listener


def url_of(listener: socket.socket) -> str:
    """Where a client on this machine reaches the socket."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def http_config(app: Starlette, *, keep_alive: int = 5) -> uvicorn.Config:
    """How every service of ours listens: requests under way are finished first when it ends.

    How much it takes is for the application to say, which counts what it refuses.

    Args:
        app: answers.
        keep_alive: seconds after which an idle connection is closed.
    """
    return uvicorn.Config(
        app,
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_level="error",
        access_log=False,
        server_header=False,
        timeout_keep_alive=keep_alive,
        timeout_graceful_shutdown=10,
    )


def predictor_server(slot: Slot, *, at_once: int = 512) -> uvicorn.Server:
    """What answers for a slot.

    Args:
        slot: what it answers with.
        at_once: most connections at a time.
    """
    connections = Connections(at_once)
    server = uvicorn.Server(http_config(create_app(slot, connections), keep_alive=75))
    connections.opened = server.server_state.connections
    return server


def run_server(
    slot: Slot,
    follower: Follower | None,
    listener: socket.socket,
    beside: ShadowFollower | None = None,
) -> None:
    """Answer requests until SIGTERM or SIGINT; requests under way are finished first."""
    server = predictor_server(slot)
    slot.recorder = recorder_of_settings(slot.metrics)
    if slot.recorder is not None:
        slot.recorder.start()
    if beside is not None:
        slot.shadow.recorder = recorder_of_settings(slot.shadow.metrics)
        if slot.shadow.recorder is not None:
            slot.shadow.recorder.start()
        slot.shadow.start()
        beside.start()
    if follower is not None:
        follower.start()
    try:
        server.run(sockets=[listener])
    finally:
        if follower is not None:
            follower.stop()
        if beside is not None:
            beside.stop()
            slot.shadow.stop()
            if slot.shadow.recorder is not None:
                slot.shadow.recorder.stop()
        if slot.recorder is not None:
            slot.recorder.stop()


def _registered(reference: str) -> tuple[Slot, Follower | None]:
    model, alias, version = resolve_reference(reference)
    target = Target(version, bundle_of_version(model, version))
    slot = Slot(load_target(model, target))
    if not alias:
        return slot, None
    return slot, Follower(slot, target, alias_pointer(model, alias, target), seconds=ALIAS_SECONDS)
