"""What every source gives, and the limits that are checked before any expensive work."""

import difflib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from minorkey.errors import DataError

__all__ = ["Limits", "Options", "Table", "check_cells", "check_header", "check_options", "did_you_mean"]

#: Columns of ``rows.parquet`` that are no features.
_RESERVED = frozenset(
    {"__target", "__row_id", "__weight", "__entity", "__event_time", "__label_time", "__cost"}
)

Options = Mapping[str, str | int | float | bool]


@dataclass(frozen=True)
class Table:
    """Raw rows, and what the source itself knows about its columns.

    Attributes:
        frame: the rows as read, with a plain row number as index.
        target: the target's column, where the source has one of its own.
        roles: role to column, where the source has them.
        positive: the positive value as text, where the source has one.
        reading: options by which its text was read although nobody gave them.
    """

    frame: pd.DataFrame
    target: str | None = None
    roles: dict[str, str] = field(default_factory=dict)
    positive: str | None = None
    reading: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Limits:
    """What a source's header has to satisfy.

    Attributes:
        max_columns: more columns are refused.
        max_cell_bytes: a longer text cell is refused.
        required: spec key to the columns it names; each must exist.
    """

    max_columns: int = 2_000
    max_cell_bytes: int = 1_000_000
    required: Mapping[str, Sequence[str]] = field(default_factory=dict)


def check_header(columns: Sequence[str], source: str, limits: Limits) -> None:
    """Refuse a header with too many columns, unusable or duplicate names, or without a column of the spec.

    Raises:
        DataError: naming the column, the spec key that asked for it, and the nearest existing name.
    """
    if len(columns) > limits.max_columns:
        raise DataError(
            "the data set has too many columns",
            key=source,
            value=f"{len(columns):,} columns",
            allowed=f"at most {limits.max_columns:,} (data.max_columns)",
            remedy="leave columns out of the file, or raise data.max_columns",
        )
    unusable = [name for name in columns if not name.strip() or name in _RESERVED]
    if unusable:
        raise DataError(
            "a column has no name, or one that minorkey needs for itself",
            key=source,
            value=repr(unusable[0]),
            allowed=f"any name but {', '.join(sorted(_RESERVED))}",
            remedy="rename the column",
        )
    duplicates = [name for name, count in Counter(columns).items() if count > 1]
    if duplicates:
        raise DataError(
            "column names occur more than once",
            key=source,
            value=", ".join(duplicates[:10]),
            allowed="every column name once",
            remedy="rename or remove the duplicate columns",
        )
    for key, names in limits.required.items():
        for name in names:
            if name not in columns:
                raise DataError(
                    f"there is no column {name!r} in {source}",
                    key=key,
                    value=name,
                    allowed=listed(columns),
                    remedy=did_you_mean(name, columns) or "name one of the columns",
                )


def check_cells(frame: pd.DataFrame, source: str, limits: Limits) -> None:
    """Refuse text cells longer than the limit.

    Raises:
        DataError: naming the column, the row and the length.
    """
    for name in frame.columns:
        if not isinstance(frame[name].dtype, pd.StringDtype) and frame[name].dtype != object:
            continue
        lengths = frame[name].map(lambda cell: len(cell) if isinstance(cell, str | bytes) else 0)
        if len(lengths) and lengths.max() > limits.max_cell_bytes:
            row = int(lengths.to_numpy().argmax())
            raise cell_too_long(source, f"column {name}, row {row + 1}", int(lengths.max()), limits)


def cell_too_long(source: str, place: str, length: int, limits: Limits) -> DataError:
    """The error for a text cell beyond the limit."""
    return DataError(
        f"a cell of {source} is too long",
        key=place,
        value=f"{length:,} bytes or more",
        allowed=f"at most {limits.max_cell_bytes:,} bytes (data.max_cell_bytes)",
        remedy="leave the column out of the file (or look for a quote that is never closed)",
    )


def check_options(options: Options, allowed: Iterable[str], source: str) -> None:
    """Refuse options that the source does not have.

    Raises:
        DataError: naming the option and those that exist.
    """
    known = sorted(allowed)
    for name, value in options.items():
        if name not in known:
            raise DataError(
                f"{source} has no option {name!r}",
                key=f"data.options.{name}",
                value=value,
                allowed=", ".join(known) or "no options",
                remedy=did_you_mean(name, known) or "remove the option",
            )


def did_you_mean(name: str, columns: Iterable[str]) -> str:
    """A question that offers the nearest existing name, or nothing."""
    by_lower = {column.lower(): column for column in columns}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return f"did you mean {by_lower[near[0]]!r}?" if near else ""


def listed(names: Sequence[str], most: int = 20) -> str:
    """The names in one line, cut short."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown}, ... ({len(names):,} in all)"
