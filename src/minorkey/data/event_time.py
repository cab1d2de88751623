"""Which column is the time of the event, where the specification does not say it."""

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from minorkey.data.encoding import datetime_values, numeric_values
from minorkey.data.schema_inference import kind_of
from minorkey.data.sources.table import listed
from minorkey.data.time_names import NameRank, names_a_time, rank_of_name

__all__ = ["EventTime", "find_event_time", "look_for_event_time", "not_taken_aloud"]

Seconds = npt.NDArray[np.float64]

#: Fewer distinct times than this cannot be split by.
_MIN_TIMES = 10
#: Numbers are read as times if in one of these units since 1970 all are within these years.
_UNITS = (1.0, 1e3, 1e6, 1e9)
_FIRST, _LAST = (float(pd.Timestamp(f"{year}-01-01", tz="UTC").timestamp()) for year in (1990, 2100))

_GAPS = "it has gaps"
_FEW = f"it has fewer than {_MIN_TIMES} values"
_DIGITS = "it is written like 20241231; write it as ISO 8601 (2024-12-31)"
_OTHER = "its name tells of another time"
_UNTOLD = "neither its name nor the order of the rows tells that it is"


@dataclass(frozen=True)
class EventTime:
    """The column taken as the time of the event, and the times that are not, each with the reason."""

    name: str | None
    not_taken: Mapping[str, str]


def find_event_time(frame: pd.DataFrame, candidates: Iterable[str]) -> str | None:
    """The column that `look_for_event_time` takes."""
    return look_for_event_time(frame, candidates).name


def look_for_event_time(frame: pd.DataFrame, candidates: Iterable[str]) -> EventTime:
    """The column that looks like the time of the event: complete, and in row order or named so.

    Times are columns of kind datetime, and numbers that count seconds (milli-, micro-, nanoseconds) since
    1970 between 1990 and 2100 in a column with the name of a time. A name that tells of another time (birth,
    label, expiry, end ...) rules a column out. Of several, the one named after an event is taken, then one in
    row order, then by the name (`NameRank`), then a datetime before a number, then the first.

    Args:
        frame: raw rows in the order of the source.
        candidates: columns that may be it.
    """
    ranks: dict[str, tuple[bool, bool, NameRank, bool]] = {}
    not_taken: dict[str, str] = {}
    for name in candidates:
        seconds, is_number = _seconds(frame[name], name)
        if seconds is None:
            not_taken |= {name: _DIGITS} if _is_date_in_digits(frame[name], name) else {}
            continue
        rank, ordered = rank_of_name(name), bool((np.diff(seconds) >= 0).all())
        reason = _reason_against(seconds, rank, ordered=ordered)
        if reason:
            not_taken[name] = reason
        else:
            ranks[name] = (rank is NameRank.EVENT, ordered, rank, not is_number)
    taken = max(ranks, key=lambda name: ranks[name], default=None)
    rivals = {name: f"{taken} is" for name in ranks if name != taken}
    return EventTime(taken, rivals | not_taken)


def not_taken_aloud(found: EventTime) -> list[str]:
    """One line for every reason for which times are not the event's: the columns, and how to take them."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in found.not_taken.items():
        by_reason.setdefault(reason, []).append(name)
    return [_not_taken(names, reason) for reason, names in by_reason.items()]


def _not_taken(names: list[str], reason: str) -> str:
    subject = f"{names[0]} is a time" if len(names) == 1 else f"{listed(names)} are times"
    take = f"; --set {shlex.quote(f'data.event_time={names[0]}')} takes {names[0]}"
    return f"{subject}, not taken as the event time: {reason}{'' if reason in (_GAPS, _DIGITS) else take}"


def _reason_against(seconds: Seconds, rank: NameRank, *, ordered: bool) -> str:
    if rank is NameRank.OTHER:
        return _OTHER
    if np.isnan(seconds).any():
        return _GAPS
    if len(np.unique(seconds)) < _MIN_TIMES:
        return _FEW
    return "" if ordered or rank is not NameRank.NOTHING else _UNTOLD


def _is_date_in_digits(column: pd.Series, name: str) -> bool:
    """Whether a column with the name of a time holds numbers such as 20241231, all days of the calendar."""
    if kind_of(column) != "numeric" or not names_a_time(name):
        return False
    days = pd.Series(numeric_values(column)).dropna().unique()
    if not len(days) or not ((days >= 19_900_101) & (days < 21_000_101) & (days == days.round())).all():
        return False
    dates = pd.to_datetime(days.astype(int).astype(str), format="%Y%m%d", errors="coerce")
    return not dates.isna().any()


def _seconds(column: pd.Series, name: str) -> tuple[Seconds | None, bool]:
    """The times as seconds since 1970, None if the column holds none, and whether they are numbers."""
    kind = kind_of(column)
    if kind == "datetime":
        return datetime_values(column, far=True), False
    if kind != "numeric" or not names_a_time(name) or pd.api.types.is_timedelta64_dtype(column.dtype):
        return None, True
    values = numeric_values(column)
    present = values[~np.isnan(values)]
    for unit in _UNITS:
        if len(present) and (present >= _FIRST * unit).all() and (present < _LAST * unit).all():
            return values / unit, True
    return None, True
