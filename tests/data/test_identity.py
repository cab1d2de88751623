import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from minorkey.data.dataset import Dataset
from minorkey.data.loading import load_dataset
from minorkey.data.membership import seen_in_training
from minorkey.data.splits import Split, split_dataset
from minorkey.spec import DataSpec, SplitSpec
from tests.data.raw_frames import rare_frame, write_csv


def _load(frame: pd.DataFrame, folder: Path, **keys: Any) -> Dataset:
    return load_dataset(DataSpec(source=write_csv(frame, folder), target="fraud", **keys)).dataset


def _split(dataset: Dataset, kind: str) -> Split:
    spec = SplitSpec(kind=kind, folds=2, outer_folds=2)  # type: ignore[arg-type]
    return split_dataset(dataset, spec, model="cards", seed=0)


def _frame() -> pd.DataFrame:
    frame = rare_frame(rows=1_000, positives=200)
    # An answer in disguise, a number that names the row, and one that a user may doubt.
    frame["chargeback"] = frame["fraud"] * 3.5
    frame["order_id"] = np.arange(1_000)
    frame["doubted"] = np.random.default_rng(9).normal(size=1_000)
    return frame


@pytest.mark.parametrize(
    "keys",
    [
        {"keep": ("chargeback", "order_id")},
        {"drop": ("doubted", "channel")},
        {"features": ("amount", "speed")},
        {"categorical": ("doubted",)},
        {"leak_average_precision": 0.2, "keep": ("speed",)},
    ],
)
def test_no_choice_of_features_changes_ids_split_or_opening_count(
    tmp_path: Path, keys: dict[str, Any]
) -> None:
    plain, chosen = _load(_frame(), tmp_path), _load(_frame(), tmp_path, **keys)
    assert chosen.schema.names() != plain.schema.names() or chosen.schema.features != plain.schema.features
    np.testing.assert_array_equal(chosen.row_id, plain.row_id)
    assert chosen.schema.identity == plain.schema.identity
    sides = [_split(dataset, "hash").test for dataset in (plain, chosen)]
    np.testing.assert_array_equal(*sides)
    digests = {dataset.take(rows).rows_digest() for dataset, rows in zip((plain, chosen), sides, strict=True)}
    assert len(digests) == 1


def test_the_opening_count_depends_on_rows_and_target_alone(tmp_path: Path) -> None:
    dataset = _load(_frame(), tmp_path)
    opposite = dataset.take(np.arange(len(dataset))[::-1])
    relabelled = dataclasses.replace(dataset, y=dataset.y[::-1].copy())
    assert opposite.rows_digest() == relabelled.rows_digest() == dataset.rows_digest()
    assert dataset.take(np.arange(999)).rows_digest() != dataset.rows_digest()


def test_copies_under_several_numbers_are_one_row(tmp_path: Path) -> None:
    frame = _frame()
    copies = pd.concat([frame, frame.head(200).assign(order_id=np.arange(5_000, 5_200))])
    dataset = _load(copies, tmp_path)
    np.testing.assert_array_equal(dataset.row_id[1_000:], dataset.row_id[:200])
    assert "order_id" not in dataset.schema.identity


def test_rows_that_only_identifiers_tell_apart_keep_their_own_ids(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"customer_id": rng.permutation(1_000), "fraud": rng.random(1_000) < 0.2})
    dataset = _load(frame, tmp_path, keep=("customer_id",))
    assert len(np.unique(dataset.row_id)) == 1_000


def test_infinite_values_of_a_dropped_column_are_no_error(tmp_path: Path) -> None:
    frame = _frame()
    frame.loc[3, "doubted"] = np.inf
    assert np.inf not in _load(frame, tmp_path, drop=("doubted",)).features.to_numpy()


@pytest.mark.parametrize("kind", ["hash", "repeated_cv"])
class TestAnotherSetOfColumns:
    """A champion's training rows are known again, whatever columns the challenger has."""

    def test_another_choice_of_features(self, tmp_path: Path, kind: str) -> None:
        champion = _load(_frame(), tmp_path, drop=("doubted",))
        made = _split(champion, kind)
        seen = seen_in_training(made.membership, _load(_frame(), tmp_path, keep=("chargeback",)))
        assert seen[made.train].all()
        if kind == "hash":
            assert not seen[made.test].any()

    def test_a_source_with_a_further_column(self, tmp_path: Path, kind: str) -> None:
        made = _split(_load(_frame(), tmp_path, keep=("chargeback",)), kind)
        wider = _frame().assign(fresh=np.random.default_rng(1).normal(size=1_000))
        later = rare_frame(rows=300, positives=60, seed=5).assign(chargeback=0.0, doubted=0.5, fresh=0.0)
        data = _load(pd.concat([wider, later]), tmp_path, keep=("chargeback",))
        assert "fresh" in data.schema.identity
        seen = seen_in_training(made.membership, data)
        assert seen[made.train].all()
        assert not seen[made.test].any() or kind == "repeated_cv"
        assert seen[1_000:].mean() < (0.9 if kind == "hash" else 0.01)

    def test_a_source_without_one_of_the_columns(self, tmp_path: Path, kind: str) -> None:
        made = _split(_load(_frame(), tmp_path), kind)
        assert seen_in_training(made.membership, _load(_frame().drop(columns="noise"), tmp_path)).all()

    def test_a_column_of_another_kind(self, tmp_path: Path, kind: str) -> None:
        made = _split(_load(_frame(), tmp_path), kind)
        changed = _frame().assign(doubted=lambda rows: np.where(rows["doubted"] > 0, "high", "low"))
        assert seen_in_training(made.membership, _load(changed, tmp_path)).all()

    def test_a_membership_that_does_not_name_its_columns(self, tmp_path: Path, kind: str) -> None:
        dataset = _load(_frame(), tmp_path)
        membership = _split(dataset, kind).membership
        del membership["identity"]
        assert seen_in_training(membership, dataset).all()


def test_another_entity_or_clock_tells_nothing(tmp_path: Path) -> None:
    frame = _frame().assign(
        customer=np.arange(1_000) % 90,
        shop=np.arange(1_000) % 70,
        sold=pd.date_range("2024-01-01", periods=1_000, freq="h"),
        shipped=pd.date_range("2024-02-01", periods=1_000, freq="h"),
    )
    by_customer = _load(frame, tmp_path, entity="customer", event_time="sold")
    for kind, other in (("hash", {"entity": "shop"}), ("time", {"event_time": "shipped"})):
        made = _split(by_customer, kind)
        assert not seen_in_training(made.membership, by_customer)[made.test].any()
        changed = _load(frame, tmp_path, **{"entity": "customer", "event_time": "sold", **other})
        assert seen_in_training(made.membership, changed).all()
