"""Each kind of bad input is one `DataError` that says what, where and what is allowed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from minorkey.data.loading import load_dataset
from minorkey.errors import DataError
from minorkey.spec import DataSpec
from tests.data.raw_frames import rare_frame, write_csv

Writer = Callable[[Path], str]


def _refused(source: str, target: str | None = "fraud", **keys: Any) -> DataError:
    with pytest.raises(DataError) as caught:
        load_dataset(DataSpec(source=source, target=target, **keys))
    error = caught.value
    assert error.exit_code == 2
    assert error.key and error.problem
    assert error.value is not None or error.allowed
    assert error.allowed or error.remedy
    return error


def test_missing_file_names_the_nearest_one(tmp_path: Path) -> None:
    write_csv(rare_frame(), tmp_path, "transactions.csv")
    error = _refused(str(tmp_path / "transaction.csv"))
    assert error.value == str(tmp_path / "transaction.csv")
    assert "transactions.csv" in error.remedy


@pytest.mark.parametrize("suffix", ["csv", "parquet", "npz"])
def test_empty_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"rows.{suffix}"
    path.write_bytes(b"")
    error = _refused(str(path))
    assert error.value == "0 bytes"


def test_blank_lines_only(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("\n\n")
    assert "header" in _refused(str(path)).allowed


def test_header_only(tmp_path: Path) -> None:
    for source in (
        write_csv(rare_frame().head(0), tmp_path),
        str(tmp_path / "rows.parquet"),
    ):
        rare_frame().head(0).to_parquet(tmp_path / "rows.parquet")
        assert _refused(source).value == "0 rows"


def test_wrong_target_offers_the_nearest_column(tmp_path: Path) -> None:
    error = _refused(write_csv(rare_frame(), tmp_path), "Fruad")
    assert (error.key, error.value) == ("data.target", "Fruad")
    assert "'fraud'" in error.remedy
    assert "amount" in error.allowed


def test_no_target(tmp_path: Path) -> None:
    error = _refused(write_csv(rare_frame(), tmp_path), None)
    assert error.key == "data.target"
    assert "fraud" in error.allowed


@pytest.mark.parametrize("key", ["weight", "entity", "event_time", "label_time", "cost"])
def test_wrong_role(tmp_path: Path, key: str) -> None:
    error = _refused(write_csv(rare_frame(), tmp_path), **{key: "amonut"})
    assert error.key == f"data.{key}"
    assert "'amount'" in error.remedy


@pytest.mark.parametrize("key", ["features", "drop", "keep", "categorical"])
def test_wrong_column_in_a_list(tmp_path: Path, key: str) -> None:
    error = _refused(write_csv(rare_frame(), tmp_path), **{key: ("amount", "chanel")})
    assert (error.key, error.value) == (f"data.{key}", "chanel")


@pytest.mark.parametrize(
    ("values", "expected"),
    [(["a"], "1 values"), (["a", "b", "c"], "3 values"), (list(range(100)), "100 values")],
)
def test_one_class_and_three_classes(tmp_path: Path, values: list[Any], expected: str) -> None:
    frame = rare_frame().assign(fraud=lambda rows: [values[i % len(values)] for i in range(len(rows))])
    error = _refused(write_csv(frame, tmp_path))
    assert error.value.startswith(expected)
    assert error.allowed == "exactly two values"


@pytest.mark.parametrize("missing", [None, "?", "  ", "NA"])
def test_target_with_missing_values(tmp_path: Path, missing: str | None) -> None:
    frame = rare_frame().assign(fraud=lambda rows: rows["fraud"].astype(object))
    frame.loc[[7, 9], "fraud"] = missing
    error = _refused(write_csv(frame, tmp_path))
    assert error.key == "fraud, row 8"
    assert error.value.startswith("2 rows")


@pytest.mark.parametrize("positives", [2, 3])
def test_too_few_positives(tmp_path: Path, positives: int) -> None:
    error = _refused(write_csv(rare_frame(positives=positives), tmp_path))
    assert error.value == f"{positives} rows with fraud = 1"
    assert error.allowed == "at least 4"


def test_four_positives_are_enough(tmp_path: Path) -> None:
    source = write_csv(rare_frame(positives=4), tmp_path)
    assert load_dataset(DataSpec(source=source, target="fraud")).dataset.positives == 4


def test_positive_that_does_not_occur(tmp_path: Path) -> None:
    error = _refused(write_csv(rare_frame(), tmp_path), positive="yes")
    assert (error.key, error.value) == ("data.positive", "yes")
    assert "0, 1" in error.allowed


def test_all_missing_column_is_left_out_aloud(tmp_path: Path) -> None:
    source = write_csv(rare_frame().assign(empty=None), tmp_path)
    loaded = load_dataset(DataSpec(source=source, target="fraud"))
    assert loaded.dataset.schema.left_out == {"empty": "every value is missing"}
    assert any("left out empty" in text for text in loaded.assumptions)


def test_all_missing_data_set(tmp_path: Path) -> None:
    frame = rare_frame().assign(amount=None, speed=None, noise="?", channel=None)
    error = _refused(write_csv(frame, tmp_path))
    assert error.key == "data.features"
    assert "noise: every value is missing" in error.value


def test_duplicate_column_names(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("amount,speed,amount,fraud\n1,2,3,0\n")
    error = _refused(str(path))
    assert (error.key, error.value) == (str(path), "amount")


@pytest.mark.parametrize("value", [np.inf, -np.inf])
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_infinite_values(tmp_path: Path, suffix: str, value: float) -> None:
    frame = rare_frame()
    frame.loc[[4, 8], "amount"] = value
    path = tmp_path / f"rows.{suffix}"
    frame.to_csv(path, index=False) if suffix == "csv" else frame.to_parquet(path)
    error = _refused(str(path))
    assert error.key == "column amount, row 5"
    assert "2 rows" in error.value


def _wide_csv(folder: Path) -> str:
    path = folder / "wide.csv"
    path.write_text(",".join(f"c{i}" for i in range(10_000)) + "\n" + ",".join(["1"] * 10_000) + "\n")
    return str(path)


def _wide_parquet(folder: Path) -> str:
    path = folder / "wide.parquet"
    pd.DataFrame(np.zeros((2, 10_000)), columns=[f"c{i}" for i in range(10_000)]).to_parquet(path)
    return str(path)


def _wide_npz(folder: Path) -> str:
    path = folder / "wide.npz"
    np.savez(path, X=np.zeros((2, 10_000)), y=np.zeros(2))
    return str(path)


@pytest.mark.parametrize("write", [_wide_csv, _wide_parquet, _wide_npz])
def test_ten_thousand_columns(tmp_path: Path, write: Writer) -> None:
    error = _refused(write(tmp_path), "c0")
    assert error.value.startswith("10,00")
    assert "2,000" in error.allowed


def _huge_csv(folder: Path) -> str:
    path = folder / "huge.csv"
    path.write_bytes(b"note,fraud\nshort,0\n" + b"x" * 100_000_000 + b",1\n")
    return str(path)


def _huge_quoted_csv(folder: Path) -> str:
    path = folder / "quoted.csv"
    path.write_bytes(b'note,fraud\nshort,0\n"' + b"x,y\n" * 500_000 + b'",1\n')
    return str(path)


def _huge_parquet(folder: Path) -> str:
    path = folder / "huge.parquet"
    pd.DataFrame({"note": ["short", "x" * 100_000_000], "fraud": [0, 1]}).to_parquet(path)
    return str(path)


@pytest.mark.parametrize("write", [_huge_csv, _huge_quoted_csv, _huge_parquet])
def test_huge_cell(tmp_path: Path, write: Writer) -> None:
    error = _refused(write(tmp_path))
    assert "1,000,000 bytes" in error.allowed
    assert len(str(error)) < 1_000


@pytest.mark.parametrize("before", [0, 1, 2, 200_000])
def test_the_line_of_a_huge_cell_is_told(tmp_path: Path, before: int) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"note,fraud\n" + b"%050d,0\n" % 7 * before + b"1," + b"x" * 9_000_000 + b"\n2,1\n")
    assert _refused(str(path)).key == f"line {before + 2}"


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_wrong_encoding(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "rows.csv"
    frame = rare_frame().assign(channel="Zürich")
    frame.to_csv(path, index=False, encoding=encoding)
    error = _refused(str(path))
    assert "UTF-8" in error.allowed
    assert "encoding" in error.remedy
    right = DataSpec(source=str(path), target="fraud", options={"encoding": encoding}, keep=("channel",))
    assert load_dataset(right).dataset.positives == 40


def test_unknown_encoding(tmp_path: Path) -> None:
    error = _refused(write_csv(rare_frame(), tmp_path), options={"encoding": "utf-99"})
    assert error.key == "data.options.encoding"


@pytest.mark.parametrize("role", ["event_time", "label_time"])
def test_time_column_that_does_not_parse(tmp_path: Path, role: str) -> None:
    times = pd.date_range("2024-01-01", periods=400, freq="h").astype(str).to_list()
    times[12] = "yesterday"
    error = _refused(write_csv(rare_frame().assign(when=times), tmp_path), **{role: "when"})
    assert error.key == "column when, row 13"
    assert error.value.startswith("yesterday")
    assert "ISO 8601" in error.allowed


def test_time_column_with_missing_values(tmp_path: Path) -> None:
    times = pd.date_range("2024-01-01", periods=400, freq="h").astype(str).to_list()
    times[3] = ""
    error = _refused(write_csv(rare_frame().assign(when=times), tmp_path), event_time="when")
    assert error.key == "data.event_time: when, row 4"


@pytest.mark.parametrize(
    ("weights", "found"),
    [([1.0] * 399 + [-1.0], "-1.0"), ([0.0] * 400, "0"), ([1.0] * 399 + [None], "1 rows")],
)
def test_weights(tmp_path: Path, weights: list[float], found: str) -> None:
    error = _refused(write_csv(rare_frame().assign(w=weights), tmp_path), weight="w")
    assert error.key.startswith("data.weight: w")
    assert str(error.value) == found


def test_ragged_rows(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("amount,fraud\n1,0\n2,1,3\n")
    assert "line 3" in str(_refused(str(path)).value)


def test_a_file_that_is_not_what_its_suffix_says(tmp_path: Path) -> None:
    for name in ("rows.parquet", "rows.npz"):
        (tmp_path / name).write_text("amount,fraud\n1,0\n")
        assert _refused(str(tmp_path / name)).key == str(tmp_path / name)


def test_arrays_that_would_need_pickle(tmp_path: Path) -> None:
    path = tmp_path / "rows.npz"
    np.savez(path, X=np.array([[1, "a"], [2, None]], dtype=object), y=np.array([0, 1]))
    assert _refused(str(path), "y").key == str(path)


def test_only_leaks_and_identifiers(tmp_path: Path) -> None:
    frame = rare_frame()[["fraud"]].assign(answer=lambda rows: rows["fraud"] * 3.0)
    error = _refused(write_csv(frame, tmp_path))
    assert "leak suspect" in error.value
    assert "data.keep" in error.remedy


@pytest.mark.parametrize("name", ["__target", "__row_id", " "])
def test_names_that_cannot_be_columns(tmp_path: Path, name: str) -> None:
    path = tmp_path / "rows.parquet"
    rare_frame().rename(columns={"noise": name}).to_parquet(path)
    assert _refused(str(path)).value == repr(name)
