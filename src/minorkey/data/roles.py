"""The columns that are not features but say something about a row: weight, entity, times, cost."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from minorkey.data.dataset import MISSING
from minorkey.data.encoding import datetime_values, numeric_values, text_values
from minorkey.data.instants import refuse_far_times
from minorkey.data.other_times import looks_like_other_time, parse_other_times
from minorkey.data.sources.table import did_you_mean
from minorkey.errors import DataError
from minorkey.spec import DataSpec

__all__ = ["ROLES", "check_named_columns", "epoch_seconds", "named_columns", "read_roles", "roles_of"]

ROLES = ("weight", "entity", "event_time", "label_time", "cost")

# Numbers beyond these are taken as milli-, micro- and nanoseconds: in seconds they are after the year 5000.
_TIME_UNITS = ((1e17, 1e9, "nanoseconds"), (1e14, 1e6, "microseconds"), (1e11, 1e3, "milliseconds"))
#: A number since 1970 that is written as text; eight digits are a date in ISO 8601.
_NUMBER = re.compile(r"\d{9,19}(\.\d+)?")


def roles_of(spec: DataSpec, defaults: Mapping[str, str]) -> dict[str, str]:
    """Role to column: what the spec names, and else what the source itself knows."""
    named = {role: getattr(spec, role) or defaults.get(role) for role in ROLES}
    return {role: column for role, column in named.items() if column}


def named_columns(spec: DataSpec) -> dict[str, list[str]]:
    """Spec key to the columns it names, for checking the header."""
    lists = {key: getattr(spec, key) or () for key in ("features", "drop", "keep", "categorical")}
    single = {key: getattr(spec, key) for key in ("target", *ROLES)}
    named = {f"data.{key}": [name] for key, name in single.items() if name}
    if spec.slices:
        named["evaluate.slices"] = list(spec.slices)
    return named | {f"data.{key}": list(names) for key, names in lists.items() if names}


def check_named_columns(target: str | None, roles: Mapping[str, str], columns: list[str]) -> str:
    """The target, once it is certain that there is one and that no role shares its column.

    Raises:
        DataError: no target is named, or it has a role too.
    """
    if target is None:
        raise DataError(
            "no target column is named",
            key="data.target",
            allowed=", ".join(columns[:30]),
            remedy=did_you_mean("target", columns) or "name the column to predict (--target)",
        )
    for role, column in roles.items():
        if column == target:
            raise DataError(
                "the target cannot have a role too",
                key=f"data.{role}",
                value=column,
                allowed="a column other than the target",
                remedy=f"name another column as data.{role}, or leave it out",
            )
    return target


def read_roles(
    frame: pd.DataFrame, roles: Mapping[str, str]
) -> tuple[dict[str, npt.NDArray[Any]], list[str]]:
    """The values of every role, shape (n,) each, and what was assumed about their units.

    Raises:
        DataError: values are missing, negative, infinite, or do not parse.
    """
    values: dict[str, npt.NDArray[Any]] = {}
    assumptions: list[str] = []
    for role, column in roles.items():
        if role == "entity":
            values[role] = text_values(frame[column])
        elif role in ("event_time", "label_time"):
            values[role], assumption = epoch_seconds(frame[column])
            assumptions += [assumption] if assumption else []
        else:
            values[role] = numeric_values(frame[column])
        _check_present(values[role], role, column)
        if role in ("weight", "cost"):
            _check_amounts(values[role], role, column)
    return values, assumptions


def epoch_seconds(column: pd.Series) -> tuple[npt.NDArray[np.float64], str]:
    """Times as seconds since 1970-01-01 UTC, shape (n,), and what was assumed about their form.

    Numbers, also as text, that are too large for seconds are milli-, micro- or nanoseconds. Other texts are
    ISO 8601, or dates of another form if there is no doubt which number is the day.

    Raises:
        DataError: a value is not a time, or may be two.
    """
    if pd.api.types.is_object_dtype(column.dtype) or pd.api.types.is_string_dtype(column.dtype):
        codes, levels = pd.factorize(text_values(column))
        present = [level for level in levels if level != MISSING]
        if looks_like_other_time(present):
            parsed, order = parse_other_times(present, name=str(column.name))
            of_level = np.full(len(levels), np.nan)
            of_level[np.array([level != MISSING for level in levels], dtype=bool)] = parsed
            refuse_far_times(column, of_level[codes])
            return of_level[codes], f"{column.name} is read as {order}"
        if present and all(_NUMBER.fullmatch(level) for level in present):
            column = pd.Series(numeric_values(column), name=column.name)
    seconds = datetime_values(column)
    if not pd.api.types.is_numeric_dtype(column.dtype):
        return seconds, ""
    largest = float(np.nanmax(np.abs(seconds), initial=0.0))
    for bound, factor, unit in _TIME_UNITS:
        if bound < largest < np.inf:
            return _near(column, seconds / factor), f"{column.name} counts {unit} since 1970"
    return _near(column, seconds), f"{column.name} counts seconds"


def _near(column: pd.Series, seconds: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The times, of which none is centuries away; infinite ones are refused with the missing ones."""
    refuse_far_times(column, np.where(np.isfinite(seconds), seconds, np.nan))
    return seconds


def _check_present(values: npt.NDArray[Any], role: str, column: str) -> None:
    missing = values == MISSING if values.dtype == object else ~np.isfinite(values)
    if role == "label_time":
        # A label that is not known yet has no time.
        missing = np.isinf(values)
    if missing.any():
        row = int(missing.argmax())
        raise DataError(
            f"the {role} column has missing or infinite values",
            key=f"data.{role}: {column}, row {row + 1}",
            value=f"{int(missing.sum()):,} rows",
            allowed="a value in every row",
            remedy="fill them, or remove the rows or the role",
        )


def _check_amounts(values: npt.NDArray[np.float64], role: str, column: str) -> None:
    negative = values < 0
    if negative.any():
        row = int(negative.argmax())
        raise DataError(
            f"the {role} column has negative values",
            key=f"data.{role}: {column}, row {row + 1}",
            value=values[row],
            allowed="0 or more",
        )
    if role == "weight" and not values.any():
        raise DataError("every weight is 0", key=f"data.weight: {column}", value=0, allowed="some above 0")
