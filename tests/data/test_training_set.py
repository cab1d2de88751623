from pathlib import Path

import numpy as np
import pytest

from minorkey.data.splits import split_dataset
from minorkey.data.training_set import TestSet, TrainingSet
from minorkey.errors import ContractError, StateError
from minorkey.spec import SplitSpec
from tests.data.rows import make_dataset


def make_sets(kind: str) -> tuple[TrainingSet, TestSet]:
    data = make_dataset(400, positives=60, entities=90, days=40)
    made = split_dataset(data, SplitSpec.model_validate({"kind": kind}), model="m", seed=0)
    training = TrainingSet(data.take(made.train), made.parts, made.membership, made.kind)
    return training, TestSet(data.take(made.test), made.membership, made.kind, made.outer)


@pytest.mark.parametrize("kind", ["hash", "time", "repeated_cv"])
def test_what_is_read_is_what_was_written(kind: str, tmp_path: Path) -> None:
    training, test = make_sets(kind)
    training.write(tmp_path / "train")
    test.write(tmp_path / "test")
    read, read_test = TrainingSet.read(tmp_path / "train"), TestSet.read(tmp_path / "test")
    assert (read.kind, read.membership, read.digest) == (kind, training.membership, training.digest)
    assert [part.name for part in read.parts] == [part.name for part in training.parts]
    for part, original in zip(read.parts, training.parts, strict=True):
        assert np.array_equal(part.rows, original.rows)
        for folds, original_folds in zip(part.partitions, original.partitions, strict=True):
            for fold, original_fold in zip(folds, original_folds, strict=True):
                assert np.array_equal(fold.train, original_fold.train)
                assert np.array_equal(fold.valid, original_fold.valid)
    assert read_test.dataset.digest() == test.dataset.digest()
    assert (read_test.outer is None) == (kind != "repeated_cv")
    if test.outer is not None:
        assert np.array_equal(read_test.outer, test.outer)


def test_nothing_in_the_folders_executes(tmp_path: Path) -> None:
    training, test = make_sets("repeated_cv")
    training.write(tmp_path / "train")
    test.write(tmp_path / "test")
    for path in tmp_path.rglob("*.npz"):
        with np.load(path, allow_pickle=False) as arrays:
            assert all(arrays[name].dtype.kind in "ui" for name in arrays)


def test_writing_replaces_and_leaves_nothing_beside(tmp_path: Path) -> None:
    training, _ = make_sets("hash")
    folder = tmp_path / "train"
    folder.mkdir()
    (folder / "old").touch()
    training.write(folder)
    training.write(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["train"]
    assert sorted(path.name for path in folder.iterdir()) == [
        "folds.npz",
        "rows.parquet",
        "schema.json",
        "split.json",
    ]


def test_a_part_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ContractError):
        make_sets("hash")[0].part("outer-0-0")


def test_a_folder_that_cannot_be_read(tmp_path: Path) -> None:
    training, _ = make_sets("hash")
    training.write(tmp_path / "train")
    (tmp_path / "train" / "folds.npz").write_bytes(b"PK")
    for folder in ("train", "nowhere"):
        with pytest.raises(StateError):
            TrainingSet.read(tmp_path / folder)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    training, _ = make_sets("hash")
    (tmp_path / "file").touch()
    with pytest.raises(StateError):
        training.write(tmp_path / "file" / "train")
