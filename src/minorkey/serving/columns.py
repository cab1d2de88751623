"""From JSON values to the columns that a bundle scores, coded as training coded them.

No pandas here: a single row has to cost microseconds.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from minorkey.data.dataset import MISSING, Feature
from minorkey.data.encoding import label_text
from minorkey.data.iso8601 import FURTHEST, RANGE, parse_iso
from minorkey.serving.refusal import Refusal

__all__ = ["Columns", "encode_column", "take_rows"]

#: One array of shape (n,) for each feature: float64, or object holding str.
Columns = dict[str, npt.NDArray[Any]]

_TRUTH = {"true": 1.0, "false": 0.0}
#: Types of JSON values that NumPy converts as they are.
_PLAIN = {float, type(None)}
_INFINITE = "feature '{}' is infinite; expected a finite number, or null where missing"


def encode_column(feature: Feature, values: Sequence[Any]) -> npt.NDArray[Any]:
    """One column of a request.

    Args:
        feature: what the column means.
        values: n JSON values: numbers, booleans, strings; None or NaN where missing, or a text that
            training takes for missing. A number may be written as text; a time is seconds since
            1970-01-01 UTC or an ISO 8601 string.

    Returns:
        Shape (n,): float64, or object (str) for a category.

    Raises:
        Refusal: a value does not fit the feature's kind.
    """
    kinds = set(map(type, values))
    if feature.kind == "categorical":
        if kinds == {str}:
            texts = {value: label_text(value) for value in set(values)}
            coded = np.array([texts[value] for value in values], dtype=object)
        else:
            coded = np.array([_category(feature.name, value) for value in values], dtype=object)
        try:
            "".join(coded).encode()
        except UnicodeEncodeError:
            raise Refusal(f"feature '{feature.name}' holds text that is not valid Unicode") from None
        return coded
    if kinds <= _PLAIN:
        # Adding zero turns -0.0 into 0.0, as training does.
        numbers = np.array(values, dtype=np.float64) + 0.0
        if np.isinf(numbers).any():
            raise Refusal(_INFINITE.format(feature.name))
        return numbers
    code = _number if feature.kind == "numeric" else _moment
    return np.array([code(feature.name, value) for value in values], dtype=np.float64)


def take_rows(columns: Columns, rows: npt.NDArray[np.intp]) -> Columns:
    """The chosen rows of every column."""
    return {name: values[rows] for name, values in columns.items()}


def _number(name: str, value: Any) -> float:
    if value is None:
        return math.nan
    if isinstance(value, str):
        return _parsed(name, value)
    if not isinstance(value, int | float):
        raise Refusal(
            f"feature '{name}' is numeric; expected a number, a boolean or null, got {_said(value)}"
        )
    try:
        number = float(value)
    except OverflowError:
        raise Refusal(f"feature '{name}' holds an integer beyond the range of a double") from None
    if math.isinf(number):
        raise Refusal(_INFINITE.format(name))
    return number + 0.0


def _parsed(name: str, value: str) -> float:
    text = label_text(value)
    if text == MISSING:
        return math.nan
    if text.lower() in _TRUTH:
        return _TRUTH[text.lower()]
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    # Training refuses what Python alone reads as a number: 1_000, digits of other scripts, -nan.
    if math.isnan(number) or "_" in text or not text.isascii():
        raise Refusal(f"feature '{name}' is numeric; expected a number or null, got {_said(value)}")
    return _number(name, number)


def _moment(name: str, value: Any) -> float:
    if not isinstance(value, str):
        return _number(name, value)
    text = label_text(value)
    if text == MISSING:
        return math.nan
    try:
        seconds = parse_iso(text)
    except ValueError:
        raise Refusal(
            f"feature '{name}' is a time; expected ISO 8601 or seconds since 1970, got {_said(value)}"
        ) from None
    if abs(seconds) > FURTHEST:
        raise Refusal(f"feature '{name}' is too far from now; expected {RANGE}, got {_said(value)}")
    return seconds


def _category(name: str, value: Any) -> str:
    if value is None:
        return MISSING
    if not isinstance(value, str | bool | int | float):
        raise Refusal(f"feature '{name}' is a category; expected a string or null, got {_said(value)}")
    try:
        return label_text(value)
    except ValueError:
        raise Refusal(f"feature '{name}' holds an integer of too many digits") from None


def _said(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
