"""``minorkey serve``."""

from pathlib import Path

from minorkey.errors import SpecError, StateError

__all__ = ["serve_command"]


def serve_command(
    *,
    bundle: Path | None = None,
    model: str | None = None,
    host: str = "127.0.0.1",
    port: int = 8080,
    stop: str | None = None,
) -> None:
    """Serve a model over HTTP, by the Open Inference Protocol (v2), until interrupted.

    With `--model NAME@champion` the predictor follows the alias: when the champion changes, it
    swaps without failing a request. Counters are at `/metrics`.

    Examples:

    - `minorkey serve --bundle runs/fraud/bundle`
    - `minorkey serve --model fraud@champion --port 9000`
    - `minorkey serve --stop fraud` (ends the predictor that `minorkey run` started)

    Parameters
    ----------
    bundle
        Folder of a bundle, such as `runs/MODEL/bundle`.
    model
        A registered model: NAME@ALIAS or NAME@VERSION. Default: minorkey@champion.
    host
        Address to bind. The default is reachable from this machine only.
    port
        Port to bind; 0 takes any free one.
    stop
        Name of a model: end the predictor that `minorkey run` deployed it to, and serve nothing.
    """
    if sum(given is not None for given in (bundle, model, stop)) > 1:
        raise SpecError(
            "more than one thing to do",
            key="--bundle, --model, --stop",
            allowed="one",
            remedy="leave one out",
        )
    if stop is not None:
        print(_stop(stop))
        return
    from minorkey.serving.server import serve

    serve(bundle=bundle, model=model, host=host, port=port)


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
