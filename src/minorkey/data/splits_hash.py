"""The split by salted hash: a row's side never depends on other rows, on order or on a seed."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import xxhash

from minorkey.data.dataset import MISSING, Dataset, RowIds
from minorkey.data.folds_stratified import group_codes, stratified_folds
from minorkey.data.partitions import FINAL, Part, Split
from minorkey.errors import DataError
from minorkey.spec import SplitSpec

__all__ = ["hash_test_rows", "split_by_hash"]


def hash_test_rows(dataset: Dataset, test_fraction: float, salt: str) -> npt.NDArray[np.bool_]:
    """Which rows the salted hash of the entity (of the row's content without one) puts into the test.

    Args:
        dataset: the rows.
        test_fraction: expected share of entities (rows) in the test.
        salt: text that makes the hash this model's own.

    Returns:
        Shape (n,). Appending rows changes no earlier row's side.
    """
    hashed = _mixed(dataset.row_id, salt)
    if dataset.entity is not None:
        codes, names = pd.factorize(dataset.entity)
        of_name = np.array(
            [xxhash.xxh3_64_intdigest(f"{salt}\0{name}".encode()) for name in names], dtype=np.uint64
        )
        named = (codes >= 0) & (dataset.entity != MISSING)
        hashed[named] = of_name[codes[named]]
    # The upper 53 bits are exact in a float64.
    return (hashed >> np.uint64(11)).astype(np.float64) * 2.0**-53 < test_fraction


def split_by_hash(dataset: Dataset, spec: SplitSpec, salt: str, *, seed: int) -> Split:
    """Split by hash, with grouped and stratified tuning folds.

    Raises:
        DataError: a side lacks a class, or positives are fewer than folds.
    """
    in_test = hash_test_rows(dataset, spec.test_fraction, salt)
    train, test = np.flatnonzero(~in_test), np.flatnonzero(in_test)
    y, group = dataset.y[train], group_codes(dataset.take(train))
    for side, labels in (("training", y), ("test", dataset.y[test])):
        if not 0 < labels.sum() < len(labels):
            raise DataError(
                f"the {side} rows would hold one class only",
                key="split.test_fraction",
                value=f"{int(labels.sum()):,} positives in {len(labels):,} {side} rows",
                allowed="both classes on both sides",
                remedy="set split.kind: repeated_cv, or gather more positives",
            )
    rows = np.arange(len(train))
    partitions = tuple(
        stratified_folds(y, group, rows, spec.folds, key="split.folds", seed=[seed, partition])
        for partition in range(2)
    )
    membership = {
        "kind": "hash",
        "salt": salt,
        "test_fraction": spec.test_fraction,
        "unit": "row" if dataset.entity is None else "entity",
        "entity": dataset.schema.roles.get("entity"),
        "identity": dataset.schema.identity,
    }
    return Split(train, test, (Part(FINAL, rows, partitions),), "hash", membership)


def _mixed(row_id: RowIds, salt: str) -> npt.NDArray[np.uint64]:
    """The row's hash mixed with the salt's, uniform over 64 bits (the finaliser of splitmix64)."""
    mixed = row_id ^ np.uint64(xxhash.xxh3_64_intdigest(salt.encode()))
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))
