"""``minorkey shadow``."""

from typing import Annotated

import cyclopts
from cyclopts import Parameter

__all__ = ["shadow_app"]

shadow_app = cyclopts.App(
    name="shadow", help="Let a challenger score what the champion answers, counted apart, before it serves."
)


@shadow_app.command(name="start")
def start_command(
    model: str,
    /,
    *,
    version: Annotated[str, Parameter(allow_leading_hyphen=False)] = "",
    follow: bool = False,
) -> None:
    """Put a version into the shadow of the predictor that runs here.

    It scores the same rows beside the requests: no answer waits for it, holds anything of it, or fails with
    it. Other predictors take `minorkey serve --shadow`.

    Example: `minorkey shadow start cards`

    Parameters
    ----------
    model
        Name of the registered model.
    version
        The challenger. Default: the version that the alias `challenger` points to.
    follow
        Let versions that are registered on this machine later take its place.
    """
    from minorkey.registry import bundle_of_version, resolve_reference
    from minorkey.serving.local_shadow import begin_shadow

    _, _, chosen = resolve_reference(f"{model}@{version or 'challenger'}", key="MODEL, --version")
    server = begin_shadow(model, chosen, bundle_of_version(model, chosen), follow=follow)
    print(f"{model}: version {chosen} is in the shadow of {server.url}")
    print(f"compare them: minorkey shadow show {model}")


@shadow_app.command(name="stop")
def stop_command(model: str, /) -> None:
    """Let nothing score in shadow any more, nor follow later versions.

    Parameters
    ----------
    model
        Name of the registered model.
    """
    from minorkey.serving.local_shadow import end_shadow

    print(f"{model}: {'the shadow has ended' if end_shadow(model) else 'nothing was in shadow'}")


@shadow_app.command(name="show")
def show_command(model: str, /, *, url: str = "", feedback: str = "") -> None:
    """Compare challenger and champion on the rows that both have scored.

    Counts are those since the predictor began, and all outcomes that have matured. Windows of time, and
    several replicas together, are on the dashboard.

    Example: `minorkey shadow show cards`

    Parameters
    ----------
    model
        Name of the registered model.
    url
        A predictor. Default: the one that runs here.
    feedback
        The feedback service, for outcomes. Default: `MINORKEY_FEEDBACK_URL`.
    """
    from minorkey.serving.local_shadow import running_predictor
    from minorkey.serving.shadow_counts import outcomes_of, read_metrics, shadow_counts
    from minorkey.serving.shadow_text import comparison_text
    from minorkey.settings import settings

    counts = shadow_counts(read_metrics(url or running_predictor(model)[0].url), model)
    service = feedback or settings().feedback_url
    outcomes = outcomes_of(read_metrics(service), model) if service else None
    print(comparison_text(model, counts, outcomes))
