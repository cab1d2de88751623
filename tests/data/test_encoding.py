import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from minorkey.data.dataset import Feature, Schema
from minorkey.data.encoding import encode_features, label_text
from minorkey.data.schema_inference import kind_of
from minorkey.errors import DataError

SCHEMA = Schema(
    (Feature("amount", "numeric"), Feature("channel", "categorical"), Feature("when", "datetime")),
    target="fraud",
    positive="1",
    negative="0",
)


def _rows(**columns: object) -> pd.DataFrame:
    return pd.DataFrame({"amount": [1.0], "channel": ["web"], "when": ["2024-01-01"]} | columns)


def test_columns_come_in_the_schemas_order_and_extra_ones_are_ignored() -> None:
    raw = _rows(extra=[1], fraud=[0])[["when", "extra", "channel", "fraud", "amount"]]
    encoded = encode_features(raw, SCHEMA)
    assert list(encoded.columns) == ["amount", "channel", "when"]
    assert encoded["channel"].dtype == object
    assert encoded["amount"].dtype == encoded["when"].dtype == np.float64


def test_missing_and_unknown_values() -> None:
    raw = _rows(amount=[" 2.5", "?", None], channel=[" fax ", "?", None], when=["NaT", None, "2024-01-01"])
    encoded = encode_features(raw, SCHEMA)
    assert encoded["channel"].to_list() == ["fax", "", ""]
    np.testing.assert_array_equal(encoded["amount"], [2.5, np.nan, np.nan])
    np.testing.assert_array_equal(encoded["when"], [np.nan, np.nan, 1704067200.0])


@pytest.mark.parametrize(
    "times",
    [
        ["2024-01-01T12:00:00Z", "2024-01-01 13:30:00.5+01:00"],
        pd.to_datetime(["2024-01-01T12:00:00.0", "2024-01-01T12:30:00.5"]),
        pd.to_datetime(["2024-01-01T07:00:00.0-05:00", "2024-01-01T07:30:00.5-05:00"], utc=True),
        [dt.datetime(2024, 1, 1, 12), dt.datetime(2024, 1, 1, 12, 30, 0, 500_000)],
        [1704110400, 1704112200.5],
    ],
)
def test_times_are_seconds_in_utc(times: object) -> None:
    encoded = encode_features(_rows(amount=[1, 2], channel=["a", "b"], when=times), SCHEMA)
    np.testing.assert_allclose(encoded["when"], [1704110400.0, 1704112200.5], rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([True, False], [1.0, 0.0]),
        ([True, None], [1.0, np.nan]),
        (["true", "False"], [1.0, 0.0]),
        ([Decimal("1.50"), Decimal("2")], [1.5, 2.0]),
        (pd.array([3, None], dtype="Int64"), [3.0, np.nan]),
        (pd.Categorical(["4", "5"]), [4.0, 5.0]),
        (pd.to_timedelta(["1h", "1s"]), [3600.0, 1.0]),
        ([-0.0, 0.0], [0.0, 0.0]),
    ],
)
def test_numbers_of_every_kind(values: object, expected: list[float]) -> None:
    raw = _rows(amount=values, channel=["a", "b"], when=["2024-01-01"] * 2)
    assert kind_of(raw["amount"]) == "numeric"
    encoded = encode_features(raw, SCHEMA)["amount"]
    np.testing.assert_array_equal(encoded, expected)
    assert not np.signbit(encoded).any()


@pytest.mark.parametrize(
    ("column", "values", "found"),
    [
        ("amount", ["1", "many"], "many"),
        ("when", ["2024-01-01", "soon"], "soon"),
        ("amount", [0.0, np.inf], "inf"),
    ],
)
def test_values_that_do_not_parse_name_column_and_row(column: str, values: object, found: str) -> None:
    raw = _rows(amount=[1, 2], channel=["a", "b"], when=["2024-01-01"] * 2).assign(**{column: values})
    with pytest.raises(DataError) as caught:
        encode_features(raw, SCHEMA)
    assert caught.value.key == f"column {column}, row 2"
    assert caught.value.value.startswith(found)


def test_missing_column() -> None:
    with pytest.raises(DataError) as caught:
        encode_features(_rows().rename(columns={"channel": "chanel"}), SCHEMA)
    assert caught.value.key == "channel"
    assert "'chanel'" in caught.value.remedy


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2], "numeric"),
        (["1", "2.5e3", "?"], "numeric"),
        (["1", "2 m"], "categorical"),
        (["2024-01-01", "2024-02-30"], "categorical"),
        (["2024-01-01", "2024-02-29T10:00Z", None], "datetime"),
        ([dt.date(2024, 1, 1), None], "datetime"),
        (["20240101", "20240102"], "numeric"),
        ([[1], [2]], None),
        ([b"x", b"y"], None),
        ([1j, 2j], None),
        (["yes", "no"], "categorical"),
    ],
)
def test_kinds(values: object, kind: str | None) -> None:
    assert kind_of(pd.Series(values)) == kind


def test_numbers_as_categories_keep_one_name_whatever_their_type() -> None:
    schema = Schema((Feature("code", "categorical"),), "fraud", "1", "0")
    for values in ([3, 7], [3.0, 7.0], ["3", " 7"], pd.array([3, 7], dtype="Int8")):
        assert encode_features(pd.DataFrame({"code": values}), schema)["code"].to_list() == ["3", "7"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(1, "1"), (1.0, "1"), (1.5, "1.5"), (True, "true"), (" a ", "a"), ("?", ""), (np.int8(2), "2")],
)
def test_label_text(value: object, text: str) -> None:
    assert label_text(value) == text
