"""``minorkey serve``."""

from pathlib import Path

from minorkey.errors import SpecError

__all__ = ["serve_command"]


def serve_command(
    *, bundle: Path | None = None, model: str | None = None, host: str = "127.0.0.1", port: int = 8080
) -> None:
    """Serve a model over HTTP, by the Open Inference Protocol (v2), until interrupted.

    With `--model NAME@champion` the predictor follows the alias: when the champion changes, it
    swaps without failing a request. Counters are at `/metrics`.

    Examples:

    - `minorkey serve --bundle runs/fraud/bundle`
    - `minorkey serve --model fraud@champion --port 9000`

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
    """
    if bundle is not None and model is not None:
        raise SpecError(
            "two things to serve", key="--bundle, --model", allowed="one of the two", remedy="leave one out"
        )
    from minorkey.serving.server import serve

    serve(bundle=bundle, model=model, host=host, port=port)
