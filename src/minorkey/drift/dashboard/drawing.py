"""Draws panels roughly as Grafana does, so that they can be looked at without it."""

from collections.abc import Sequence
from datetime import UTC, datetime

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from minorkey.drift.dashboard.answers import Line, Period
from minorkey.drift.dashboard.panel import Panel
from minorkey.evaluation.report.drawing import MUTED, PALETTE, drawn, figure

__all__ = ["draw", "written"]

#: Endings of names that are drawn thin: bounds and references.
_THIN = (" low", " high", " by chance", " reference")
_INCHES_A_COLUMN, _HEIGHT = 0.58, 2.6
_MOST_NAMES = 8


def draw(panel: Panel, lines: Sequence[Line], period: Period) -> str:
    """A panel as an ``<svg>`` element.

    Args:
        panel: how.
        lines: what.
        period: the time axis.
    """
    with figure(width=panel.width * _INCHES_A_COLUMN, height=_HEIGHT) as (made, axes):
        if panel.shape == "bars":
            _bars(axes, panel, lines)
        else:
            (_states if panel.shape == "states" else _curves)(axes, panel, lines)
            _time_axis(axes, panel, period)
        return drawn(made, label=panel.title)


def written(panel: Panel, value: float) -> str:
    """A value in the panel's words or unit."""
    for known, text, _ in panel.words:
        if float(known) == value:
            return text
    if panel.unit == "percentunit":
        return f"{100 * value:.3g} %"
    unit = {"s": " s", "rowsps": "/s", "reqps": "/s", "cps": "/s"}.get(panel.unit, "")
    return f"{value:,.0f}{unit}" if abs(value) >= 1_000 else f"{value:.4g}{unit}"


def _curves(axes: Axes, panel: Panel, lines: Sequence[Line]) -> None:
    for place, line in enumerate(lines):
        thin = line.name.endswith(_THIN)
        style = {"linewidth": 0.9, "linestyle": "--"} if thin else {}
        label = line.name if place < _MOST_NAMES else None
        axes.plot(
            line.moments,
            line.values,
            color=PALETTE[place % len(PALETTE)],
            label=label,
            **style,  # type: ignore[arg-type]
        )
    for step in panel.steps:
        if step.value is not None:
            axes.axhline(step.value, color=MUTED, linewidth=1, linestyle=":")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: written(panel, value)))
    if lines:
        axes.legend(loc="best", fontsize=7)


def _states(axes: Axes, panel: Panel, lines: Sequence[Line]) -> None:
    colours = {float(value): colour for value, _, colour in panel.words}
    for row, line in enumerate(lines):
        gap = min((b - a for a, b in zip(line.moments, line.moments[1:], strict=False)), default=1.0)
        for at, value in zip(line.moments, line.values, strict=True):
            if value in colours:
                axes.fill_betweenx((row - 0.4, row + 0.4), at, at + gap, color=colours[value], linewidth=0)
    axes.set_yticks(range(len(lines)), [line.name for line in lines])
    axes.set_ylim(len(lines) - 0.5, -0.5)


def _bars(axes: Axes, panel: Panel, lines: Sequence[Line]) -> None:
    axes.barh([line.name for line in lines], [line.values[-1] for line in lines], color=PALETTE[0])
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: written(panel, value)))


def _time_axis(axes: Axes, panel: Panel, period: Period) -> None:
    long = period.end - period.start
    form = "%H:%M:%S" if long < 3_600 else "%H:%M" if long <= 86_400 else "%d %b %H:%M"
    parts = panel.width // 2
    marks = [period.start + long * place / parts for place in range(parts + 1)][
        :: 1 if panel.width > 4 else 2
    ]
    axes.set_xlim(period.start, period.end)
    axes.set_xticks(marks, [f"{datetime.fromtimestamp(at, UTC):{form}}" for at in marks])
