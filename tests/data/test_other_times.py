from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from minorkey.data.loading import Loaded, load_dataset
from minorkey.data.other_times import looks_like_other_time, parse_other_times
from minorkey.errors import DataError
from minorkey.spec import DataSpec
from tests.data.raw_frames import rare_frame, write_csv

WHEN = pd.Series(pd.date_range("2024-01-01 00:30", periods=400, freq="7h"))


def _load(form: str, folder: Path, **keys: str) -> Loaded:
    frame = rare_frame().assign(sold=WHEN.dt.strftime(form))
    return load_dataset(DataSpec(source=write_csv(frame, folder), target="fraud", **keys))


@pytest.mark.parametrize(
    "form",
    ["%d.%m.%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M %p", "%d-%m-%YT%H:%M", "%Y/%m/%d, %H:%M"],
)
def test_another_form_named_as_the_event_time_is_read(tmp_path: Path, form: str) -> None:
    loaded = _load(form, tmp_path, event_time="sold")
    np.testing.assert_array_equal(loaded.dataset.event_time, WHEN.map(pd.Timestamp.timestamp))
    assert any("sold is read as" in text for text in loaded.assumptions)


@pytest.mark.parametrize("form", ["%d.%m.%Y", "%m/%d/%Y %H:%M"])
def test_a_column_that_looks_like_a_time_is_named_aloud(tmp_path: Path, form: str) -> None:
    loaded = _load(form, tmp_path)
    assert loaded.dataset.event_time is None
    assert any(text.startswith("sold looks like a time") for text in loaded.assumptions)


@pytest.mark.parametrize("form", ["%Y-%m-%d %H:%M", "shop %H", "%H"])
def test_other_columns_are_not(tmp_path: Path, form: str) -> None:
    assert not any("looks like a time" in text for text in _load(form, tmp_path).assumptions)


@pytest.mark.parametrize(
    "texts",
    [["01.02.2024", "03.04.2024"], ["31.12.2024", "12.31.2024"], ["30.02.2024", "1.1.2024"]],
    ids=["either order", "both orders", "no such day"],
)
def test_doubtful_times_are_refused(texts: list[str]) -> None:
    assert looks_like_other_time(texts)
    with pytest.raises(DataError) as caught:
        parse_other_times(texts, name="sold")
    assert caught.value.key == "column sold"


@pytest.mark.parametrize("text", ["1.2.3", "2024-12-31", "31.12.24", "31.12.2024 25:00", "31.12/2024", ""])
def test_what_is_no_such_time(text: str) -> None:
    assert not looks_like_other_time([text])


def test_midnight_and_noon() -> None:
    seconds, order = parse_other_times(["12/31/1970 12:00 AM", "12/31/1970 12:00 PM"], name="sold")
    assert order == "month, day, year"
    np.testing.assert_array_equal(seconds, 364 * 86_400 + np.array([0, 43_200]))
