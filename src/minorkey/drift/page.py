"""A comparison as one HTML page without any outside resource."""

import importlib.resources

import jinja2
from markupsafe import Markup

from minorkey.drift.comparison import ColumnDrift, Comparison
from minorkey.evaluation.report.drawing import ACCENT, MUTED, drawn, figure

__all__ = ["MOST_DRAWN", "render_page"]

#: Columns that are drawn: the furthest from the reference.
MOST_DRAWN = 12
_LONGEST_TICK = 18


def render_page(comparison: Comparison, reference: str, current: str) -> str:
    """The page.

    Args:
        comparison: what to show.
        reference: where the reference's rows came from.
        current: where the current rows came from.
    """
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    drawings = [
        (column.name, Markup(_drawing(place, column)))  # noqa: S704 -- our own drawing
        for place, column in enumerate(comparison.columns[:MOST_DRAWN])
    ]
    return environment.from_string(_resource("minorkey.drift", "page.html.j2")).render(
        comparison=comparison,
        moved=sum(one.drifted for one in comparison.columns),
        reference=reference,
        current=current,
        drawings=drawings,
        style=Markup(_resource("minorkey.evaluation.report", "page.css")),  # noqa: S704 -- our own file
    )


def _resource(package: str, name: str) -> str:
    return importlib.resources.files(package).joinpath(name).read_text(encoding="utf-8")


def _drawing(place: int, column: ColumnDrift) -> str:
    """Shares by bin, reference beside current. The column's name stays out: it may hold anything."""
    at = range(len(column.bins))
    with figure(height=3.0) as (made, axes):
        axes.bar([x - 0.2 for x in at], column.reference, 0.4, color=MUTED, label="reference")
        axes.bar([x + 0.2 for x in at], column.current, 0.4, color=ACCENT, label="current")
        axes.set_xticks(list(at), [_tick(name) for name in column.bins], rotation=50, ha="right", fontsize=7)
        for text in axes.get_xticklabels():
            text.set_parse_math(False)
        axes.set(ylabel="share of rows")
        axes.legend(loc="best")
        return drawn(made, label=f"Shares by bin, column {place + 1}")


def _tick(name: str) -> str:
    printable = "".join(character if character.isprintable() else "?" for character in name)
    return printable if len(printable) <= _LONGEST_TICK else f"{printable[: _LONGEST_TICK - 3]}..."
