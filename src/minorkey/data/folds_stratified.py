"""Stratified folds that keep groups together."""

import heapq

import numpy as np
import numpy.typing as npt
import pandas as pd

from minorkey.data.dataset import MISSING, Dataset, Labels
from minorkey.data.partitions import Fold, Positions
from minorkey.errors import DataError

__all__ = ["assign_folds", "group_codes", "stratified_folds"]

#: Groups dealt one by one, largest first; the rest is filled up in random order.
_DEALT = 10_000


def group_codes(dataset: Dataset) -> npt.NDArray[np.intp]:
    """What must stay on one side: the row's entity, or without one the row's content.

    Rows with a missing entity belong together only if they are identical.

    Returns:
        Shape (n,), codes from 0.
    """
    rows = pd.factorize(dataset.row_id)[0]
    if dataset.entity is None:
        return rows
    entities, names = pd.factorize(dataset.entity)
    missing = (dataset.entity == MISSING) | (entities < 0)
    return np.asarray(pd.factorize(np.where(missing, len(names) + rows, entities))[0])


def stratified_folds(
    y: Labels, group: npt.NDArray[np.intp], rows: Positions, folds: int, *, key: str, seed: list[int]
) -> tuple[Fold, ...]:
    """Folds of some rows, with near equal positives and sizes, and no group on both sides.

    Args:
        y: shape (n,).
        group: shape (n,), as `group_codes` gives it.
        rows: ascending positions to divide.
        folds: how many.
        key: the spec key that asks for so many folds, for the message.
        seed: entropy of the random order.

    Raises:
        DataError: one of the classes lies in fewer groups than there are folds.
    """
    of_row = assign_folds(y[rows], group[rows], folds, key=key, seed=seed)
    return tuple(Fold(train=rows[of_row != fold], valid=rows[of_row == fold]) for fold in range(folds))


def assign_folds(
    y: Labels, group: npt.NDArray[np.intp], folds: int, *, key: str, seed: list[int]
) -> npt.NDArray[np.int32]:
    """Fold of each row, shape (n,). Arguments and errors as in `stratified_folds`."""
    codes = pd.factorize(group)[0]
    size = np.bincount(codes)
    positives = np.bincount(codes, weights=y).astype(np.intp)
    for name, count in (("positive", positives), ("negative", size - positives)):
        _require_groups(name, count, folds, key)
    order = np.random.default_rng(seed).permutation(len(size))
    order = order[np.argsort(-size[order], kind="stable")]
    loads = np.zeros(folds, dtype=np.intp)
    of_group = np.full(len(size), -1, dtype=np.int32)
    rare = order[positives[order] > 0]
    rare = rare[np.argsort(-positives[rare], kind="stable")]
    _deal(rare, positives, size, of_group, loads)
    common = order[positives[order] == 0]
    _deal(common[:_DEALT], np.zeros_like(positives), size, of_group, loads)
    _fill(common[_DEALT:], size, of_group, loads)
    return of_group[codes]


def _require_groups(name: str, count: npt.NDArray[np.intp], folds: int, key: str) -> None:
    holding = int(np.count_nonzero(count))
    if holding < folds:
        raise DataError(
            f"too few {name} rows that are distinct (in row or entity) for that many folds",
            key=key,
            value=f"{folds} folds, {int(count.sum())} {name} rows in {holding} distinct rows or entities",
            allowed=f"at least one distinct {name} row or entity for each fold",
            remedy="gather more rows, or lower the number of folds" if holding >= 2 else "gather more rows",
        )


def _deal(
    order: npt.NDArray[np.intp],
    positives: npt.NDArray[np.intp],
    size: npt.NDArray[np.intp],
    of_group: npt.NDArray[np.int32],
    loads: npt.NDArray[np.intp],
) -> None:
    """Give each group in turn to the fold with the fewest positives, then the fewest rows."""
    heap = [(0, int(load), fold) for fold, load in enumerate(loads)]
    heapq.heapify(heap)
    for group in order:
        held, load, fold = heap[0]
        of_group[group] = fold
        heapq.heapreplace(heap, (held + int(positives[group]), load + int(size[group]), fold))
    for _, load, fold in heap:
        loads[fold] = load


def _fill(
    order: npt.NDArray[np.intp],
    size: npt.NDArray[np.intp],
    of_group: npt.NDArray[np.int32],
    loads: npt.NDArray[np.intp],
) -> None:
    """Give the remaining groups out so that all folds end near the same number of rows."""
    if not len(order):
        return
    sizes = size[order]
    target = (loads.sum() + sizes.sum()) / len(loads)
    wanted = np.cumsum(np.maximum(target - loads, 0.0))
    middle = (np.cumsum(sizes) - sizes / 2) * (wanted[-1] / sizes.sum())
    of_group[order] = np.minimum(np.searchsorted(wanted, middle, side="right"), len(loads) - 1)
