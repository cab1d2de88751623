"""``minorkey serve``."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from minorkey.errors import SpecError, StateError

__all__ = ["serve_command"]


def serve_command(
    *,
    bundle: Path | None = None,
    model: str | None = None,
    shadow: str | None = None,
    host: str = "127.0.0.1",
    port: int = 8080,
    stop: str | None = None,
    served_as: Annotated[str, Parameter(name="--as")] = "",
    digest: str = "",
) -> None:
    """Serve a model over HTTP, by the Open Inference Protocol (v2), until interrupted.

    With `--model NAME@champion` the predictor follows the alias: when the champion changes, it
    swaps without failing a request. Counters are at `/metrics`.

    Examples:

    - `minorkey serve --bundle runs/fraud/bundle`
    - `minorkey serve --model fraud@champion --port 9000`
    - `minorkey serve --model fraud@champion --shadow fraud@challenger`
    - `minorkey serve --stop fraud` (ends the predictor that `minorkey run` started)

    Parameters
    ----------
    bundle
        Folder of a bundle, such as `runs/MODEL/bundle`.
    model
        A registered model: NAME@ALIAS or NAME@VERSION. Default: minorkey@champion.
    shadow
        What scores the same rows, counted apart and in no answer: NAME@ALIAS (followed), NAME@VERSION or
        the folder of a bundle.
    host
        Address to bind. The default is reachable from this machine only.
    port
        Port to bind; 0 takes any free one.
    stop
        Name of a model: end the predictor that `minorkey run` deployed it to, and serve nothing.
    served_as
        NAME@VERSION that a bundle is served as. Default: its own name, and its digest's beginning.
    digest
        Digest that the bundle must have; another one is refused.
    """
    if sum(given is not None for given in (bundle, model, stop)) > 1:
        raise SpecError(
            "more than one thing to do",
            key="--bundle, --model, --stop",
            allowed="one",
            remedy="leave one out",
        )
    if stop is not None and shadow is not None:
        raise SpecError(
            "nothing serves, so nothing can be in shadow",
            key="--stop, --shadow",
            allowed="one",
            remedy="`minorkey shadow stop` ends a shadow alone",
        )
    if stop is not None:
        print(_stop(stop))
        return
    from minorkey.serving.server import serve

    if bundle is None and (served_as or digest):
        raise SpecError(
            "--as and --digest speak of a bundle",
            key="--as, --digest",
            allowed="together with --bundle",
            remedy="name the bundle's folder, or leave them out",
        )
    serve(bundle=bundle, model=model, host=host, port=port, served_as=served_as, digest=digest, shadow=shadow)


def _stop(model: str) -> str:
    from minorkey.serving import local

    known = local.models()
    if model not in known:
        raise StateError(
            "no model of this name was deployed here",
            key="--stop",
            value=model,
            allowed=", ".join(known) or "none yet",
            remedy="check the name and MINORKEY_HOME",
        )
    server = local.status(model)
    if not local.stop(model) or server is None:
        return f"no predictor of {model} is running"
    return f"the predictor of {model} at {server.url} has ended"
