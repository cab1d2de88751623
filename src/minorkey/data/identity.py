"""What a row is known by: a hash of its content that no choice of features changes.

The columns behind the hash are recorded in the schema and in the split's membership, so that the ids of
two models are compared only where they speak of the same columns.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from minorkey.data.dataset import Dataset, FeatureKind, RowIds
from minorkey.data.encoding import datetime_values, numeric_values, text_values
from minorkey.data.identifiers import identifier_reason
from minorkey.data.schema_inference import kind_of

__all__ = ["identify_rows", "ids_behind"]

Identity = dict[str, FeatureKind]

#: What may change while the row stays the same row.
_MUTABLE_ROLES = ("weight", "label_time", "cost")
#: What tells rows apart even where it looks like an identifier.
_IDENTIFYING_ROLES = ("entity", "event_time")


def identify_rows(frame: pd.DataFrame, *, target: str, roles: Mapping[str, str]) -> tuple[RowIds, Identity]:
    """A stable hash of every row, shape (n,), and the columns behind it with their kinds.

    It covers every column of the source but the target, the label's time, the weight and the cost: a row
    whose label is corrected, comes late or is weighted anew stays the same row, and so stays on its side
    of the split. It asks neither which columns are kept as features nor which are dropped. Columns that
    look like identifiers are left out, so that copies of one event under several numbers have one hash;
    the entity and the event time are in whatever they look like.

    Args:
        frame: raw rows.
        target: the target's column.
        roles: role to column.
    """
    mutable = {target, *(roles[role] for role in _MUTABLE_ROLES if role in roles)}
    identifying = {roles[role] for role in _IDENTIFYING_ROLES if role in roles}
    kinds = {
        name: kind
        for name in sorted(set(frame.columns) - mutable | identifying - {target})
        if (kind := kind_of(frame[name])) is not None
    }
    telling = {
        name: kind
        for name, kind in kinds.items()
        if name in identifying or not identifier_reason(frame[name], kind)
    }
    ids = _hashed(frame, telling)
    if (ids == ids[0]).all():
        # Nothing but identifiers tells the rows apart.
        return _hashed(frame, kinds), kinds
    return ids, telling


def ids_behind(identity: Mapping[str, str], dataset: Dataset) -> RowIds | None:
    """The rows' ids by given columns, shape (n,); None where the data set lacks one of them or its kind.

    Args:
        identity: column to kind, as `identify_rows` gives it.
        dataset: any rows.
    """
    schema = dataset.schema
    if dict(identity) == schema.identity:
        return dataset.row_id
    columns: dict[str, pd.Series] = {
        feature.name: dataset.features[feature.name]
        for feature in schema.features
        if identity.get(feature.name) == feature.kind
    }
    entity, time = schema.roles.get("entity", ""), schema.roles.get("event_time", "")
    if dataset.entity is not None and entity in identity:
        names = pd.Series(dataset.entity, dtype=object)
        if kind_of(names) == identity[entity]:
            columns[entity] = names
    if dataset.event_time is not None and identity.get(time) == "datetime":
        columns[time] = pd.Series(dataset.event_time)
    if not identity or set(identity) - set(columns):
        return None
    return _hashed(pd.DataFrame(columns), identity)


def _hashed(frame: pd.DataFrame, kinds: Mapping[str, str]) -> RowIds:
    columns = {str(place): _canonical(frame[name], kinds[name]) for place, name in enumerate(sorted(kinds))}
    content = pd.DataFrame(columns, index=pd.RangeIndex(len(frame)))
    return pd.util.hash_pandas_object(content, index=False).to_numpy().astype(np.uint64)


def _canonical(column: pd.Series, kind: str) -> pd.Series:
    """The values in the one form that every file format leads to; infinite or far ones are no error here."""
    if kind == "categorical":
        return pd.Series(text_values(column), dtype=object)
    values = numeric_values(column) if kind == "numeric" else datetime_values(column, far=True)
    # Adding zero turns -0.0 into 0.0; every kind of NaN becomes the same one.
    return pd.Series(np.where(np.isnan(values), np.nan, values + 0.0))
