"""Tuning folds in time: forward blocks with the label delay as a gap, or time blocks where it is too long."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from minorkey.data.partitions import Fold
from minorkey.data.timeline import Mask, Timeline
from minorkey.errors import DataError
from minorkey.progress import emit

__all__ = ["are_forward", "block_folds", "forward_folds", "time_partitions"]

#: Share of the positives that are known when the first validation block begins, by partition.
_FIRST_TRAINING = (1 / 3, 1 / 4)
#: Forward blocks must hold at least this share of the positives for validation.
_LEAST_VALIDATED = 0.2


def time_partitions(
    timeline: Timeline, folds: int, *, known_window: float
) -> tuple[tuple[Fold, ...], tuple[Fold, ...]]:
    """The search's partition and the fresh one for training rows in time.

    Args:
        timeline: times of the training rows.
        folds: how many folds are asked for; fewer where the positives do not suffice.
        known_window: positives count as known if they happened at most so many seconds before a
            fold's training ends.

    Raises:
        DataError: no two folds with both classes on both sides can be formed.
    """
    positives = int(timeline.y.sum())
    if positives < folds:
        raise DataError(
            "the training rows hold fewer positives than there are folds",
            key="split.folds",
            value=f"{folds} folds, {positives:,} positives in {len(timeline.y):,} training rows",
            allowed="at least one positive for each fold",
            remedy="lengthen split.train_window, shorten split.label_delay or lower split.folds",
        )
    made = [forward_folds(timeline, folds, first, known_window) for first in _FIRST_TRAINING]
    if not all(made):
        emit(
            "assumed",
            text="tuning folds are blocks of time validated on all the others: the label delay is too long "
            "for forward blocks inside the training window, so no gap is kept between them",
        )
        made = [block_folds(timeline, folds, shift) for shift in (0.0, 0.5)]
    for partition in made:
        if len(partition) < 2:
            raise DataError(
                "the training rows cannot be divided in time with both classes on both sides",
                key="split.folds",
                value=f"{positives:,} positives in {len(timeline.y):,} training rows",
                remedy="lengthen the training window, or set split.kind: hash",
            )
    if any(len(partition) < folds for partition in made):
        emit("warned", text=f"only {min(map(len, made))} of {folds} tuning folds hold both classes")
    return made[0], made[1]


def forward_folds(
    timeline: Timeline, folds: int, first_training: float, known_window: float
) -> tuple[Fold, ...]:
    """Expanding training windows, each validated on the block of time that follows its label gap.

    Block borders are quantiles of the positives' times. A fold trains only on labels that are known
    when its validation block begins.

    Args:
        timeline: times of the training rows.
        folds: how many blocks.
        first_training: share of the positives that are known when the first block begins.
        known_window: as in `time_partitions`.

    Returns:
        The folds, fewer than asked if the blocks lack a class; none if too few positives are left
        to validate on.
    """
    positive = timeline.y == 1
    start = np.quantile(timeline.known_at[positive], first_training)
    validated = np.sort(timeline.event[positive & (timeline.event >= start)])
    if len(validated) < max(2, _LEAST_VALIDATED * positive.sum()):
        return ()
    for blocks in range(min(folds, len(validated)), 1, -1):
        inner = validated[np.arange(1, blocks) * len(validated) // blocks]
        borders = np.unique(np.concatenate([[start], inner]))
        ends = np.append(borders[1:], np.inf)
        made = []
        for begin, end in zip(borders, ends, strict=True):
            train = timeline.trainable(begin)
            valid = (timeline.event >= begin) & (timeline.event < end)
            since = begin - timeline.maturity - known_window
            valid &= ~timeline.already_known(train, begin, since)
            made.append((train, valid))
        if all(_both_classes(timeline, train, valid) for train, valid in made) and len(made) > 1:
            return _as_folds(made)
    return ()


def block_folds(timeline: Timeline, folds: int, shift: float) -> tuple[Fold, ...]:
    """Contiguous blocks of time with equal positives, each validated on all the others.

    Where known entities are excluded from the test, the validation rows of entities with a positive
    among the fold's training rows are left out, so that validation measures the same task.

    Args:
        timeline: times of the training rows.
        folds: how many blocks.
        shift: share of a block by which the borders are moved; the last block then goes on at the
            beginning.
    """
    positives = np.sort(timeline.event[timeline.y == 1])
    rank = np.searchsorted(positives, timeline.event, side="right") - 1
    share = np.clip(rank, 0, len(positives) - 1) / len(positives)
    for blocks in range(folds, 1, -1):
        of_row = np.floor(share * blocks + shift).astype(np.intp) % blocks
        made = []
        for block in range(blocks):
            train, valid = of_row != block, of_row == block
            made.append((train, valid & ~timeline.already_known(train, None)))
        if all(_both_classes(timeline, train, valid) for train, valid in made):
            return _as_folds(made)
    return ()


def are_forward(event: npt.NDArray[np.float64], folds: Sequence[Fold]) -> bool:
    """Whether each fold validates on a block of time after all that it trains on.

    Args:
        event: shape (n,), times of the rows that the folds' positions count in.
        folds: one partition.
    """
    return all(event[fold.train].max() <= event[fold.valid].min() for fold in folds)


def _both_classes(timeline: Timeline, *sides: Mask) -> bool:
    return all(0 < timeline.y[side].sum() < np.count_nonzero(side) for side in sides)


def _as_folds(made: list[tuple[Mask, Mask]]) -> tuple[Fold, ...]:
    return tuple(Fold(np.flatnonzero(train), np.flatnonzero(valid)) for train, valid in made)
