"""``python -m minorkey.drift.dashboard.preview URL MODEL PAGE``: the dashboard without Grafana.

Asks a running Prometheus for what every panel shows, and writes one HTML page without any outside
resource. It needs no extra.
"""

import argparse
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import jinja2
from markupsafe import Markup

from minorkey.aside import put_text
from minorkey.drift.dashboard.answers import Line, Period, ask
from minorkey.drift.dashboard.drawing import draw, written
from minorkey.drift.dashboard.panel import Panel
from minorkey.drift.dashboard.rows import ROWS

__all__ = ["preview"]

_MOMENTS = 240


def preview(url: str, model: str, *, seconds: float, now: float | None = None) -> str:
    """The page.

    Args:
        url: address of Prometheus.
        model: the model; all its versions are shown.
        seconds: how far back.
        now: the last moment, seconds since 1970; None: this one.

    Raises:
        StateError: Prometheus does not answer, or refuses an expression.
    """
    end = time.time() if now is None else now
    period = Period(end - seconds, end, max(1.0, seconds / _MOMENTS))
    with httpx.Client(base_url=url, trust_env=False) as client:
        rows = {
            title: [_shown(panel, ask(client, panel, model, period), period) for panel in panels]
            for title, panels in ROWS.items()
        }
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    start, last = (f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}" for at in (period.start, end))
    return environment.get_template("preview.html.j2").render(
        model=model, rows=rows, start=start, end=f"{last} UTC"
    )


def _shown(panel: Panel, lines: list[Line], period: Period) -> dict[str, Any]:
    numbers = [
        (line.name, written(panel, line.values[-1]), _colour(panel, line.values[-1])) for line in lines
    ]
    drawing = Markup(draw(panel, lines, period)) if lines and panel.shape != "number" else ""  # noqa: S704
    return {"panel": panel, "numbers": numbers if panel.shape == "number" else [], "svg": drawing}


def _colour(panel: Panel, value: float) -> str:
    return [step.colour for step in panel.steps if step.value is None or value >= step.value][-1]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="minorkey.drift.dashboard.preview")
    parser.add_argument("url", help="address of Prometheus")
    parser.add_argument("model")
    parser.add_argument("page", type=Path)
    parser.add_argument("--seconds", type=float, default=86_400.0, help="how far back")
    wanted = parser.parse_args()
    put_text(wanted.page, preview(wanted.url, wanted.model, seconds=wanted.seconds))
