"""Preprocess: divide the rows into the training set with its folds and the sealed test. Fits nothing."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from minorkey.data.dataset import Dataset, Schema
from minorkey.data.partitions import Split
from minorkey.data.profile import duplicates_across
from minorkey.data.sources.naming import without_secrets
from minorkey.data.splits import split_dataset
from minorkey.data.training_set import TestSet, TrainingSet
from minorkey.errors import StateError
from minorkey.progress import emit
from minorkey.spec import SplitSpec, parse_section
from minorkey.steps.load import BASE
from minorkey.steps.step import step

__all__ = ["run"]


@step
def run(*, model: str, split: str, seed: int, data_dir: Path, train_dir: Path, test_dir: Path) -> None:
    """Divide what `load` wrote.

    Args:
        model: name in the registry; the salt of the row hash derives from it.
        split: the split section, as JSON.
        seed: seed of the tuning folds; the sealed test does not depend on it.
        data_dir: what `load` wrote.
        train_dir: where the training set is written.
        test_dir: where the sealed test and the profile are written.
    """
    spec = parse_section(SplitSpec, split)
    dataset, profile = _read(data_dir)
    made = split_dataset(dataset, spec, model=model, seed=seed, trained_until=_trained_until(data_dir))
    source = without_secrets(str(profile.get("source", "")))
    training = TrainingSet(dataset.take(made.train), made.parts, made.membership, made.kind, source)
    test = TestSet(dataset.take(made.test), made.membership, made.kind, made.outer)
    profile["split"] = _account(dataset, made)
    _warn_of_duplicates(profile["split"])
    training.write(train_dir)
    test.write(test_dir)
    # The profile describes test rows too, so it stays on the sealed side: tuning never sees it.
    (test_dir / "profile.json").write_text(json.dumps(profile, indent=1), encoding="utf-8")


def _read(data_dir: Path) -> tuple[Dataset, dict[str, Any]]:
    try:
        dataset = Dataset.read(data_dir / "rows.parquet", Schema.read(data_dir / "schema.json"))
        profile: dict[str, Any] = json.loads((data_dir / "profile.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError) as error:
        raise StateError(
            "the rows of the load step cannot be read",
            key=str(data_dir),
            value=error,
            remedy="run the load step again",
        ) from error
    return dataset, profile


def _trained_until(folder: Path) -> float | None:
    """On a retune, until when the version that it starts from was trained; seconds since 1970."""
    try:
        base = json.loads((folder / BASE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return None if base["trained_until"] is None else float(base["trained_until"])


def _account(dataset: Dataset, split: Split) -> dict[str, Any]:
    """What the report says about the split: counts, never a row."""
    content = pd.util.hash_pandas_object(dataset.features, index=False).to_numpy().astype(np.uint64)
    sides = {"train": split.train, "test": split.test}
    counts = {
        name: {"rows": len(rows), "positives": int(dataset.y[rows].sum())} for name, rows in sides.items()
    }
    duplicates = 0
    if split.kind != "repeated_cv":
        duplicates = duplicates_across(content[split.train], content[split.test])
    return {
        "kind": split.kind,
        **counts,
        "unused_rows": len(dataset) - len(np.union1d(split.train, split.test)),
        "test_rows_also_in_training": duplicates,
    }


def _warn_of_duplicates(account: dict[str, Any]) -> None:
    duplicates, rows = account["test_rows_also_in_training"], account["test"]["rows"]
    if duplicates > 0.01 * rows:
        emit(
            "warned",
            text=f"{duplicates:,} of {rows:,} test rows have the same feature values as a training row; "
            "where they are copies of one event, name what they belong to in data.entity",
        )
