"""Steps that have really run, once for all tests that look at what they left."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from minorkey.steps import load, preprocess, tune
from minorkey.trials.local import close_shared_pool

SEARCH = {
    "trials": 4,
    "workers": 1,
    "families": ["logistic_regression", "lightgbm"],
    "resamplers": ["none"],
    "finalists": 2,
    "pruner": "none",
}
#: Some sixty positives in the test: below fifty the gate compares nothing.
SPLIT = {"kind": "hash", "folds": 3, "test_fraction": 0.3}


@dataclass(frozen=True)
class Folders:
    """Where the steps of one run left their outputs."""

    home: Path
    data: Path
    train: Path
    test: Path
    bundle: Path
    baselines: Path
    study: Path


def frame(rows: int, seed: int = 0) -> pd.DataFrame:
    """Rows whose label hangs on two numbers and a category; an eighth is positive."""
    rng = np.random.default_rng(seed)
    columns = {name: rng.normal(size=rows) for name in ("first", "second", "noise")}
    kind = rng.choice(["a", "b", "c"], rows)
    risk = 1.6 * columns["first"] + 1.2 * columns["second"] + 1.5 * (kind == "c") + rng.normal(0, 0.8, rows)
    label = (risk >= np.quantile(risk, 0.875)).astype(int)
    return pd.DataFrame({**columns, "kind": kind, "label": label})


def write_text(rows: pd.DataFrame, path: Path, separator: str = ",", **form: str) -> None:
    """Write a CSV file as the options of a source name it."""
    rows.to_csv(path, index=False, sep=separator, **form)


def run_until_tuned(
    folder: Path, rows: int, split: dict, search: dict, reading: dict[str, str] | None = None
) -> Folders:
    """Load, preprocess and tune, with everything below one folder; `reading` is the source's form."""
    reading = reading or {}
    folders = Folders(
        home=folder / "home",
        data=folder / "data",
        train=folder / "train",
        test=folder / "test",
        bundle=folder / "bundle",
        baselines=folder / "baselines",
        study=folder / "study.json",
    )
    write_text(frame(rows), folder / "rows.csv", **reading)
    data = {"source": str(folder / "rows.csv"), "target": "label", "options": reading}
    load.run(
        model="m",
        data=json.dumps(data),
        base_version="",
        feedback_uri="",
        until="",
        data_dir=folders.data,
    )
    preprocess.run(
        model="m",
        split=json.dumps(split),
        seed=0,
        data_dir=folders.data,
        train_dir=folders.train,
        test_dir=folders.test,
    )
    tune.run(
        model="m",
        search=json.dumps(search),
        monitor="{}",
        seed=0,
        run_key="run-1",
        train_dir=folders.train,
        bundle_dir=folders.bundle,
        baselines_dir=folders.baselines,
        study_path=folders.study,
        reason="the quarter has ended",
    )
    return folders


@pytest.fixture(scope="session")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folders]:
    """A run with one sealed test."""
    yield from _tuned(tmp_path_factory.mktemp("sealed"), 1_600, SPLIT, SEARCH)


@pytest.fixture(scope="session")
def crossed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folders]:
    """A run judged by outer cross-validation, twice."""
    split = {"kind": "repeated_cv", "folds": 2, "outer_folds": 2, "outer_repeats": 2}
    search = {**SEARCH, "trials": 5, "families": ["logistic_regression"], "interactions": False}
    yield from _tuned(tmp_path_factory.mktemp("crossed"), 480, split, search)


def _tuned(folder: Path, rows: int, split: dict, search: dict) -> Iterator[Folders]:
    with pytest.MonkeyPatch.context() as patch:
        _settle(patch, folder / "home")
        folders = run_until_tuned(folder, rows, split, search)
    yield folders
    close_shared_pool()


@pytest.fixture(autouse=True)
def _at_home(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests of a run see the home in which it ran."""
    for name in ("sealed", "crossed"):
        if name in request.fixturenames:
            _settle(monkeypatch, request.getfixturevalue(name).home)


def _settle(patch: pytest.MonkeyPatch, home: Path) -> None:
    patch.setenv("MINORKEY_HOME", str(home))
    # MLflow writes the address it was last given into the environment.
    patch.delenv("MLFLOW_TRACKING_URI", raising=False)
