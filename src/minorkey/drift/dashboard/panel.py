"""What a panel shows, in words that know nothing of Grafana."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["MODEL", "VERSION", "Panel", "Query", "Shape", "Step", "above", "below", "between"]

#: Selects the chosen model; with `VERSION` its chosen versions too.
MODEL = 'model="$model"'
VERSION = 'model="$model", version=~"$version"'

Shape = Literal["lines", "number", "bars", "states"]
_GOOD, _FAIR, _BAD = "green", "yellow", "red"


@dataclass(frozen=True)
class Query:
    """Series of a panel.

    Attributes:
        expr: PromQL, with the variables ``$model``, ``$version`` and Grafana's own intervals.
        legend: a name for each series; ``{{label}}`` stands for the label's value.
    """

    expr: str
    legend: str


@dataclass(frozen=True)
class Step:
    """From a value on (None: from below all others) figures have a colour."""

    value: float | None
    colour: str


@dataclass(frozen=True)
class Panel:
    """One panel.

    Attributes:
        title: the figure's name.
        description: what it is, and what to do where it is bad.
        queries: what is drawn.
        unit: as Grafana names it.
        alerts: whose chapters of the runbook it links to.
        steps: from good to bad, as the alerts have them; lines are drawn there.
        shape: ``lines`` over time, the newest value as a ``number`` or as ``bars``, or ``states`` over time.
        width: of the 24 columns.
        height: in Grafana's units of 30 pixels.
        words: what to write for a value.
    """

    title: str
    description: str
    queries: tuple[Query, ...]
    unit: str = "short"
    alerts: tuple[str, ...] = ()
    steps: tuple[Step, ...] = (Step(None, _GOOD),)
    shape: Shape = "lines"
    width: int = 8
    height: int = 8
    words: tuple[tuple[str, str, str], ...] = ()


def above(worst: float, fair: float | None = None) -> tuple[Step, ...]:
    """Bad above a value, and fair above another one."""
    middle = () if fair is None else (Step(fair, _FAIR),)
    return (Step(None, _GOOD), *middle, Step(worst, _BAD))


def below(value: float) -> tuple[Step, ...]:
    """Bad below a value."""
    return (Step(None, _BAD), Step(value, _GOOD))


def between(low: float, high: float) -> tuple[Step, ...]:
    """Good from one value to the other."""
    return (Step(None, _BAD), Step(low, _GOOD), Step(high, _BAD))
