"""Rows of a retune: the spec's source, labelled production rows after it, and nothing from later on."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from minorkey.data.dataset import Schema
from minorkey.data.encoding import datetime_values
from minorkey.data.event_time import find_event_time
from minorkey.data.exported import WEIGHT
from minorkey.data.roles import epoch_seconds, roles_of
from minorkey.data.sources import Limits, Table, read_table, reading_options
from minorkey.data.sources.table import listed
from minorkey.errors import DataError, SpecError
from minorkey.spec import DataSpec

__all__ = ["check_feedback", "rows_before", "with_feedback"]


def with_feedback(table: Table, spec: DataSpec, feedback_uri: str) -> tuple[Table, list[str]]:
    """The table with labelled production rows appended, and the columns that these rows have.

    Where thinning or an audit left production rows that stand for several, their weights become the data's.

    Args:
        table: rows of the spec's source.
        spec: its limits hold for the production rows too.
        feedback_uri: a file or fsspec URI; text is read as the spec's source was.

    Raises:
        DataError: the rows cannot be read, or lack the target or a role.
    """
    target = spec.target or table.target
    needed = [*([target] if target else []), *roles_of(spec, table.roles).values()]
    limits = Limits(spec.max_columns, spec.max_cell_bytes, {"feedback_uri": needed})
    options = reading_options(feedback_uri, {**spec.options, **table.reading})
    rows = read_table(feedback_uri, options, limits).frame
    shared = [name for name in rows.columns if name in table.frame.columns]
    old, new = table.frame, rows[shared]
    if WEIGHT in rows.columns and (rows[WEIGHT] != 1).any():
        column = roles_of(spec, table.roles).get("weight", WEIGHT)
        if column != WEIGHT:
            raise DataError(
                "the production rows have weights, and the data have others",
                key="data.weight",
                value=column,
                allowed=f"none, or {WEIGHT}",
                remedy="keep all negatives (keep_negatives: 1) where the data have weights of their own",
            )
        old, new = old.assign(**{WEIGHT: 1.0}), new.assign(**{WEIGHT: rows[WEIGHT]})
    return replace(table, frame=pd.concat([old, new], ignore_index=True)), shared


def check_feedback(columns: Sequence[str], schema: Schema, feedback_uri: str) -> None:
    """Refuse production rows that lack a feature.

    Raises:
        DataError: naming the features that they lack.
    """
    absent = [name for name in schema.names() if name not in columns]
    if absent:
        raise DataError(
            "the production rows lack features",
            key="feedback_uri",
            value=f"{feedback_uri}: {listed(absent)}",
            allowed=f"all of {listed(schema.names())}",
            remedy="export these columns too, or drop them from the model (data.drop)",
        )


def rows_before(table: Table, spec: DataSpec, until: str) -> Table:
    """The rows whose event is before a moment.

    Raises:
        SpecError: the moment is not ISO 8601, or the rows have no event time.
        DataError: the event time does not parse, or no row is left.
    """
    moment = _seconds(until)
    time = roles_of(spec, table.roles).get("event_time") or find_event_time(
        table.frame, [str(name) for name in table.frame.columns]
    )
    if time is None:
        raise SpecError(
            "until needs rows with an event time",
            key="until",
            value=until,
            remedy="name the column as data.event_time",
        )
    frame = table.frame[epoch_seconds(table.frame[time])[0] < moment]
    if not len(frame):
        raise DataError(
            "no row is before the given moment",
            key="until",
            value=until,
            allowed="a time after the first event",
            remedy="give a later time",
        )
    return replace(table, frame=frame.reset_index(drop=True))


def _seconds(until: str) -> float:
    try:
        seconds = float(datetime_values(pd.Series([until], dtype=object))[0])
    except DataError:
        seconds = float("nan")
    if seconds != seconds:
        raise SpecError(
            "until is not a time", key="until", value=until, allowed="ISO 8601, e.g. 2024-03-31T00:00:00Z"
        )
    return seconds
