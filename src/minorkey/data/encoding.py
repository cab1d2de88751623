"""From a raw frame to canonical feature columns: in `load`, and for any frame that is to be scored.

Missing text is an empty cell or one of the tokens that files use for it (``?``, ``NA``, ``null`` ...).
Text is stripped. A number written as text is parsed; whatever does not parse is an error, not a guess.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from minorkey.data.dataset import MISSING, Feature, Schema
from minorkey.data.instants import refuse_far_times, seconds_of_texts, seconds_of_times
from minorkey.data.sources.table import did_you_mean, listed
from minorkey.errors import DataError

__all__ = [
    "MISSING_TOKENS",
    "datetime_values",
    "encode_column",
    "encode_features",
    "label_text",
    "numeric_values",
    "text_values",
]

MISSING_TOKENS = frozenset(
    {"", "?", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NULL", "null", "None", "NaT"}
)
_BOOLEANS = {"true": "1", "false": "0"}


def encode_features(frame: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """Canonical feature columns of a raw frame.

    Args:
        frame: raw rows; the target may be absent, further columns are ignored.
        schema: the features to encode.

    Returns:
        One column per feature in the schema's order: float64 for numeric and datetime (NaN where
        missing), str for categorical (``MISSING`` where missing; unknown levels pass through).

    Raises:
        DataError: a feature's column is missing, or a value does not parse or is infinite.
    """
    present = [str(name) for name in frame.columns]
    for feature in schema.features:
        if feature.name not in present:
            raise DataError(
                "a feature's column is missing",
                key=feature.name,
                value=f"columns {listed(present)}",
                allowed=f"all of {listed(schema.names())}",
                remedy=did_you_mean(feature.name, present) or "add the column; it may be empty",
            )
    columns = {feature.name: encode_column(frame[feature.name], feature) for feature in schema.features}
    return pd.DataFrame(columns, index=pd.RangeIndex(len(frame)))


def encode_column(column: pd.Series, feature: Feature) -> pd.Series:
    """One canonical column, as `Feature` describes it.

    Raises:
        DataError: a value does not parse or is infinite.
    """
    if feature.kind == "categorical":
        return pd.Series(text_values(column), dtype=object)
    values = numeric_values(column) if feature.kind == "numeric" else datetime_values(column)
    infinite = np.flatnonzero(np.isinf(values))
    if len(infinite):
        raise DataError(
            "a value is infinite",
            key=f"column {feature.name}, row {infinite[0] + 1}",
            value=f"{values[infinite[0]]} ({len(infinite):,} rows)",
            allowed="finite numbers, or an empty cell where the value is missing",
            remedy="replace infinite values, or leave the column out (data.drop)",
        )
    # Adding zero turns -0.0 into 0.0, so that equal rows are equal in their bytes too.
    return pd.Series(values + 0.0, dtype=np.float64)


def label_text(value: Any) -> str:
    """A value as the text it is known by: ``1`` for 1, 1.0 and "1 ", ``true`` for True."""
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    text = str(value).strip()
    return MISSING if text in MISSING_TOKENS else text


def text_values(column: pd.Series) -> npt.NDArray[np.object_]:
    """Every value as stripped text, shape (n,), ``MISSING`` where missing."""
    codes, levels = pd.factorize(column, use_na_sentinel=True)
    texts = np.array([*(label_text(level) for level in levels), MISSING], dtype=object)
    result: npt.NDArray[np.object_] = texts[codes]
    return result


def numeric_values(column: pd.Series) -> npt.NDArray[np.float64]:
    """Every value as a float, shape (n,), NaN where missing.

    Raises:
        DataError: a value is not a number.
    """
    if pd.api.types.is_timedelta64_dtype(column.dtype):
        return column.dt.total_seconds().to_numpy(np.float64)
    if pd.api.types.is_bool_dtype(column.dtype) or pd.api.types.is_numeric_dtype(column.dtype):
        return column.to_numpy(np.float64, na_value=np.nan)
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        raise _not_a(column, "number", np.ones(len(column), dtype=bool))
    texts = text_values(column)
    codes, levels = pd.factorize(texts)
    as_numbers = pd.Series([_BOOLEANS.get(level.lower(), level) for level in levels], dtype=object)
    numbers = pd.to_numeric(as_numbers, errors="coerce").to_numpy(np.float64)
    unparsed = np.isnan(numbers) & np.array([level != MISSING for level in levels], dtype=bool)
    if unparsed.any():
        raise _not_a(column, "number", unparsed[codes])
    values: npt.NDArray[np.float64] = numbers[codes]
    return values


def datetime_values(column: pd.Series, *, far: bool = False) -> npt.NDArray[np.float64]:
    """Every time as seconds since 1970-01-01 UTC, shape (n,), NaN where missing.

    Times without a zone are UTC; numbers are seconds already.

    Args:
        column: times, texts in ISO 8601, or numbers.
        far: take times too that are centuries away (`FURTHEST`).

    Raises:
        DataError: a value is not a time in ISO 8601, or is too far away.
    """
    seconds = _seconds(column)
    if not far and not pd.api.types.is_numeric_dtype(column.dtype):
        refuse_far_times(column, seconds)
    return seconds


def _seconds(column: pd.Series) -> npt.NDArray[np.float64]:
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return seconds_of_times(column)
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.to_numpy(np.float64, na_value=np.nan)
    codes, levels = pd.factorize(text_values(column))
    seconds = seconds_of_texts(list(levels))
    unparsed = np.isnan(seconds) & np.array([level != MISSING for level in levels], dtype=bool)
    if unparsed.any():
        raise _not_a(column, "time in ISO 8601 (2024-03-31T09:00:00Z)", unparsed[codes])
    values: npt.NDArray[np.float64] = seconds[codes]
    return values


def _not_a(column: pd.Series, wanted: str, wrong: npt.NDArray[np.bool_]) -> DataError:
    row = int(wrong.argmax())
    return DataError(
        f"a value is not a {wanted}",
        key=f"column {column.name}, row {row + 1}",
        value=f"{column.iloc[row]!s} ({int(wrong.sum()):,} rows)",
        allowed=f"a {wanted}, or an empty cell",
        remedy="correct the values, or leave the column out (data.drop)",
    )
