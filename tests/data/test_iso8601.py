"""Times are read alike by training and by the predictor, and far ones are refused by both."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minorkey.data.dataset import Feature
from minorkey.data.encoding import datetime_values
from minorkey.data.instants import seconds_of_texts
from minorkey.data.iso8601 import parse_iso
from minorkey.data.loading import load_dataset
from minorkey.errors import DataError
from minorkey.serving.columns import encode_column
from minorkey.serving.refusal import Refusal
from minorkey.spec import DataSpec
from tests.data.raw_frames import rare_frame, write_csv

WHEN = Feature("when", "datetime")


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("2024", "2024-01-01T00:00:00"),
        ("2024-03", "2024-03-01T00:00:00"),
        ("20240331", "2024-03-31T00:00:00"),
        ("2024-03-31 9:05", "2024-03-31T09:05:00"),
        ("2024-03-31T09", "2024-03-31T09:00:00"),
        ("20240331T090507", "2024-03-31T09:05:07"),
        ("2024-03-31T09:05:07.5Z", "2024-03-31T09:05:07.5"),
        ("2024-03-31T09:05:07.123456789", "2024-03-31T09:05:07.123456"),
        ("2024-03-31T09:05+0130", "2024-03-31T07:35:00"),
        ("2024-03-31T09:05 -02", "2024-03-31T11:05:00"),
        ("0001-01-01", "0001-01-01T00:00:00"),
    ],
)
def test_every_form_is_the_time_that_it_says(text: str, full: str) -> None:
    moment = np.datetime64(full, "us") - np.datetime64("1970-01-01", "us")
    assert parse_iso(text) == moment / np.timedelta64(1, "s")
    np.testing.assert_array_equal(seconds_of_texts([text, full]), [parse_iso(full)] * 2)


@pytest.mark.parametrize(
    "text",
    [
        "now",
        "today",
        "202403",
        "2024-3",
        "2024-02-30",
        "2024-W05-1",
        "2024-090",
        "24-01-01",
        "0000-01-01",
        "2024-03-31x09:00",
        "2024-03-31T",
        "2024-03-31T24:00",
        "2024-03-31T09:60",
        "2024-03-31T09:00+25:00",
        "2024-03-31T09:00+01:75",
        "-2024-01-01",
        "2024/03/31",
        "2024-03T09:00",
        "2024Z",
        "\u0662\u0660\u0662\u0664",
    ],
)
def test_what_is_no_time_is_refused_by_training_and_predictor(text: str) -> None:
    with pytest.raises(ValueError):
        parse_iso(text)
    with pytest.raises(DataError, match="not a time"):
        datetime_values(pd.Series(["2024-01-01", text], name="when"))
    with pytest.raises(Refusal, match="expected ISO 8601"):
        encode_column(WHEN, [text])


def digits(most: int, width: int = 2) -> st.SearchStrategy[str]:
    return st.integers(0, most).map(lambda number: f"{number:0{width}}")


@given(
    st.tuples(
        st.tuples(digits(9999, 4), st.just("-"), digits(13), st.just("-"), digits(32)).map("".join),
        st.one_of(
            st.just(""),
            st.tuples(
                st.sampled_from(["T", " "]),
                digits(24),
                st.sampled_from(["", ":"]),
                digits(60),
                st.one_of(st.just(""), digits(60).map(":{}".format)),
                st.one_of(st.just(""), digits(10**7, 1).map(".{}".format)),
                st.one_of(
                    st.just(""),
                    st.just("Z"),
                    digits(24).map("+{}:00".format),
                    digits(90).map("-01:{}".format),
                ),
            ).map("".join),
        ),
    ).map("".join)
)
def test_many_texts_at_once_are_read_as_one_is(text: str) -> None:
    try:
        expected = parse_iso(text)
    except ValueError:
        expected = np.nan
    np.testing.assert_allclose(seconds_of_texts([text])[0], expected, rtol=4e-16)


@pytest.mark.parametrize("text", ["0001-01-01", "1677-09-21", "2262-04-12", "9999-12-31T23:59:59"])
@pytest.mark.parametrize("stored", ["text", "datetime64"])
def test_a_far_time_names_column_row_and_value(tmp_path: Path, text: str, stored: str) -> None:
    when = pd.Series(pd.date_range("2024-01-01", periods=400, freq="h").strftime("%Y-%m-%dT%H:%M:%S"))
    when[7] = text
    frame = rare_frame().assign(when=when if stored == "text" else when.astype("datetime64[s]"))
    frame.to_parquet(tmp_path / "rows.parquet")
    for role in ({}, {"event_time": "when"}):
        with pytest.raises(DataError) as caught:
            load_dataset(DataSpec(source=str(tmp_path / "rows.parquet"), target="fraud", **role))
        assert caught.value.key == "column when, row 8"
        assert caught.value.value.startswith(text[:10]) and "1677-09-22" in caught.value.allowed
    with pytest.raises(Refusal, match="'when' is too far from now; expected times from 1677"):
        encode_column(WHEN, [text])


def test_a_far_time_of_another_form_is_refused(tmp_path: Path) -> None:
    when = pd.Series(pd.date_range("2024-01-01", periods=400, freq="7h")).dt.strftime("%d.%m.%Y %H:%M")
    when[3] = "01.01.0001 00:00"
    source = write_csv(rare_frame().assign(when=when), tmp_path)
    with pytest.raises(DataError, match="too far") as caught:
        load_dataset(DataSpec(source=source, target="fraud", event_time="when"))
    assert caught.value.key == "column when, row 4"


def test_a_dropped_column_may_hold_far_times(tmp_path: Path) -> None:
    source = write_csv(rare_frame().assign(when=["0001-01-01", "2024-01-01"] * 200), tmp_path)
    loaded = load_dataset(DataSpec(source=source, target="fraud", drop=("when",)))
    assert "when" not in loaded.dataset.schema.names()


@pytest.mark.parametrize(
    "text", ["1677-09-22", "2262-04-11", "2024", "2024-01", "20240131", "2024-01-31 9:00"]
)
def test_near_times_are_scored_as_they_were_trained(text: str) -> None:
    trained = datetime_values(pd.Series([text]))
    np.testing.assert_array_equal(encode_column(WHEN, [text]), trained)
