"""A model trained on text of an unusual form: further files of that form are read alike."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from minorkey.bundle.bundle import Bundle
from minorkey.cli import main
from minorkey.data.encoding import encode_features
from minorkey.data.sources import reading_options
from minorkey.spec import DataSpec
from minorkey.steps.load import run as load
from minorkey.trials.local import close_shared_pool
from tests.serving.bundles import small_bundle
from tests.steps.conftest import Folders, frame, run_until_tuned, write_text

READING = {"separator": ";", "decimal": ",", "encoding": "latin-1"}


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """A small model of a file with semicolons, decimal commas and letters in Latin-1."""
    folder = tmp_path_factory.mktemp("reading")
    search = {
        "trials": 1,
        "workers": 1,
        "families": ["logistic_regression"],
        "resamplers": ["none"],
        "finalists": 1,
        "interactions": False,
    }
    split = {"kind": "hash", "folds": 2, "test_fraction": 0.3}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MINORKEY_HOME", str(folder / "home"))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        folders = run_until_tuned(folder, 600, split, search, READING)
    close_shared_pool()
    return folders


def fresh_rows() -> pd.DataFrame:
    rows = frame(50, seed=1).drop(columns="label")
    return rows.assign(kind=rows["kind"].replace("a", "k\N{LATIN SMALL LETTER O WITH DIAERESIS}"))


def scores(tuned: Folders, data: Path, *flags: str) -> pd.DataFrame:
    out = data.with_suffix(".scores.csv")
    with pytest.raises(SystemExit) as ended:
        main(["predict", "--bundle", str(tuned.bundle), "--data", str(data), "--out", str(out), *flags])
    assert not ended.value.code
    return pd.read_csv(out)


def test_the_bundle_says_how_its_source_was_read(tuned: Folders) -> None:
    manifest = json.loads((tuned.bundle / "bundle.json").read_text())
    assert manifest["schema"]["reading"] == READING
    assert Bundle.load(tuned.bundle).info.schema.reading == READING


def test_a_file_of_the_training_form_is_scored_without_flags(tuned: Folders, tmp_path: Path) -> None:
    rows = fresh_rows()
    bundle = Bundle.load(tuned.bundle)
    expected = bundle.score(encode_features(rows, bundle.info.schema))[1]
    assert np.ptp(expected) > 0.1
    write_text(rows, tmp_path / "same.csv", **READING)
    rows.to_parquet(tmp_path / "same.parquet")
    for name in ("same.csv", "same.parquet"):
        np.testing.assert_allclose(scores(tuned, tmp_path / name)["score"], expected, rtol=1e-12)


def test_flags_override_what_was_recorded(tuned: Folders, tmp_path: Path) -> None:
    rows = fresh_rows()
    write_text(rows, tmp_path / "same.csv", **READING)
    expected = scores(tuned, tmp_path / "same.csv")
    other = {"separator": "|", "decimal": ".", "encoding": "utf-16"}
    write_text(rows, tmp_path / "other.data", **other)
    flags = [part for name, value in other.items() for part in (f"--{name}", value)]
    told = scores(tuned, tmp_path / "other.data", "--format", "csv", *flags)
    pd.testing.assert_frame_equal(told, expected)


def test_a_bundle_without_the_key_loads(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path / "bundle")
    assert "reading" not in json.loads((tmp_path / "bundle/bundle.json").read_text())["schema"]
    assert bundle.info.schema.reading == {}


@pytest.mark.parametrize(
    ("source", "recorded", "expected"),
    [
        ("new.csv.gz", READING, READING),
        ("new.tsv", READING, {"decimal": ",", "encoding": "latin-1"}),
        ("new.parquet", READING, {}),
        ("new.parquet", {"format": "csv", "decimal": ","}, {}),
        ("new", {"format": "csv", "decimal": ","}, {"format": "csv", "decimal": ","}),
        ("new", {"format": "parquet"}, {"format": "parquet"}),
        ("builtin:cards", READING, {}),
        ("new.csv", {"rows": 1_000, "days": 3}, {}),
    ],
)
def test_options_go_where_they_mean_something(
    source: str, recorded: dict[str, str], expected: dict[str, str]
) -> None:
    assert reading_options(source, recorded) == expected


def test_labelled_production_rows_are_read_as_the_source_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINORKEY_HOME", str(tmp_path / "home"))
    for name, seed in (("rows.csv", 0), ("production.csv", 1)):
        write_text(frame(300, seed), tmp_path / name, **READING)
    data = DataSpec(source=str(tmp_path / "rows.csv"), target="label", options=READING)
    load(
        model="m",
        data=data.model_dump_json(),
        base_version="",
        feedback_uri=str(tmp_path / "production.csv"),
        until="",
        data_dir=tmp_path / "data",
    )
    profile = json.loads((tmp_path / "data/profile.json").read_text())
    assert profile["rows"] == 600
    assert profile["columns"]["first"]["kind"] == "numeric"
