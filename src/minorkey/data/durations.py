"""Durations (``7d``) and instants (ISO 8601) of the specification, as seconds."""

import re

from minorkey.data.iso8601 import FURTHEST, RANGE, parse_iso
from minorkey.errors import SpecError

__all__ = ["DAY", "format_instant", "parse_duration", "parse_instant"]

#: Seconds of a day.
DAY = 86_400.0

_UNITS = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": DAY, "w": 7 * DAY}
_PART = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")


def parse_duration(text: str, *, key: str) -> float:
    """Seconds of a duration such as ``7d``, ``12h`` or ``1w2d``.

    Args:
        text: numbers with the units s, m, h, d or w.
        key: the spec key, for the message.

    Raises:
        SpecError: the text is no such duration.
    """
    compact = text.strip().replace(" ", "")
    if not compact or _PART.sub("", compact):
        raise SpecError(
            "the duration cannot be read",
            key=key,
            value=text,
            allowed="numbers with a unit s, m, h, d or w, such as 7d, 12h or 1w2d",
        )
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(compact))


def parse_instant(text: str, *, key: str) -> float:
    """Seconds since 1970-01-01 UTC of an ISO 8601 date or time; without a zone it is UTC.

    Raises:
        SpecError: the text is no such time.
    """
    try:
        seconds = parse_iso(text)
    except ValueError:
        raise SpecError(
            "the time cannot be read",
            key=key,
            value=text,
            allowed="ISO 8601, such as 2018-07-25 or 2018-07-25T12:00:00+02:00",
        ) from None
    if abs(seconds) > FURTHEST:
        raise SpecError("the time is too far away", key=key, value=text, allowed=RANGE)
    return seconds


def format_instant(seconds: float) -> str:
    """A point in time as ISO 8601 in UTC, to the second."""
    import pandas as pd

    return pd.Timestamp(seconds, unit="s", tz="UTC").strftime("%Y-%m-%dT%H:%M:%SZ")
