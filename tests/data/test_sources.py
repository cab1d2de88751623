import gzip
import json
from pathlib import Path
from urllib.parse import urlparse

import fsspec
import numpy as np
import pandas as pd
import pytest
import sklearn

from minorkey.data.loading import load_dataset
from minorkey.data.sources import read_frame
from minorkey.data.sources.naming import without_secrets
from minorkey.errors import DataError
from minorkey.spec import DataSpec
from tests.data.raw_frames import rare_frame, write_csv


def _equal(left: pd.DataFrame, right: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(left, right, check_dtype=False)


@pytest.mark.parametrize(("separator", "suffix"), [(",", "csv"), (";", "csv"), ("|", "csv"), ("\t", "tsv")])
def test_delimited_text_is_read_whatever_its_separator(tmp_path: Path, separator: str, suffix: str) -> None:
    frame = rare_frame()
    path = tmp_path / f"rows.{suffix}"
    frame.to_csv(path, index=False, sep=separator)
    _equal(read_frame(str(path), {}), frame)


def test_question_marks_quotes_and_line_breaks(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b'\xef\xbb\xbfa, "b c",d\r\n1, ?,"x, ""y""\nz"\r\n?,2,w\r\n')
    frame = read_frame(str(path), {})
    assert list(frame.columns) == ["a", "b c", "d"]
    assert frame["d"].to_list() == ['x, "y"\nz', "w"]
    assert frame["a"].isna().to_list() == [False, True]
    assert frame["b c"].isna().to_list() == [True, False]


def test_numbers_with_a_decimal_comma(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("a;b\n1,5;2\n")
    assert read_frame(str(path), {"decimal": ","})["a"].to_list() == [1.5]


def test_compressed_text(tmp_path: Path) -> None:
    frame = rare_frame()
    frame.to_csv(tmp_path / "rows.csv.gz", index=False)
    _equal(read_frame(str(tmp_path / "rows.csv.gz"), {}), frame)


def test_a_cell_that_spans_the_blocks_of_the_scan(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    lines = [f"{i},{'x' * 90}" for i in range(200_000)]
    path.write_text("\n".join(["a,b", *lines]))
    frame = read_frame(str(path), {})
    assert len(frame) == 200_000
    assert frame["a"].iloc[-1] == 199_999


def test_parquet_with_a_named_index(tmp_path: Path) -> None:
    frame = rare_frame().assign(when=pd.date_range("2024-01-01", periods=400, freq="h"))
    frame.set_index("speed").to_parquet(tmp_path / "rows.parquet")
    _equal(read_frame(str(tmp_path / "rows.parquet"), {})[list(frame.columns)], frame)


def test_npz_of_matrix_and_target(tmp_path: Path) -> None:
    x, y = np.arange(6.0).reshape(3, 2), np.array([0, 1, 0])
    np.savez(tmp_path / "rows.npz", X=x, y=y)
    frame = read_frame(str(tmp_path / "rows.npz"), {})
    assert list(frame.columns) == ["x0", "x1", "y"]
    np.testing.assert_array_equal(frame.to_numpy(), np.column_stack([x, y]))


def test_npz_of_named_arrays(tmp_path: Path) -> None:
    np.savez(tmp_path / "rows.npz", amount=np.ones(3), place=np.array(["a", "b", "c"]), y=np.zeros(3))
    assert list(read_frame(str(tmp_path / "rows.npz"), {}).columns) == ["amount", "place", "y"]


def test_npz_with_feature_names(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "rows.npz", X=np.ones((3, 2)), y=np.zeros(3), feature_names=np.array(["amount", "speed"])
    )
    assert list(read_frame(str(tmp_path / "rows.npz"), {}).columns) == ["amount", "speed", "y"]


def test_npz_of_unequal_lengths(tmp_path: Path) -> None:
    np.savez(tmp_path / "rows.npz", a=np.ones(3), y=np.zeros(4))
    with pytest.raises(DataError) as caught:
        read_frame(str(tmp_path / "rows.npz"), {})
    assert caught.value.value == {"a": 3, "y": 4}


def test_uris(tmp_path: Path) -> None:
    frame = rare_frame()
    source = write_csv(frame, tmp_path)
    _equal(read_frame(f"file://{source}", {}), frame)
    with fsspec.open("memory://folder/rows.csv", "wb") as stream:
        stream.write(Path(source).read_bytes())
    _equal(read_frame("memory://folder/rows.csv", {}), frame)


@pytest.mark.parametrize(
    "source",
    ["nothing://rows.csv", "memory://absent.csv", "rows.xlsx", "rows", "/", "openml:credit", "sklearn:moon"],
)
def test_sources_that_do_not_exist(source: str) -> None:
    with pytest.raises(DataError) as caught:
        read_frame(source, {})
    assert source in str(caught.value.value)


def test_the_format_can_be_told(tmp_path: Path) -> None:
    frame = rare_frame()
    source = write_csv(frame, tmp_path, "rows.data")
    _equal(read_frame(source, {"format": "csv"}), frame)


def test_unknown_options_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_frame(write_csv(rare_frame(), tmp_path), {"seperator": ";"})
    assert caught.value.key == "data.options.seperator"
    assert "'separator'" in caught.value.remedy


def test_openml_without_a_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with pytest.raises(DataError) as caught:
        read_frame("openml:31", {})
    assert caught.value.value.startswith("openml:31")


def _openml_copy(home: Path, number: int) -> None:
    """scikit-learn's own copy of OpenML's answers about a data set, where its cache would have them."""
    answers = Path(sklearn.__file__).parent / f"datasets/tests/data/openml/id_{number}"
    described = json.loads(gzip.decompress((answers / f"api-v1-jd-{number}.json.gz").read_bytes()))
    rows = urlparse(described["data_set_description"]["url"]).path.lstrip("/")
    places = {f"api/v1/json/data/{number}": f"api-v1-jd-{number}.json.gz"}
    places |= {f"api/v1/json/data/features/{number}": f"api-v1-jdf-{number}.json.gz"}
    places |= {f"api/v1/json/data/qualities/{number}": f"api-v1-jdq-{number}.json.gz"}
    places |= {rows: next(answers.glob("data-*.arff.gz")).name}
    for place, name in places.items():
        cached = home / "openml/openml.org" / f"{place}.gz"
        cached.parent.mkdir(parents=True, exist_ok=True)
        cached.write_bytes((answers / name).read_bytes())


def test_openml_brings_rows_target_and_kinds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    _openml_copy(tmp_path, 40945)
    loaded = load_dataset(DataSpec(source="openml:40945"))
    schema, profile = loaded.dataset.schema, loaded.profile
    assert (schema.target, schema.positive) == ("survived", "1")
    assert (profile["rows"], profile["positives"]) == (1_309, 500)
    kinds = {feature.name: feature.kind for feature in schema.features}
    assert kinds["age"] == "numeric" and kinds["sex"] == kinds["embarked"] == "categorical"
    assert profile["columns"]["age"]["missing"] == pytest.approx(263 / 1_309)
    assert set(loaded.dataset.features["sex"]) == {"female", "male"}


def test_sklearn_sets() -> None:
    frame = read_frame("sklearn:breast_cancer", {})
    assert frame["target"].value_counts().to_dict() == {"benign": 357, "malignant": 212}
    digits = read_frame("sklearn:digits", {"positive_class": "9"})
    assert digits["target"].value_counts().to_dict() == {"rest": 1617, "9": 180}
    with pytest.raises(DataError, match="no such class"):
        read_frame("sklearn:iris", {"positive_class": "rose"})


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("rows.csv", "rows.csv"),
        ("builtin:cards?rows=9", "builtin:cards?rows=9"),
        ("s3://bucket/rows.parquet", "s3://bucket/rows.parquet"),
        ("https://me:secret@host/a/rows.csv?sig=abc#part", "https://host/a/rows.csv"),
    ],
)
def test_a_source_is_named_without_what_is_secret(source: str, shown: str) -> None:
    assert without_secrets(source) == shown
