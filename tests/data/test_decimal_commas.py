"""Numbers with a decimal comma: read where there is no doubt, else named with the way to read them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from minorkey.data.feedback import with_feedback
from minorkey.data.loading import Loaded, load_dataset, read_source
from minorkey.data.sources import read_frame
from minorkey.errors import DataError
from minorkey.spec import DataSpec
from tests.data.raw_frames import rare_frame

NUMBERS = ["amount", "speed", "noise"]


def _write(folder: Path, *, separator: str = ";", decimal: str = ",", **columns: object) -> str:
    path = folder / "rows.csv"
    rare_frame().assign(**columns).to_csv(path, index=False, sep=separator, decimal=decimal)
    return str(path)


def _load(source: str, **keys: object) -> Loaded:
    return load_dataset(DataSpec(source=source, target="fraud", **keys))


def test_a_file_with_semicolons_and_decimal_commas_is_read_so_and_said_aloud(tmp_path: Path) -> None:
    source = _write(tmp_path)
    loaded = _load(source)
    assert loaded.dataset.schema.names("numeric") == NUMBERS
    assert loaded.dataset.schema.reading == {"decimal": ","}
    assert any("--set data.options.decimal=." in text for text in loaded.assumptions)
    told = _load(source, options={"decimal": ","})
    assert told.dataset.digest() == loaded.dataset.digest()
    assert not any("decimal comma" in text for text in told.assumptions)
    np.testing.assert_allclose(loaded.dataset.features[NUMBERS], rare_frame()[NUMBERS])


def test_points_between_thousands(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("a;b;c;d\n1.234,50;1.234;31.12.2024;2,5\n-12,25;12.345.678;01.01.2025;\n;7;x;3\n")
    frame = read_frame(str(path), {})
    np.testing.assert_array_equal(frame["a"], [1234.5, -12.25, np.nan])
    np.testing.assert_array_equal(frame["b"], [1_234, 12_345_678, 7])
    np.testing.assert_array_equal(frame["d"], [2.5, np.nan, 3])
    assert frame["c"].to_list() == ["31.12.2024", "01.01.2025", "x"]


@pytest.mark.parametrize(
    "columns",
    [
        {"a": ["1,234", "12,345"] * 200},
        {"a": ["0,345", "2,25"] * 200, "b": [0.5, 1.25] * 200},
    ],
    ids=["thousands or decimals", "points elsewhere"],
)
def test_in_doubt_the_column_is_named_and_nothing_is_read(tmp_path: Path, columns: dict[str, object]) -> None:
    path = tmp_path / "rows.csv"
    frame = rare_frame()[["channel", "fraud"]].assign(x=np.arange(400) % 7, **columns)
    frame.to_csv(path, index=False, sep=";")
    loaded = _load(str(path))
    assert "a" in loaded.dataset.schema.names("categorical")
    assert loaded.dataset.schema.reading == {}
    (said,) = [text for text in loaded.assumptions if "numbers with a comma" in text]
    assert said.startswith("a: ") and "--set 'data.options.decimal=\",\"' reads" in said
    told = _load(str(path), options={"decimal": ","}).dataset
    np.testing.assert_array_equal(
        told.features["a"], pd.Series(columns["a"]).str.replace(",", ".").astype(float)
    )


def test_quoted_in_a_file_with_commas_they_are_named_and_read_on_request(tmp_path: Path) -> None:
    source = _write(tmp_path, separator=",")
    said = _load(source).assumptions
    assert any("amount, speed, noise: text that looks like numbers with a comma" in text for text in said)
    assert _load(source, options={"decimal": ","}).dataset.schema.names("numeric") == NUMBERS


def test_a_source_without_such_an_option_asks_for_points(tmp_path: Path) -> None:
    rare_frame().assign(a=["0,345", "2,25"] * 200).to_parquet(tmp_path / "rows.parquet")
    (said,) = [text for text in _load(str(tmp_path / "rows.parquet")).assumptions if "a comma" in text]
    assert "decimal point" in said and "--set" not in said


@pytest.mark.parametrize(
    "values", [["1,2,3", "4,5,6"], ["a,b", "1,5"], ["31.12.2024", "1.1.2025"], ["1;5", "2"]]
)
def test_other_text_is_left_alone(tmp_path: Path, values: list[str]) -> None:
    loaded = _load(_write(tmp_path, a=values * 200))
    assert "a" in loaded.dataset.schema.names("categorical")


def test_a_file_with_points_read_by_a_recorded_decimal_comma_keeps_its_numbers(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("a,b\n1.234,5\n2.345,6\n")
    assert read_frame(str(path), {"decimal": ","})["a"].astype(float).to_list() == [1.234, 2.345]


def test_production_rows_are_read_as_the_training_rows_were(tmp_path: Path) -> None:
    spec = DataSpec(source=_write(tmp_path), target="fraud")
    later = tmp_path / "later.csv"
    later.write_text("amount;speed;noise;channel;fraud\n1,125;2,250;3,375;web;1\n")
    table, shared = with_feedback(read_source(spec), spec, str(later))
    assert shared == [*NUMBERS, "channel", "fraud"]
    assert table.frame[NUMBERS].iloc[-1].to_list() == [1.125, 2.25, 3.375]


def test_a_wrong_point_on_request_leaves_text(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no column is left"):
        _load(_write(tmp_path, channel="web"), options={"decimal": "."})
