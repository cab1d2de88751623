"""The loop's account as one HTML page."""

import importlib.resources
from typing import Any

import jinja2
from markupsafe import Markup

from minorkey.evaluation.report.drawing import ACCENT, MUTED, WARM, drawn, figure
from minorkey.loop.comparison import Comparison
from minorkey.loop.moments import Figure, Moment

__all__ = ["clock", "render"]

#: What is marked in the drawing, and how it is called there.
_MARKED = {"drift": "concept drifts", "alert": "alert", "swap": "swap"}


def render(
    account: dict[str, Any], moments: list[Moment], figures: list[Figure], comparison: Comparison | None
) -> str:
    """The page, without any outside resource.

    Args:
        account: the content of ``loop.json``.
        moments: what happened.
        figures: what Prometheus measured.
        comparison: the stream with the loop and without it; None: no other version ever answered.
    """
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    environment.filters["clock"] = clock
    source = importlib.resources.files("minorkey.loop").joinpath("page.html.j2")
    drawing = "" if comparison is None else _course(comparison, moments)
    return environment.from_string(source.read_text(encoding="utf-8")).render(
        account=account,
        moments=moments,
        comparison=comparison,
        course=Markup(drawing),  # noqa: S704 -- our own drawing
        measured=Markup(_measured(figures, moments)) if figures else "",  # noqa: S704
    )


def clock(seconds: float) -> str:
    """Seconds of the stream as minutes and seconds."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _course(comparison: Comparison, moments: list[Moment]) -> str:
    at = [window.seconds for window in comparison.windows]
    with figure(width=7.6, height=3.4) as (made, axes):
        for values, colour, style, label in (
            ([window.with_loop for window in comparison.windows], ACCENT, "-", "with the loop"),
            ([window.without_loop for window in comparison.windows], WARM, "--", "without the loop"),
        ):
            axes.plot(at, values, color=colour, linestyle=style, label=label)
        _mark(axes, moments)
        axes.set(xlabel="seconds of the stream", ylabel="Matthews correlation", ylim=(0, 1.05))
        axes.legend(loc="upper right")
        return drawn(made, label="Matthews correlation with and without the loop")


def _measured(figures: list[Figure], moments: list[Moment]) -> str:
    with figure(width=7.6, height=3.0) as (made, axes):
        for number, version in enumerate(dict.fromkeys(one.version for one in figures)):
            own = [one for one in figures if one.version == version]
            colour = (WARM, ACCENT)[min(number, 1)]
            at = [one.seconds for one in own]
            axes.fill_between(
                at, [one.low for one in own], [one.high for one in own], color=colour, alpha=0.15
            )
            axes.plot(at, [one.value for one in own], color=colour, label=f"version {version}")
        _mark(axes, moments)
        axes.set(xlabel="seconds of the stream", ylabel="measured MCC", ylim=(0, 1.05))
        axes.legend(loc="upper right")
        return drawn(made, label="Matthews correlation as Prometheus measured it, by version")


def _mark(axes: Any, moments: list[Moment]) -> None:
    for moment in moments:
        if moment.key in _MARKED:
            axes.axvline(moment.seconds, color=MUTED, linewidth=1, linestyle=":")
            axes.annotate(
                _MARKED[moment.key],
                (moment.seconds, 0.02),
                rotation=90,
                ha="right",
                va="bottom",
                fontsize=8,
                color="#5b6472",
            )
