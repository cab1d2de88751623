"""Times in ISO 8601 as seconds: the one reading that training, ``minorkey predict`` and the predictor share.

No pandas here: a single row has to cost microseconds.
"""

import re
from datetime import datetime, timedelta

__all__ = ["FURTHEST", "RANGE", "parse_iso"]

#: Seconds from 1970 within which a time must be: what nanoseconds in 64 bits reach.
FURTHEST = 9_223_372_036.0
#: The same in words.
RANGE = "times from 1677-09-22 to 2262-04-11"

_EPOCH = datetime(1970, 1, 1)
_CLOCK = r"(?P<hour>\d\d|\d(?=:))(?::?(?P<minute>\d\d)(?::?(?P<second>\d\d)(?:\.(?P<fraction>\d+))?)?)?"
_ZONE = r" ?(?:Z|(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>\d\d)?)"
_TIME = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d))?"
    rf"|(?P<date>\d{{4}}-\d\d-\d\d|\d{{8}})(?:[T ]{_CLOCK}(?:{_ZONE})?)?",
    re.ASCII,
)


def parse_iso(text: str) -> float:
    """Seconds since 1970-01-01 UTC.

    A year or month alone is its first day, a time without a zone is UTC, and digits beyond the microsecond
    are cut off. Whether the time is within `FURTHEST` is for the caller to say.

    Args:
        text: ``2024``, ``2024-03``, ``2024-03-31``, ``20240331``, ``2024-03-31T09:00``,
            ``2024-03-31 09:00:00.5+01:00`` and so on.

    Raises:
        ValueError: the text is no such time, or no day of the calendar.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"not ISO 8601: {text}")
    if match["date"] is None:
        return (datetime(int(match["year"]), int(match["month"] or 1), 1) - _EPOCH).total_seconds()
    year, month, day = match["date"][:4], match["date"][4:-2].strip("-"), match["date"][-2:]
    moment = datetime(
        int(year),
        int(month),
        int(day),
        int(match["hour"] or 0),
        int(match["minute"] or 0),
        int(match["second"] or 0),
        int((match["fraction"] or "")[:6].ljust(6, "0")),
    )
    return (moment - _EPOCH - _offset(match)).total_seconds()


def _offset(match: re.Match[str]) -> timedelta:
    if match["sign"] is None:
        return timedelta()
    hours, minutes = int(match["hours"]), int(match["minutes"] or 0)
    if hours > 23 or minutes > 59:
        raise ValueError(f"not an offset from UTC: {match['hours']}:{minutes:02}")
    return timedelta(hours=hours, minutes=minutes) * (-1 if match["sign"] == "-" else 1)
