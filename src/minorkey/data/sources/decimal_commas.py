"""Numbers with a decimal comma in delimited text: 0,345 and 1.234,50.

Where the file does not contradict itself a comma is a decimal mark; in doubt nothing is read, only said.
"""

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

__all__ = ["comma_columns", "parse_commas", "tells_decimal_comma"]

_NUMBER = re.compile(r"-?(?:\d+|\d{1,3}(?:\.\d{3})+)(?:,\d+)?")
#: Either a decimal comma or one between thousands.
_DOUBTFUL = re.compile(r"-?[1-9]\d{0,2},\d{3}")
#: Values looked at before all of them are.
_PROBE = 1_000


def comma_columns(frame: pd.DataFrame) -> list[str]:
    """The columns of text whose every value is a number in this form, and at least one has a comma."""
    return [str(name) for name in frame.columns if (texts := _numbers(frame[name])) and "," in "".join(texts)]


def tells_decimal_comma(frame: pd.DataFrame) -> bool:
    """Whether the frame, read with a decimal point, tells without doubt that its decimal mark is a comma.

    There is a value such as 0,5 or 1.234,50 that has no other reading, and no column of numbers with points.
    """
    texts = [text for name in comma_columns(frame) for text in _numbers(frame[name]) if "," in text]
    certain = any(_DOUBTFUL.fullmatch(text) is None for text in texts)
    return certain and not any(_has_fractions(frame[name]) for name in frame.columns)


def parse_commas(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame, read with a decimal comma, with numbers for text such as 1.234,50, which that left as text.

    A column such as 1.234 counts thousands if some number of the frame has a decimal comma; else the file may
    be one with points after all, and the text stays.
    """
    with_comma = comma_columns(frame)
    commas_are_used = bool(with_comma) or any(_has_fractions(frame[name]) for name in frame.columns)
    parsed = {
        name: _parsed(frame[name])
        for name in frame.columns
        if name in with_comma or (commas_are_used and any("." in text for text in _numbers(frame[name])))
    }
    return frame.assign(**parsed)


def _numbers(column: pd.Series) -> Sequence[str]:
    """The distinct texts of a column if all of them are numbers in this form, else none."""
    if not (pd.api.types.is_object_dtype(column.dtype) or pd.api.types.is_string_dtype(column.dtype)):
        return []
    present = column.dropna()
    for values in (present.head(_PROBE), present):
        if not all(isinstance(value, str) and _NUMBER.fullmatch(value.strip()) for value in values):
            return []
    return [str(value).strip() for value in present.unique()]


def _parsed(column: pd.Series) -> pd.Series:
    plain = column.map(lambda text: str(text).strip().replace(".", "").replace(",", "."), na_action="ignore")
    return pd.Series(plain.to_numpy(dtype=object, na_value=np.nan), index=column.index).astype(np.float64)


def _has_fractions(column: pd.Series) -> bool:
    if not pd.api.types.is_float_dtype(column.dtype):
        return False
    values = column.to_numpy(np.float64, na_value=np.nan)
    finite = values[np.isfinite(values)]
    return bool((finite != np.round(finite)).any())
