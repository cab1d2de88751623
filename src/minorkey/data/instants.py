"""Columns of times as seconds since 1970-01-01 UTC, and which of them are too far away."""

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from minorkey.data.iso8601 import FURTHEST, RANGE, parse_iso
from minorkey.errors import DataError

__all__ = ["refuse_far_times", "seconds_of_texts", "seconds_of_times"]

Seconds = npt.NDArray[np.float64]

#: What pandas reads at once, and in the same way as `parse_iso`.
_PLAIN = re.compile(
    r"(?!0000)\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-][01]\d:[0-5]\d)?)?", re.ASCII
)
_UNITS = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}


def seconds_of_texts(texts: Sequence[str]) -> Seconds:
    """Seconds of texts in ISO 8601, shape (n,), NaN where `parse_iso` would raise."""
    plain = np.array([_PLAIN.fullmatch(text) is not None for text in texts], dtype=bool)
    seconds = np.full(len(texts), np.nan)
    if plain.any():
        chosen = pd.Series(texts, dtype=object)[plain]
        times = pd.Series(pd.to_datetime(chosen, format="ISO8601", utc=True, errors="coerce"))
        seconds[plain] = seconds_of_times(times)
    for place in np.flatnonzero(~plain).tolist():
        try:
            seconds[place] = parse_iso(texts[place])
        except ValueError:
            continue
    return seconds


def seconds_of_times(times: pd.Series) -> Seconds:
    """Seconds of a column of dtype datetime64, shape (n,), NaN where missing; without a zone it is UTC.

    In whole units of the column, so that no date of any unit is out of range.
    """
    naive = times if times.dt.tz is None else times.dt.tz_convert("UTC").dt.tz_localize(None)
    stamps = naive.to_numpy()
    unit = np.datetime_data(stamps.dtype)[0]
    seconds: Seconds = stamps.astype(np.int64) / _UNITS[unit]
    seconds[np.isnat(stamps)] = np.nan
    return seconds


def refuse_far_times(column: pd.Series, seconds: Seconds) -> None:
    """Refuse a column with a time beyond `FURTHEST`, such as 0001-01-01 or 9999-12-31.

    Args:
        column: as it came, for the message.
        seconds: shape (n,), its values.

    Raises:
        DataError: naming column, row and value.
    """
    far = np.abs(seconds) > FURTHEST
    if far.any():
        row = int(far.argmax())
        raise DataError(
            "a time is too far from now",
            key=f"column {column.name}, row {row + 1}",
            value=f"{column.iloc[row]!s} ({int(far.sum()):,} rows)",
            allowed=f"{RANGE}, or an empty cell",
            remedy="leave the cell empty where no time is known, or leave the column out (data.drop)",
        )
