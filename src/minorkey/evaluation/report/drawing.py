"""Matplotlib figures as inline SVG, in one style."""

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = ["ACCENT", "MUTED", "PALETTE", "WARM", "drawn", "figure"]

ACCENT, WARM, MUTED = "#1f6feb", "#d1495b", "#8a94a6"
PALETTE = ("#1f6feb", "#d1495b", "#2a9d8f", "#e09f3e", "#7b5ea7", "#4f772d", "#bc6c25", "#5c677d", "#c9184a")

_STYLE: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "minorkey",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": "#333a45",
    "axes.grid": True,
    "grid.color": "#e6e9ef",
    "grid.linewidth": 0.7,
    "xtick.color": "#5b6472",
    "ytick.color": "#5b6472",
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.8,
}


@contextmanager
def figure(*, width: float = 4.8, height: float = 3.4) -> Iterator[tuple[Figure, Axes]]:
    """A figure with one set of axes; sizes in inches. No global state is left changed."""
    with mpl.rc_context(_STYLE):
        made = Figure(figsize=(width, height), layout="constrained")
        yield made, made.add_subplot()


def drawn(made: Figure, *, label: str) -> str:
    """The figure as an ``<svg>`` element that scales with its column and carries a label.

    Args:
        made: the figure.
        label: what it shows, for a reader who does not see it.
    """
    buffer = io.StringIO()
    with mpl.rc_context(_STYLE):
        made.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    opening, rest = svg.split(">", 1)
    opening = re.sub(r'\s(width|height)="[^"]*"', "", opening)
    return _own_ids(f'{opening} role="img" aria-label="{label}">{rest}', label)


def _own_ids(svg: str, label: str) -> str:
    """Give the figure's ids a prefix of its own: several figures share one page."""
    prefix = re.sub(r"\W+", "-", label.lower())[:24]
    rename: Callable[[re.Match[str]], str] = lambda match: f"{match[1]}{prefix}-{match[2]}"  # noqa: E731
    svg = re.sub(r'(\bid=")([^"]+)', rename, svg)
    svg = re.sub(r"(url\(#)([^)]+)", rename, svg)
    return re.sub(r'(href="#)([^"]+)', rename, svg)
