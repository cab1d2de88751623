"""From a source to a data set: what `load` and ``minorkey profile`` do first.

The whole data set is looked at here, also rows that later become the sealed test. Nothing a model is
fitted with comes of it: kinds of columns, and columns left out because they name rows or give the
answer away. Leaving out can only make a result worse, never flatter it.
"""

import shlex
from dataclasses import dataclass, replace
from typing import Any

from minorkey.data.dataset import Dataset, Schema
from minorkey.data.encoding import encode_features
from minorkey.data.event_time import look_for_event_time, not_taken_aloud
from minorkey.data.exported import told_of_rows
from minorkey.data.identity import identify_rows
from minorkey.data.leaks import Suspect, find_leaks
from minorkey.data.left_out import DROPPED, LEAK, NOT_LISTED, of_reason, said_aloud
from minorkey.data.profile import profile_dataset
from minorkey.data.roles import check_named_columns, named_columns, read_roles, roles_of
from minorkey.data.schema_inference import infer_features, unread_times
from minorkey.data.slices import check_slices
from minorkey.data.sources import Limits, Table, read_table, reading_of, reading_options
from minorkey.data.sources.decimal_commas import comma_columns
from minorkey.data.sources.table import listed
from minorkey.data.target import resolve_target
from minorkey.data.validation import validate
from minorkey.errors import DataError
from minorkey.spec import DataSpec

__all__ = ["Loaded", "build_dataset", "load_dataset", "read_source"]

#: Seed of the sample in which leaks are sought: what is a feature depends on the data, not on the run.
_LEAK_SEED = 0


@dataclass(frozen=True)
class Loaded:
    """A data set, its profile, and what was assumed because the spec did not say it."""

    dataset: Dataset
    profile: dict[str, Any]
    assumptions: list[str]


def load_dataset(spec: DataSpec) -> Loaded:
    """Read, check, encode and profile the rows that a spec describes.

    Args:
        spec: the data section.

    Raises:
        DataError: anything about the data that a user has to mend, before a model sees it.
    """
    return build_dataset(read_source(spec), spec)


def read_source(spec: DataSpec) -> Table:
    """The raw rows of the spec's source, once its header has every column that the spec names.

    Raises:
        DataError: the source cannot be read, breaks a limit, or lacks a column.
    """
    limits = Limits(spec.max_columns, spec.max_cell_bytes, named_columns(spec))
    table = read_table(spec.source, spec.options, limits)
    return replace(table, frame=table.frame.rename(columns=str))


def build_dataset(table: Table, spec: DataSpec) -> Loaded:
    """The data set of raw rows.

    Raises:
        DataError: anything about the data that a user has to mend, before a model sees it.
    """
    named = [name for names in named_columns(spec).values() for name in names]
    frame, roles, exported = told_of_rows(table.frame, roles_of(spec, table.roles), named)
    target = check_named_columns(spec.target or table.target, roles, list(frame.columns))
    own_positive = table.positive if spec.target in (None, table.target) else None
    resolved = resolve_target(frame[target], own_positive if spec.positive is None else spec.positive)
    assumptions = exported + ([resolved.assumption] if resolved.assumption else [])
    if "event_time" not in roles:
        usable = set(frame.columns) - {
            target,
            *spec.drop,
            *spec.keep,
            *(spec.features or ()),
            *roles.values(),
        }
        found = look_for_event_time(frame, [name for name in frame.columns if name in usable])
        if found.name is not None:
            roles["event_time"] = found.name
            assumptions.append(
                f"{found.name} is the time of the event, so the split is by time; --set split.kind=hash "
                f"splits by row, --keep-column {shlex.quote(found.name)} makes it a feature"
            )
        assumptions += not_taken_aloud(found)
    values, units = read_roles(frame, roles)
    inferred = infer_features(frame, spec, target=target, roles=roles, time=roles.get("event_time"))
    row_id, identity = identify_rows(frame, target=target, roles=roles)
    schema = Schema(
        features=tuple(inferred.features),
        target=target,
        positive=resolved.positive,
        negative=resolved.negative,
        roles=roles,
        left_out=inferred.left_out,
        identity=identity,
        reading=reading_of(spec.options) | table.reading,
    )
    features = encode_features(frame, schema)
    suspects = find_leaks(
        features,
        resolved.y,
        threshold=spec.leak_average_precision,
        seed=_LEAK_SEED,
        weight=values.get("weight"),
    )
    schema = _without_leaks(schema, suspects, spec)
    check_slices(schema, spec.slices)
    features = features[schema.names()]
    dataset = Dataset(features, resolved.y, row_id, schema, **values)
    validate(dataset)
    assumptions += units + _said_aloud(schema, suspects, spec)
    assumptions += _commas_aloud(table, schema, spec)
    assumptions += [
        f"{name} looks like a time; write it as ISO 8601, or name it in data.event_time"
        for name in unread_times(frame, schema)
    ]
    return Loaded(dataset, profile_dataset(dataset, source=spec.source, suspects=suspects), assumptions)


def _without_leaks(schema: Schema, suspects: list[Suspect], spec: DataSpec) -> Schema:
    left_out = dict(schema.left_out)
    for suspect in suspects:
        if any(name in left_out for name in suspect.columns):
            continue
        for name in suspect.columns:
            if name not in spec.keep:
                left_out[name] = _leak_reason(suspect, [other for other in suspect.columns if other != name])
    features = tuple(feature for feature in schema.features if feature.name not in left_out)
    if not features:
        raise DataError(
            "every column ranks the rows too well alone to be a feature",
            key="data.leak_average_precision",
            value="; ".join(f"{name}: {reason}" for name, reason in left_out.items()),
            allowed="columns that are known before the outcome is",
            remedy="name the columns that you trust in data.keep (--keep-column)",
        )
    return replace(schema, features=features, left_out=left_out)


def _leak_reason(suspect: Suspect, partner: list[str]) -> str:
    together = f"together with {partner[0]} " if partner else ""
    return (
        f"{LEAK}: {together}alone ranks the rows with average precision "
        f"{suspect.average_precision:.3f}, as only the answer itself would"
    )


def _said_aloud(schema: Schema, suspects: list[Suspect], spec: DataSpec) -> list[str]:
    lines = said_aloud(schema.left_out)
    lines.append(_counted(schema))
    categorical = schema.names("categorical")
    if categorical:
        lines.append(f"categories, not numbers: {', '.join(categorical)}")
    kept = [
        f"kept {' and '.join(suspect.columns)} as asked, though average precision alone is "
        f"{suspect.average_precision:.3f}"
        for suspect in suspects
        if any(name in spec.keep for name in suspect.columns)
    ]
    return lines + kept


def _counted(schema: Schema) -> str:
    """How many features there are of each kind, and which are times."""
    numbers, categories, times = (len(schema.names(kind)) for kind in ("numeric", "categorical", "datetime"))
    named = f" ({listed(schema.names('datetime'))})" if times else ""
    return (
        f"features: {numbers:,} number{'s' * (numbers != 1)}, "
        f"{categories:,} {'category' if categories == 1 else 'categories'}, "
        f"{times:,} time{'s' * (times != 1)}{named}"
    )


def _commas_aloud(table: Table, schema: Schema, spec: DataSpec) -> list[str]:
    """Numbers with a comma: that they were read, or how they can be."""
    if table.reading.get("decimal") == ",":
        return ["numbers are read with a decimal comma; --set data.options.decimal=. leaves them as text"]
    unread = {schema.target, *schema.roles.values(), *of_reason(schema.left_out, DROPPED, NOT_LISTED)}
    names = [name for name in comma_columns(table.frame) if name not in unread]
    if not names:
        return []
    remedy = (
        "if the comma is the decimal mark, --set 'data.options.decimal=\",\"' reads them"
        if reading_options(spec.source, {**spec.options, "decimal": ","}).get("decimal")
        else "write them with a decimal point"
    )
    return [f"{listed(names)}: text that looks like numbers with a comma; {remedy}"]
