"""What each column is: a number, a category, a time, or nothing that a model should see."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from minorkey.data.dataset import MISSING, Feature, FeatureKind, Schema
from minorkey.data.encoding import label_text
from minorkey.data.identifiers import identifier_reason, time_copies
from minorkey.data.instants import seconds_of_texts
from minorkey.data.left_out import DROPPED, NO_VALUE, NOT_ENCODABLE, NOT_LISTED, ONE_VALUE, ROLE, of_reason
from minorkey.data.other_times import looks_like_other_time
from minorkey.errors import DataError
from minorkey.spec import DataSpec

__all__ = ["Inferred", "infer_features", "kind_of", "unread_times"]

#: Distinct values looked at before all of them are.
_PROBE = 1_000
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?$")


@dataclass
class Inferred:
    """The features, and the columns that are none, each with the reason."""

    features: list[Feature] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


def infer_features(
    frame: pd.DataFrame, spec: DataSpec, *, target: str, roles: Mapping[str, str], time: str | None
) -> Inferred:
    """Kind of every column that may be a feature, and the reason for every column that is none.

    Args:
        frame: raw rows in the order of the source.
        spec: ``features``, ``drop``, ``keep`` and ``categorical`` are heeded.
        target: never a feature.
        roles: role to column; such a column is a feature only if ``keep`` or ``features`` names it.
        time: the event time's column; numeric copies of it are left out.

    Raises:
        DataError: no column is left.
    """
    inferred = Inferred()
    wanted = set(spec.keep) | set(spec.features or ())
    for name in frame.columns:
        if name == target:
            continue
        reason = _excluded(name, spec, roles, wanted)
        kind = None if reason else kind_of(frame[name], categorical=name in spec.categorical)
        if not reason:
            reason = _unusable(frame[name], kind) or (
                "" if name in wanted else identifier_reason(frame[name], kind)
            )
        if reason or kind is None:
            inferred.left_out[name] = reason
        else:
            inferred.features.append(Feature(name, kind))
    if time is not None:
        candidates = [f for f in inferred.features if f.kind != "categorical" and f.name not in wanted]
        copies = time_copies(frame, candidates, time)
        inferred.left_out |= dict.fromkeys(copies, f"rises and falls with {time}, the event time")
        inferred.features = [feature for feature in inferred.features if feature.name not in copies]
    if not inferred.features:
        raise DataError(
            "no column is left to be a feature",
            key="data.features",
            value="; ".join(f"{name}: {reason}" for name, reason in inferred.left_out.items())
            or "only the target",
            allowed="at least one column with differing values",
            remedy="name columns in data.features or data.keep",
        )
    return inferred


def kind_of(column: pd.Series, *, categorical: bool = False) -> FeatureKind | None:
    """The kind of a column; None where it holds nothing that can be encoded (lists, bytes, complex)."""
    dtype = column.dtype
    if categorical:
        return "categorical"
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return "datetime"
    if pd.api.types.is_complex_dtype(dtype):
        return None
    if pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_timedelta64_dtype(dtype):
        return "numeric"
    try:
        levels = list(column.dropna().unique())
    except TypeError:
        return None
    if any(isinstance(level, bytes | complex | tuple) for level in levels[:_PROBE]):
        return None
    return _kind_of_text([label_text(level) for level in levels])


def unread_times(frame: pd.DataFrame, schema: Schema) -> list[str]:
    """Columns of text that look like times but are not ISO 8601, so that nothing was read from them.

    Args:
        frame: raw rows.
        schema: what became of the columns; those with a role and those left out on request are not named.
    """
    read = {schema.target, *schema.roles.values(), *of_reason(schema.left_out, DROPPED, NOT_LISTED)}
    return [
        name
        for name in frame.columns
        if name not in read and _is_text(frame[name]) and looks_like_other_time(_some_levels(frame[name]))
    ]


def _is_text(column: pd.Series) -> bool:
    return pd.api.types.is_object_dtype(column.dtype) or pd.api.types.is_string_dtype(column.dtype)


def _some_levels(column: pd.Series) -> list[str]:
    texts = [label_text(value) for value in column.dropna().head(_PROBE)]
    return [text for text in texts if text != MISSING]


def _excluded(name: str, spec: DataSpec, roles: Mapping[str, str], wanted: set[str]) -> str:
    if name in spec.drop:
        return DROPPED
    if spec.features is not None and name not in spec.features and name not in spec.keep:
        return NOT_LISTED
    for role, column in roles.items():
        if column == name and name not in wanted:
            return f"{ROLE} {role}"
    return ""


def _unusable(column: pd.Series, kind: FeatureKind | None) -> str:
    if kind is None:
        return NOT_ENCODABLE
    texts = [label_text(level) for level in column.dropna().unique()[:_PROBE]]
    levels = set(texts) - {MISSING}
    if not levels:
        return NO_VALUE
    missing = bool(column.isna().any()) or MISSING in texts
    return ONE_VALUE if len(levels) == 1 and not missing else ""


def _kind_of_text(levels: list[str]) -> FeatureKind:
    """The kind of distinct texts: all of them have to parse; a first look at a few spares most columns."""
    present = [level for level in levels if level != MISSING]
    kinds: tuple[tuple[Callable[[list[str]], bool], FeatureKind], ...] = (
        (_parse_as_numbers, "numeric"),
        (_parse_as_times, "datetime"),
    )
    for parses, kind in kinds:
        if parses(present[:_PROBE]) and parses(present):
            return kind
    return "categorical"


def _parse_as_numbers(texts: list[str]) -> bool:
    numbers = [text for text in texts if text.lower() not in ("true", "false")]
    return not pd.to_numeric(pd.Series(numbers, dtype=object), errors="coerce").isna().any()


def _parse_as_times(texts: list[str]) -> bool:
    if not all(_ISO.match(text) for text in texts):
        return False
    return not np.isnan(seconds_of_texts(texts)).any()
