"""Times and amounts of the roles."""

import numpy as np
import pandas as pd
import pytest

from minorkey.data.roles import epoch_seconds
from minorkey.errors import DataError


@pytest.mark.parametrize(
    ("number", "unit"),
    [(1.6e9, "seconds"), (1.6e12, "milliseconds"), (1.6e15, "microseconds"), (1.6e18, "nanoseconds")],
)
def test_numbers_are_times_in_the_unit_that_their_size_tells(number: float, unit: str) -> None:
    seconds, assumed = epoch_seconds(pd.Series([0.0, number], name="at"))
    assert list(seconds) == [0.0, 1.6e9]
    assert assumed.startswith(f"at counts {unit}")


@pytest.mark.parametrize("number", [5e10, -9.3e9, 9e20])
def test_numbers_that_are_centuries_away_in_any_unit_are_refused(number: float) -> None:
    with pytest.raises(DataError) as caught:
        epoch_seconds(pd.Series([0.0, number], name="at"))
    assert caught.value.key == "column at, row 2"


def test_infinite_numbers_are_left_for_the_check_of_missing_values() -> None:
    seconds, _ = epoch_seconds(pd.Series([0.0, np.inf, np.nan], name="at"))
    assert np.isinf(seconds[1]) and np.isnan(seconds[2])
