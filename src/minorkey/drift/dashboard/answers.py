"""Asks a Prometheus what a panel shows."""

import math
from dataclasses import dataclass
from typing import Any

import httpx

from minorkey.drift.dashboard.panel import Panel, Query
from minorkey.drift.rules.windows import PRODUCTION
from minorkey.errors import StateError

__all__ = ["Line", "Period", "ask"]

_PATIENCE_SECONDS = 30.0


@dataclass(frozen=True)
class Period:
    """What is shown. All in seconds; moments since 1970.

    Attributes:
        start: the first moment.
        end: the last one.
        step: between two of them.
    """

    start: float
    end: float
    step: float


@dataclass(frozen=True)
class Line:
    """One series.

    Attributes:
        name: as the legend has it.
        moments: seconds since 1970.
        values: as many; no number where there is none.
    """

    name: str
    moments: tuple[float, ...]
    values: tuple[float, ...]


def ask(client: httpx.Client, panel: Panel, model: str, period: Period) -> list[Line]:
    """The series of a panel: over the period, or its end alone for numbers and bars.

    Args:
        client: of Prometheus' address.
        panel: what is asked for.
        model: the model; of all its versions.
        period: when.

    Raises:
        StateError: Prometheus does not answer, or refuses an expression.
    """
    over_time = panel.shape in ("lines", "states")
    return [line for query in panel.queries for line in _lines(client, query, model, period, over_time)]


def _lines(client: httpx.Client, query: Query, model: str, period: Period, over_time: bool) -> list[Line]:
    fields: dict[str, Any] = {"query": _filled(query.expr, model, period)}
    if over_time:
        fields |= {"start": period.start, "end": period.end, "step": period.step}
    else:
        fields |= {"time": period.end}
    try:
        reply = client.post(
            "/api/v1/query_range" if over_time else "/api/v1/query", data=fields, timeout=_PATIENCE_SECONDS
        )
        content = reply.json()
    except (httpx.HTTPError, ValueError) as error:
        raise StateError(
            "Prometheus does not answer",
            key=str(client.base_url),
            value=str(error),
            allowed="the address of a Prometheus that runs, such as http://127.0.0.1:9090",
            remedy="start it, or correct the address",
        ) from error
    if content.get("status") != "success":
        raise StateError(
            "Prometheus refuses an expression",
            key=query.expr,
            value=content.get("error"),
            remedy="ask for a shorter time, or use Prometheus 2.42 or later",
        )
    return [_line(query.legend, series) for series in content["data"]["result"]]


def _filled(expression: str, model: str, period: Period) -> str:
    """The expression with Grafana's variables filled in."""
    scrapes = 4 * max(PRODUCTION.scrape, period.step)
    for name, value in (
        ("$model", model),
        ("$version", ".*"),
        ("$__rate_interval", f"{math.ceil(scrapes)}s"),
        ("$__range", f"{math.ceil(period.end - period.start)}s"),
    ):
        expression = expression.replace(name, value)
    return expression


def _line(legend: str, series: dict[str, Any]) -> Line:
    for label, value in series["metric"].items():
        legend = legend.replace("{{" + label + "}}", value)
    points = series["values"] if "values" in series else [series["value"]]
    return Line(legend, tuple(float(at) for at, _ in points), tuple(float(value) for _, value in points))
