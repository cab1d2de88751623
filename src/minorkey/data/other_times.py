"""Times that are not written in ISO 8601: 31.12.2024, 12/31/2024 10:00, 2024/12/31."""

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from minorkey.data.instants import seconds_of_times
from minorkey.errors import DataError

__all__ = ["looks_like_other_time", "parse_other_times"]

_TIME = re.compile(
    r"(?P<first>\d{1,4})(?P<mark>[./-])(?P<second>\d{1,2})(?P=mark)(?P<third>\d{1,4})"
    r"(?:(?:,? +|T)(?P<clock>(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?)(?: ?(?P<half>[AP]M))?)?",
    re.IGNORECASE,
)
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")


def looks_like_other_time(texts: Sequence[str]) -> bool:
    """Whether every text is a date with a four-digit year, maybe with a time of day, and not all are ISO."""
    return bool(texts) and not all(_ISO.match(text) for text in texts) and all(map(_is_time, texts))


def parse_other_times(texts: Sequence[str], *, name: str) -> tuple[npt.NDArray[np.float64], str]:
    """Seconds since 1970-01-01 UTC, shape (n,), and in which order day, month and year were read.

    Day and month are told apart by the numbers above 12; without one, or with some in both places, the
    texts are refused.

    Args:
        texts: such that `looks_like_other_time`.
        name: the column, for the message.

    Raises:
        DataError: the order cannot be told, or a text is no day of the calendar.
    """
    parts = pd.Series(texts, dtype=object).str.extract(_TIME)
    first, second = (parts[place].astype(int) for place in ("first", "second"))
    if (parts["first"].str.len() == 4).all():
        order = "year, month, day"
    elif (parts["third"].str.len() == 4).all() and (first > 12).any() != (second > 12).any():
        order = "day, month, year" if (first > 12).any() else "month, day, year"
    else:
        raise DataError(
            "the order of day, month and year cannot be told",
            key=f"column {name}",
            value=texts[0],
            allowed="ISO 8601 (2024-12-31T10:00:00Z); another order only where the days above the 12th "
            "tell which number is the day",
            remedy="write the times as ISO 8601",
        )
    columns = dict(zip(order.split(", "), ("first", "second", "third"), strict=True))
    dates = parts[columns["year"]] + "-" + parts[columns["month"]] + "-" + parts[columns["day"]]
    days = pd.to_datetime(dates, format="%Y-%m-%d", utc=True, errors="coerce")
    clocks = pd.to_timedelta(_with_seconds(parts["clock"].fillna("0:00:00")), errors="coerce")
    hour = clocks.dt.components["hours"]
    half = parts["half"].str.upper()
    # 12 AM is midnight, 12 PM is noon.
    shift = np.where((half == "PM") & (hour < 12), 12, 0) - np.where((half == "AM") & (hour == 12), 12, 0)
    seconds = seconds_of_times(days) + clocks.dt.total_seconds().to_numpy(np.float64)
    seconds = seconds + 3_600.0 * shift
    if np.isnan(seconds).any():
        raise DataError(
            "a value is no day of the calendar",
            key=f"column {name}",
            value=texts[int(np.isnan(seconds).argmax())],
            allowed=f"{order}, as the other values have it",
            remedy="correct the values, or write the times as ISO 8601",
        )
    return seconds, order


def _is_time(text: str) -> bool:
    match = _TIME.fullmatch(text)
    return match is not None and 4 in (len(match["first"]), len(match["third"]))


def _with_seconds(clocks: pd.Series) -> pd.Series:
    return clocks.where(clocks.str.count(":") == 2, clocks + ":00")
