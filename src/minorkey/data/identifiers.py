"""Columns that name a row or count the time: a model would learn them by heart and fail on new rows."""

import re
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd

from minorkey.data.dataset import Feature, FeatureKind
from minorkey.data.encoding import datetime_values, numeric_values
from minorkey.data.left_out import IDENTIFIER
from minorkey.data.roles import epoch_seconds

__all__ = ["identifier_reason", "time_copies"]

_NAMED_ID = re.compile(
    r"(^|[_\s.-])(id|ids|uuid|guid|identifier|rowid|row_number|index)$|^(id|uuid)[_\s.-]|[a-z](Id|ID)$"
)
_THINGS = frozenset(
    {"account", "card", "client", "customer", "device", "member", "merchant", "patient", "session"}
    | {"terminal", "transaction", "user"}
)
#: Fewer distinct values than this are categories, whatever the name.
_MANY = 100
_NEARLY_ALL = 0.95
_MIN_ROWS = 20
#: Rows looked at before all of them are.
_PROBE = 1_000
#: A clock shows at least so many times.
_MIN_TIMES = 10


def identifier_reason(column: pd.Series, kind: FeatureKind | None) -> str:
    """Why the column looks like an identifier; empty if it does not.

    An identifier is text or a whole number that is named like one and has many values, text that
    differs in nearly every row, or a whole number that differs in nearly every row and only rises
    (or only falls) from row to row.
    """
    present = column.dropna()
    if kind == "datetime" or len(present) < _MIN_ROWS:
        return ""
    if kind == "numeric" and not _whole(column):
        return ""
    distinct = present.nunique()
    nearly_all = distinct >= _NEARLY_ALL * len(present)
    if _named(str(column.name)) and (distinct >= _MANY or nearly_all):
        return f"{IDENTIFIER} an identifier: named so, with {distinct:,} values"
    if kind == "categorical" and nearly_all:
        return f"{IDENTIFIER} an identifier or free text: {distinct:,} values in {len(present):,} rows"
    if kind == "numeric" and nearly_all:
        values = numeric_values(present)
        if (np.diff(values) >= 0).all() or (np.diff(values) <= 0).all():
            return f"{IDENTIFIER} a row number: a whole number that only rises or only falls"
    return ""


def time_copies(frame: pd.DataFrame, candidates: Iterable[Feature], time: str) -> list[str]:
    """The candidates that never fall, or never rise, as the event time goes on (at least ten values).

    Args:
        frame: raw rows.
        candidates: numbers and times; the kind, not the column's type, says how a value is read.
        time: the event time's column.
    """
    seconds, _ = epoch_seconds(frame[time])
    few = slice(None, None, max(1, len(seconds) // _PROBE))
    copies = []
    for feature in candidates:
        column = frame[feature.name]
        values = numeric_values(column) if feature.kind == "numeric" else datetime_values(column)
        if np.isnan(values).any() or not _is_monotone(values[few], seconds[few]):
            continue
        if _is_monotone(values, seconds) and len(np.unique(values)) >= _MIN_TIMES:
            copies.append(feature.name)
    return copies


def _is_monotone(values: npt.NDArray[np.float64], seconds: npt.NDArray[np.float64]) -> bool:
    """Whether the values never fall, or never rise, with time; at equal times their order is free."""
    rising = np.diff(values[np.lexsort((values, seconds))])
    falling = np.diff(values[np.lexsort((-values, seconds))])
    return bool((rising >= 0).all() or (falling <= 0).all())


def _named(name: str) -> bool:
    return bool(_NAMED_ID.search(name) or _NAMED_ID.search(name.lower())) or name.lower() in _THINGS


def _whole(column: pd.Series) -> bool:
    if pd.api.types.is_bool_dtype(column.dtype):
        return False
    if pd.api.types.is_integer_dtype(column.dtype):
        return True
    values = numeric_values(column)
    finite = values[np.isfinite(values)]
    return bool((finite == np.round(finite)).all())
