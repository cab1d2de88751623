import dataclasses
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from minorkey.data.array_store import ArrayStore
from minorkey.data.durations import DAY
from minorkey.data.fold_store import FoldStore, PreparedFold
from minorkey.data.splits import split_dataset
from minorkey.data.training_set import TrainingSet
from minorkey.errors import ContractError, DataError, SpecError, StateError
from minorkey.models.family import Encoding
from minorkey.spec import SplitSpec
from minorkey.trials.trial import Configuration
from tests.data.rows import make_dataset

PLAIN = Configuration("extra_trees")
ORDINAL, ONEHOT = Encoding(scale=False, categorical="ordinal"), Encoding(scale=True, categorical="onehot")
BIG = 10**9


def make_training(kind: str = "hash", *, weighted: bool = False) -> TrainingSet:
    data = make_dataset(500, positives=100, days=40)
    if weighted:
        data = dataclasses.replace(data, weight=np.linspace(0.5, 4.0, 500))
    made = split_dataset(data, SplitSpec.model_validate({"kind": kind}), model="m", seed=0)
    return TrainingSet(data.take(made.train), made.parts, made.membership, made.kind)


@pytest.fixture(scope="module")
def training() -> TrainingSet:
    return make_training()


def prepare(
    store: FoldStore,
    training: TrainingSet,
    configuration: Configuration = PLAIN,
    *,
    fold: int | None = 0,
    encoding: Encoding = ORDINAL,
    seed: int = 0,
) -> PreparedFold:
    return store.prepare(training, "final", 0, fold, configuration, encoding=encoding, seed=seed)


def entries(root: Path) -> list[str]:
    return sorted(path.name for path in root.iterdir())


def test_a_fold_is_preprocessed_by_its_training_rows_alone(training: TrainingSet, tmp_path: Path) -> None:
    fold = training.part("final").partitions[0][0]
    marked = training.dataset.features.copy()
    marked.loc[fold.valid, "signal"] = 1e6
    marked.loc[fold.valid, "kind"] = "seen only in validation"
    spoiled = TrainingSet(
        dataclasses.replace(training.dataset, features=marked), training.parts, training.membership, "hash"
    )
    store = FoldStore(tmp_path, BIG)
    clean, other = (prepare(store, rows, encoding=ONEHOT) for rows in (training, spoiled))
    assert np.array_equal(clean.x_train, other.x_train)
    assert clean.preprocessor.to_json() == other.preprocessor.to_json()
    assert not np.array_equal(clean.x_valid, other.x_valid)


def test_rows_and_weights_belong_together(tmp_path: Path) -> None:
    training = make_training(weighted=True)
    fold = training.part("final").partitions[0][0]
    made = prepare(FoldStore(tmp_path, BIG), training)
    assert made.x_train.dtype == np.float32
    assert (len(made.x_train), len(made.x_valid)) == (len(fold.train), len(fold.valid))
    assert np.array_equal(made.y_train, training.dataset.y[fold.train])
    assert made.w_train.mean() == pytest.approx(1.0)
    assert training.dataset.weight is not None
    np.testing.assert_allclose(
        made.w_valid / made.w_valid[0],
        training.dataset.weight[fold.valid] / training.dataset.weight[fold.valid[0]],
    )


def test_a_refit_takes_every_row_and_validates_on_none(training: TrainingSet, tmp_path: Path) -> None:
    store = FoldStore(tmp_path, BIG)
    for _ in range(2):
        made = prepare(store, training, fold=None)
        assert len(made.x_train) == len(training.dataset)
        assert made.x_valid.shape == (0, made.x_train.shape[1])


def test_matrices_are_mapped_and_cannot_be_written(training: TrainingSet, tmp_path: Path) -> None:
    made = prepare(FoldStore(tmp_path, BIG), training)
    assert isinstance(made.x_train, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        made.x_train[0, 0] = 1.0


def test_resampling_changes_training_rows_only(training: TrainingSet, tmp_path: Path) -> None:
    store = FoldStore(tmp_path, BIG)
    plain = prepare(store, training)
    under = prepare(store, training, Configuration("extra_trees", resampler="tomek_links"))
    assert len(under.x_train) < len(plain.x_train)
    assert np.array_equal(under.x_valid, plain.x_valid)
    assert len(under.y_train) == len(under.x_train) == len(under.w_train)
    kept = {row.tobytes() for row in np.asarray(plain.x_train)}
    assert all(row.tobytes() in kept for row in np.asarray(under.x_train))


def test_synthetic_rows_have_one_level_of_each_category(training: TrainingSet, tmp_path: Path) -> None:
    store = FoldStore(tmp_path, BIG)
    smote = Configuration(
        "logistic_regression", resampler="smote_nc", resampling={"ratio": 0.8, "k_neighbors": 3}
    )
    plain, made = (prepare(store, training, one, encoding=ONEHOT) for one in (PLAIN, smote))
    assert len(made.x_train) > len(plain.x_train)
    np.testing.assert_array_equal(made.x_train[: len(plain.x_train)], plain.x_train)
    levels = [level.count for level in made.preprocessor.levels]
    assert sum(levels) > len(levels) > 0
    blocks = np.asarray(made.x_train[:, -sum(levels) :])
    assert set(np.unique(blocks)) == {0.0, 1.0}
    for block in np.split(blocks, np.cumsum(levels)[:-1], axis=1):
        np.testing.assert_array_equal(block.sum(axis=1), 1)


def test_resamplers_share_the_preprocessed_matrices(training: TrainingSet, tmp_path: Path) -> None:
    store = FoldStore(tmp_path, BIG)
    prepare(store, training)
    one = Configuration("extra_trees", resampler="random_under", resampling={"ratio": 1.0})
    prepare(store, training, one)
    assert len(entries(tmp_path)) == 2
    prepare(store, training, Configuration("lightgbm", {"depth": 3}, weight_exponent=0.5))
    assert len(entries(tmp_path)) == 2
    assert len(list(tmp_path.rglob("valid.npy"))) == 1


def test_the_seed_counts_only_where_it_matters(training: TrainingSet, tmp_path: Path) -> None:
    store = FoldStore(tmp_path, BIG)
    random = Configuration("extra_trees", resampler="random_under", resampling={"ratio": 1.0})
    first, second = (prepare(store, training, random, seed=seed) for seed in (0, 1))
    assert not np.array_equal(first.x_train, second.x_train)
    count = len(entries(tmp_path))
    for seed in (0, 1):
        prepare(store, training, Configuration("extra_trees", resampler="tomek_links"), seed=seed)
    assert len(entries(tmp_path)) == count + 1


def test_an_unknown_resampler_is_refused(training: TrainingSet, tmp_path: Path) -> None:
    with pytest.raises(SpecError):
        prepare(FoldStore(tmp_path, BIG), training, Configuration("extra_trees", resampler="magic"))


def test_a_window_keeps_the_newest_rows(tmp_path: Path) -> None:
    training = make_training("time")
    event, end = training.dataset.event_time, training.membership["train_end"]
    assert event is not None
    store = FoldStore(tmp_path, BIG)
    made = prepare(store, training, Configuration("extra_trees", train_window=10 * DAY), fold=None)
    assert np.array_equal(made.y_train, training.dataset.y[event >= end - 10 * DAY])
    fold = training.part("final").partitions[0][2]
    windowed = prepare(store, training, Configuration("extra_trees", train_window=10 * DAY), fold=2)
    newest = event[fold.train] >= event[fold.train].max() - 10 * DAY
    assert np.array_equal(windowed.y_train, training.dataset.y[fold.train[newest]])
    assert len(windowed.y_valid) == len(fold.valid)
    with pytest.raises(DataError):
        prepare(store, training, Configuration("extra_trees", train_window=60.0), fold=None)


def test_recency_fades_the_weights_of_training_rows_alone(tmp_path: Path) -> None:
    training = make_training("time", weighted=True)
    event, weight = training.dataset.event_time, training.dataset.weight
    assert event is not None and weight is not None
    store, fold = FoldStore(tmp_path, BIG), training.part("final").partitions[0][2]
    faded = Configuration("extra_trees", recency_half_life=10 * DAY)
    plain, made = prepare(store, training, fold=2), prepare(store, training, faded, fold=2)
    expected = weight[fold.train] * 0.5 ** (
        (training.membership["train_end"] - event[fold.train]) / (10 * DAY)
    )
    np.testing.assert_allclose(made.w_train, expected / expected.mean())
    np.testing.assert_array_equal(made.w_valid, plain.w_valid)
    assert len(entries(tmp_path)) == 1, "every half-life shares the matrices"
    whole = prepare(store, training, faded, fold=None)
    ratio = whole.w_train[-1] / whole.w_train[0] * weight[0] / weight[-1]
    assert ratio == pytest.approx(2 ** ((event[-1] - event[0]) / (10 * DAY)))
    windowed = dataclasses.replace(faded, train_window=5 * DAY)
    newest = event[fold.train] >= event[fold.train].max() - 5 * DAY
    kept = expected[newest]
    np.testing.assert_allclose(
        prepare(store, training, windowed, fold=2).w_train, kept / kept.mean(), rtol=1e-9
    )
    ancient = prepare(store, training, Configuration("extra_trees", recency_half_life=1.0), fold=None)
    assert (ancient.w_train > 0).all()


def test_recency_of_resampled_rows_and_of_rows_without_a_time_is_refused(
    training: TrainingSet, tmp_path: Path
) -> None:
    store = FoldStore(tmp_path, BIG)
    with pytest.raises(ContractError, match="no age"):
        prepare(store, training, Configuration("extra_trees", resampler="smote", recency_half_life=DAY))
    timeless = TrainingSet(
        dataclasses.replace(training.dataset, event_time=None), training.parts, training.membership, "hash"
    )
    with pytest.raises(DataError, match="event time"):
        prepare(store, timeless, Configuration("extra_trees", recency_half_life=DAY))


def test_the_least_recently_used_is_forgotten_first(training: TrainingSet, tmp_path: Path) -> None:
    prepare(FoldStore(tmp_path, BIG), training, fold=0)
    size = sum(path.stat().st_size for path in tmp_path.rglob("*.*"))
    store = FoldStore(tmp_path, int(2.5 * size))
    first = entries(tmp_path)[0]
    prepare(store, training, fold=1)
    second = next(name for name in entries(tmp_path) if name != first)
    now = time.time()
    os.utime(tmp_path / first, (now - 200, now - 200))
    os.utime(tmp_path / second, (now - 100, now - 100))
    kept = prepare(store, training, fold=0)
    prepare(store, training, fold=2)
    assert first in entries(tmp_path)
    assert second not in entries(tmp_path)
    assert len(entries(tmp_path)) == 2
    shutil.rmtree(tmp_path / first)
    assert np.isfinite(kept.x_train).all()


def test_a_fold_larger_than_the_bound_can_still_be_used(training: TrainingSet, tmp_path: Path) -> None:
    store = FoldStore(tmp_path, 1)
    for fold in (0, 1):
        assert len(prepare(store, training, fold=fold).x_train)
        assert len(entries(tmp_path)) == 1


@pytest.mark.parametrize("damage", ["cut short", "gone", "no description"])
def test_a_damaged_entry_is_computed_again(damage: str, training: TrainingSet, tmp_path: Path) -> None:
    store = FoldStore(tmp_path, BIG)
    whole = np.array(prepare(store, training).x_train)
    folder = tmp_path / entries(tmp_path)[0]
    if damage == "cut short":
        os.truncate(folder / "train.npy", 200)
    elif damage == "gone":
        (folder / "valid.npy").unlink()
    else:
        (folder / "entry.json").write_text("{")
    assert np.array_equal(prepare(store, training).x_train, whole)
    assert entries(tmp_path) == [folder.name]


def test_writing_at_once_is_harmless(training: TrainingSet, tmp_path: Path) -> None:
    def one(fold: int) -> bytes:
        return prepare(FoldStore(tmp_path, BIG), training, fold=fold % 2).x_train.tobytes()

    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(one, range(12)))
    assert len(set(results)) == 2
    assert len(entries(tmp_path)) == 2


def test_what_a_dead_writer_left_is_swept_up(tmp_path: Path) -> None:
    for name, age in ((".dead", 7_200), (".alive", 60)):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (time.time() - age, time.time() - age))
    ArrayStore(tmp_path, BIG).get("key", lambda: ({"a": np.ones(3)}, {}))
    assert entries(tmp_path) == [".alive", "key"]


def test_a_store_that_cannot_be_written(training: TrainingSet, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StateError):
        prepare(FoldStore(tmp_path / "file", BIG), training)
