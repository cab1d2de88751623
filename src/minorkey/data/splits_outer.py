"""Repeated outer cross-validation: where one test would hold too few positives, every row is tested."""

import base64
import zlib

import numpy as np
import numpy.typing as npt
import xxhash

from minorkey.data.dataset import Dataset, RowIds
from minorkey.data.folds_stratified import assign_folds, group_codes, stratified_folds
from minorkey.data.partitions import FINAL, Part, Positions, Split
from minorkey.spec import SplitSpec

__all__ = ["fingerprints", "packed_fingerprints", "split_by_outer_folds", "unpack_fingerprints"]


def split_by_outer_folds(dataset: Dataset, spec: SplitSpec, salt: str, *, seed: int) -> Split:
    """One part with all rows, and one for each outer fold that excludes it.

    The outer folds depend on the salt and never on the seed.

    Raises:
        DataError: positives are fewer than outer folds, or than tuning folds within a part.
    """
    group = group_codes(dataset)
    entropy = xxhash.xxh3_64_intdigest(salt.encode())
    outer = np.stack(
        [
            assign_folds(dataset.y, group, spec.outer_folds, key="split.outer_folds", seed=[entropy, repeat])
            for repeat in range(spec.outer_repeats)
        ]
    )
    rows = np.arange(len(dataset))

    def part(number: int, name: str, inside: Positions) -> Part:
        partitions = tuple(
            stratified_folds(
                dataset.y, group, inside, spec.folds, key="split.folds", seed=[seed, number, partition]
            )
            for partition in range(2)
        )
        return Part(name, inside, partitions)

    parts = [part(0, FINAL, rows)]
    for repeat in range(spec.outer_repeats):
        for fold in range(spec.outer_folds):
            inside = rows[outer[repeat] != fold]
            parts.append(part(len(parts), f"outer-{repeat}-{fold}", inside))
    membership = {
        "kind": "repeated_cv",
        "salt": salt,
        "outer_folds": spec.outer_folds,
        "outer_repeats": spec.outer_repeats,
        "identity": dataset.schema.identity,
        "trained_on": packed_fingerprints(dataset.row_id),
    }
    return Split(rows, rows, tuple(parts), "repeated_cv", membership, outer)


def fingerprints(row_id: RowIds) -> npt.NDArray[np.uint32]:
    """The upper half of each row's id, shape (n,): enough to know a row again."""
    return (row_id >> np.uint64(32)).astype(np.uint32)


def unpack_fingerprints(text: str) -> npt.NDArray[np.uint32]:
    """Ascending fingerprints out of the membership's ``trained_on``."""
    gaps = np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype="<u4")
    return np.cumsum(gaps, dtype=np.uint64).astype(np.uint32)


def packed_fingerprints(row_id: RowIds) -> str:
    """Distinct fingerprints, ascending, as compressed gaps: about four bytes of JSON for a row."""
    distinct = np.unique(fingerprints(row_id))
    gaps = np.diff(distinct, prepend=np.uint32(0)).astype("<u4")
    return base64.b64encode(zlib.compress(gaps.tobytes(), 9)).decode("ascii")
