"""Which columns of two raw frames can be compared, and their canonical values."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from minorkey.data.dataset import Feature, FeatureKind, Schema
from minorkey.data.encoding import encode_features
from minorkey.data.event_time import find_event_time
from minorkey.data.identifiers import identifier_reason
from minorkey.data.schema_inference import infer_features, kind_of
from minorkey.drift.two_sample import Sample
from minorkey.errors import DataError
from minorkey.spec import DataSpec

__all__ = ["Columns", "comparable"]


@dataclass(frozen=True)
class Columns:
    """Two samples with the same columns.

    Attributes:
        reference: rows of the time when all was well.
        current: rows to judge.
        left_out: columns that are not compared, each with the reason.
    """

    reference: Sample
    current: Sample
    left_out: dict[str, str] = field(default_factory=dict)


def comparable(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    spec: DataSpec,
    roles: Mapping[str, str] | None = None,
) -> Columns:
    """Canonical columns of both frames.

    Identifiers and the time of the event are left out, for they differ between any two periods; so is a
    column that holds the same single value in both. A column's kind is what the reference says.

    Args:
        reference: raw rows.
        current: raw rows; further columns are named as left out.
        spec: ``drop``, ``keep``, ``features`` and ``categorical`` are heeded.
        roles: role to column, where the source knows them; such columns are left out too.

    Raises:
        DataError: no column is left, the current rows lack one, or a value there is of another kind.
    """
    names = [str(name) for name in reference.columns]
    absent = [name for name in names if name not in current.columns and name not in spec.drop]
    if absent:
        raise DataError(
            "the current rows lack columns of the reference",
            key="--current",
            value=", ".join(absent[:10]),
            allowed="every column of the reference",
            remedy="name them in --drop, or add them to the file; they may be empty",
        )
    shared = [name for name in names if name in current.columns]
    reference, current_shared = _typed(reference[shared]), _typed(current[shared])
    known = dict(roles or {})
    if "event_time" not in known:
        time = find_event_time(reference, [name for name in shared if name not in (*spec.keep, *spec.drop)])
        known |= {} if time is None else {"event_time": time}
    both = pd.concat([reference, current_shared], ignore_index=True)
    inferred = infer_features(both, spec, target="", roles=known, time=known.get("event_time"))
    left_out = {name: "dropped" for name in names if name not in shared} | inferred.left_out
    features = []
    for one in inferred.features:
        kind = _kind(reference[one.name], one, spec)
        reason = "" if one.name in spec.keep else identifier_reason(reference[one.name], kind)
        if reason:
            left_out[one.name] = reason
        else:
            features.append(Feature(one.name, kind))
    if not features:
        raise DataError(
            "no column is left to compare",
            key="--reference",
            value="; ".join(f"{name}: {reason}" for name, reason in left_out.items()),
            allowed="at least one column that is no identifier and no time of the event",
            remedy="name columns in --keep-column",
        )
    left_out |= {str(name): "not in the reference" for name in current.columns if name not in names}
    schema = Schema(tuple(features), target="", positive="", negative="")
    return Columns(
        Sample(encode_features(reference, schema)), Sample(encode_features(current_shared, schema)), left_out
    )


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Columns without any value as numbers: the other period says what they are."""
    empty = [name for name in frame.columns if frame[name].isna().all()]
    return frame.assign(**{str(name): np.full(len(frame), np.nan) for name in empty})


def _kind(column: pd.Series, inferred: Feature, spec: DataSpec) -> FeatureKind:
    known = kind_of(column, categorical=inferred.name in spec.categorical)
    return known if known is not None and column.notna().any() else inferred.kind
