"""Numbers as the report and the card show them: a dash where there is none."""

from typing import Any

__all__ = ["DASH", "interval", "number", "whole"]

#: What stands for a number that is not defined.
DASH = "\N{EN DASH}"


def number(value: float | None, digits: int = 4) -> str:
    """A number with so many digits, or a dash where there is none."""
    return DASH if value is None or value != value else f"{value:.{digits}f}"


def whole(value: float | None) -> str:
    """A number without digits after the point and with thousands apart, or a dash."""
    return DASH if value is None or value != value else f"{value:,.0f}"


def interval(value: dict[str, Any] | None, digits: int = 3) -> str:
    """``0.712 (0.655 to 0.760)``; the interval is left out where it is unknown."""
    if value is None:
        return DASH
    point = number(value["value"], digits)
    low, high = number(value.get("low"), digits), number(value.get("high"), digits)
    return point if DASH in (low, high) else f"{point} ({low} to {high})"
