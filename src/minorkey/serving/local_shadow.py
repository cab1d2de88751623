"""A challenger in the shadow of this machine's predictor: begun, waited for, ended."""

import time
from contextlib import suppress

from minorkey.errors import StateError
from minorkey.progress import emit
from minorkey.serving.follower import load_target
from minorkey.serving.local import current_target
from minorkey.serving.pointer import Target
from minorkey.serving.running import LocalServer, models, status
from minorkey.serving.shadow import require_fit
from minorkey.serving.shadow_counts import ShadowCounts, read_metrics, shadow_counts
from minorkey.serving.shadow_pointer import ShadowPointer, read_shadow, shadow_path, write_shadow

__all__ = ["begin_shadow", "counted_in_shadow", "end_shadow", "prove_in_shadow", "running_predictor"]

_LOAD_SECONDS = 60.0
_LOOK_SECONDS = 0.5


def begin_shadow(model: str, version: str, bundle: str, *, follow: bool = False) -> LocalServer:
    """Let a version score what the model's predictor answers.

    Args:
        model: name of the model.
        version: the challenger.
        bundle: path or URI of its bundle.
        follow: whether versions that are registered here later take its place.

    Returns:
        The predictor, once the version is in its shadow.

    Raises:
        StateError: no predictor runs, the version serves itself, it needs what requests do not hold, or it
            is not loaded.
        BundleError: its bundle is altered, foreign or gone.
    """
    server, serving = running_predictor(model)
    if serving.version == version:
        raise StateError(
            "this version serves, and cannot be in its own shadow",
            key=f"version of {model}",
            value=version,
            allowed="another version",
            remedy="name a challenger; `mlflow models`, or MLflow's page, shows the versions",
        )
    require_fit(load_target(model, Target(version, bundle)), load_target(model, serving))
    path = shadow_path(model)
    known = read_shadow(path)
    write_shadow(path, ShadowPointer(follow or (known is not None and known.follow), version, bundle))
    deadline = time.monotonic() + _LOAD_SECONDS
    while time.monotonic() < deadline:
        if any(counts.loaded for counts in counted_in_shadow(server, version)):
            return server
        time.sleep(0.1)
    raise StateError(
        f"the predictor did not load version {version} within {_LOAD_SECONDS:.0f} s",
        key=server.url,
        remedy="read predictor.log beside its server.json",
    )


def end_shadow(model: str) -> bool:
    """Let nothing score in shadow any more, and follow no version; whether something was."""
    path = shadow_path(model)
    known = read_shadow(path)
    path.unlink(missing_ok=True)
    return known is not None


def prove_in_shadow(model: str, version: str, bundle: str, *, rows: int, seconds: float) -> dict[str, int]:
    """Wait until a version has scored so many rows in shadow.

    Args:
        model: name of the model.
        version: the version.
        bundle: path or URI of its bundle.
        rows: that it has to score.
        seconds: to wait at most.

    Returns:
        ``rows`` that it scored and ``differing``, those on which it decided otherwise.

    Raises:
        StateError: it failed on a row, there was not enough traffic, or it cannot be in shadow. It stays in
            shadow, and the champion serves on.
    """
    begun = begin_shadow(model, version, bundle)
    counted = _Counted(begun, _sums(begun, version))
    emit("waiting", text=f"version {version} scores {rows:,} rows in shadow first (at most {seconds:.0f} s)")
    answered = time.monotonic()
    deadline = answered + seconds
    while True:
        # The predictor may be restarted meanwhile, at another address.
        server = status(model)
        if server is not None:
            with suppress(StateError):
                counted.look(server, _sums(server, version))
                answered = time.monotonic()
        if time.monotonic() - answered > _LOAD_SECONDS:
            raise StateError(
                f"the predictor has not answered for {_LOAD_SECONDS:.0f} s",
                key=f"predictor of {model}",
                remedy=f"read predictor.log; `minorkey promote {model} --version {version}` once it answers",
            )
        scored, differing, failed = counted.gained
        if failed:
            raise StateError(
                f"the version failed on {failed:,} of {scored + failed:,} rows in shadow",
                key=f"version {version} of {model}",
                remedy="read predictor.log; the champion serves on",
            )
        if scored >= rows:
            return {"rows": scored, "differing": differing}
        if time.monotonic() >= deadline:
            raise StateError(
                f"the version scored {scored:,} rows in shadow within {seconds:.0f} s",
                key="deploy.shadow.rows",
                value=rows,
                allowed="rows that the traffic brings within deploy.shadow.minutes",
                remedy=f"it stays in shadow: `minorkey promote {model} --version {version}` later",
            )
        time.sleep(_LOOK_SECONDS)


def running_predictor(model: str) -> tuple[LocalServer, Target]:
    """The model's predictor and what it serves.

    Raises:
        StateError: none runs.
    """
    server, serving = status(model), current_target(model)
    if server is None or serving is None:
        raise StateError(
            "no predictor of this model runs here",
            key="MODEL",
            value=model,
            allowed=", ".join(models()) or "none was deployed here",
            remedy="`minorkey run` deploys one; others take `minorkey serve --shadow`",
        )
    return server, serving


def counted_in_shadow(server: LocalServer, version: str = "") -> list[ShadowCounts]:
    """What a predictor has counted in shadow, of one version or of all.

    Raises:
        StateError: the predictor does not answer.
    """
    found = shadow_counts(read_metrics(server.url), server.model)
    return [counts for counts in found if version in ("", counts.version)]


class _Counted:
    """What counters of predictors have gained, each of which begins at 0."""

    def __init__(self, server: LocalServer, first: tuple[int, ...]) -> None:
        self._server, self._last, self.gained = server, first, (0,) * len(first)

    def look(self, server: LocalServer, now: tuple[int, ...]) -> None:
        before = self._last if server == self._server else (0,) * len(now)
        self._server = server
        self.gained = tuple(sum_ + new - old for sum_, new, old in zip(self.gained, now, before, strict=True))
        self._last = now


def _sums(server: LocalServer, version: str) -> tuple[int, int, int]:
    """Rows scored, rows decided otherwise, rows that failed."""
    found = counted_in_shadow(server, version)
    scored = sum(counts.rows for counts in found)
    differing = sum(int(counts.decisions[0, 1] + counts.decisions[1, 0]) for counts in found)
    return scored, differing, max((counts.failed for counts in found), default=0)
