"""From JSON values to the columns that a bundle scores, coded as training coded them.

No pandas here: a single row has to cost microseconds.
"""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from minorkey.data.dataset import MISSING, Feature
from minorkey.serving.refusal import Refusal

__all__ = ["Columns", "encode_column", "take_rows"]

#: One array of shape (n,) for each feature: float64, or object holding str.
Columns = dict[str, npt.NDArray[Any]]


def encode_column(feature: Feature, values: Sequence[Any]) -> npt.NDArray[Any]:
    """One column of a request.

    Args:
        feature: what the column means.
        values: n JSON values: numbers, booleans, strings; None or NaN where missing. A time is seconds
            since 1970-01-01 UTC or an ISO 8601 string.

    Returns:
        Shape (n,): float64, or object (str) for a category.

    Raises:
        Refusal: a value does not fit the feature's kind.
    """
    if feature.kind == "categorical":
        coded = np.array([_category(feature.name, value) for value in values], dtype=object)
        try:
            "".join(coded).encode()
        except UnicodeEncodeError:
            raise Refusal(f"feature '{feature.name}' holds text that is not valid Unicode") from None
        return coded
    code = _number if feature.kind == "numeric" else _moment
    return np.array([code(feature.name, value) for value in values], dtype=np.float64)


def take_rows(columns: Columns, rows: npt.NDArray[np.intp]) -> Columns:
    """The chosen rows of every column."""
    return {name: values[rows] for name, values in columns.items()}


def _number(name: str, value: Any) -> float:
    if type(value) is float:
        if math.isinf(value):
            raise Refusal(f"feature '{name}' is infinite; expected a finite number, or null where missing")
        return value
    if value is None:
        return math.nan
    if isinstance(value, int):
        try:
            return float(value)
        except OverflowError:
            raise Refusal(f"feature '{name}' holds an integer beyond the range of a double") from None
    raise Refusal(f"feature '{name}' is numeric; expected a number, a boolean or null, got {_said(value)}")


def _moment(name: str, value: Any) -> float:
    if not isinstance(value, str):
        return _number(name, value)
    if not value:
        return math.nan
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise Refusal(
            f"feature '{name}' is a time; expected ISO 8601 or seconds since 1970, got {_said(value)}"
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _category(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return MISSING
    if isinstance(value, bool | int):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    raise Refusal(f"feature '{name}' is a category; expected a string or null, got {_said(value)}")


def _said(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
