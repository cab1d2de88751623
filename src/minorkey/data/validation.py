"""The canonical data set against its own schema, with pandera: nothing malformed leaves `load`."""

import numpy as np
import pandas as pd
import pandera.pandas as pa

from minorkey.data.dataset import Dataset, FeatureKind, Schema
from minorkey.errors import DataError

__all__ = ["canonical_schema", "validate"]


def canonical_schema(schema: Schema) -> pa.DataFrameSchema:
    """The pandera schema of canonical features: exactly these columns, in this order, finite or missing."""
    columns = {feature.name: _column(feature.kind) for feature in schema.features}
    return pa.DataFrameSchema(columns, strict=True, ordered=True, unique_column_names=True)


def validate(dataset: Dataset) -> None:
    """Check features and roles of a data set.

    Raises:
        DataError: naming the first column that does not fit, and its row.
    """
    non_negative = pa.Column(float, pa.Check.ge(0), nullable=False)
    finite = pa.Column(float, _finite(), nullable=False)
    roles = {
        "weight": non_negative,
        "cost": non_negative,
        "event_time": finite,
        "label_time": pa.Column(float, _finite(), nullable=True),
        "entity": pa.Column(object, pa.Check.str_length(min_value=1)),
    }
    present = {role: getattr(dataset, role) for role in roles}
    given = {role: values for role, values in present.items() if values is not None}
    columns = {
        role: pd.Series(values, dtype=object if role == "entity" else np.float64)
        for role, values in given.items()
    }
    _check(canonical_schema(dataset.schema), dataset.features)
    _check(pa.DataFrameSchema({role: roles[role] for role in given}, strict=True), pd.DataFrame(columns))


def _column(kind: FeatureKind) -> pa.Column:
    if kind == "categorical":
        return pa.Column(object, pa.Check(_all_text, element_wise=False), nullable=False)
    return pa.Column(float, _finite(), nullable=True)


def _finite() -> pa.Check:
    return pa.Check(lambda values: ~np.isinf(values), name="finite", error="finite")


def _all_text(values: pd.Series) -> bool:
    return pd.api.types.infer_dtype(values, skipna=False) == "string"


def _check(schema: pa.DataFrameSchema, frame: pd.DataFrame) -> None:
    try:
        schema.validate(frame)
    except pa.errors.SchemaError as error:
        cases = error.failure_cases
        first = cases.iloc[0].to_dict() if isinstance(cases, pd.DataFrame) and len(cases) else {}
        name = getattr(error.schema, "name", None) or "(columns)"
        row = first.get("index")
        raise DataError(
            "the data set does not fit its schema",
            key=f"column {name}" + ("" if row is None or pd.isna(row) else f", row {int(row) + 1}"),
            value=first.get("failure_case", str(error)),
            allowed=str(getattr(error.check, "error", None) or error.check or "the schema"),
        ) from None
