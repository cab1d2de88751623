"""One-hot blocks as columns of codes, and back.

Resamplers see categories as codes, whatever a family wants to see: between one and another level there is
nothing to interpolate, and a synthetic row has one level of each category.
"""

from collections.abc import Sequence

import numpy as np

from minorkey.models.family import Matrix

__all__ = ["blocks_from_codes", "codes_from_blocks"]


def codes_from_blocks(matrix: Matrix, levels: Sequence[int]) -> tuple[Matrix, tuple[tuple[int, int], ...]]:
    """The matrix with a column of codes in place of each block.

    Args:
        matrix: shape (n, p + sum(levels)); the blocks are its last columns.
        levels: number of columns of each block.

    Returns:
        Shape (n, p + len(levels)), and (column, levels) of each column of codes.
    """
    first = matrix.shape[1] - sum(levels)
    columns = [matrix[:, :first]]
    for start, count in zip(_starts(first, levels), levels, strict=True):
        columns.append(matrix[:, start : start + count].argmax(axis=1)[:, None].astype(np.float32))
    return np.hstack(columns), tuple((first + place, count) for place, count in enumerate(levels))


def blocks_from_codes(matrix: Matrix, levels: Sequence[int]) -> Matrix:
    """What `codes_from_blocks` made, with blocks again.

    Args:
        matrix: shape (n, p + len(levels)); the codes are its last columns.
        levels: number of columns of each block.
    """
    first = matrix.shape[1] - len(levels)
    made = np.zeros((len(matrix), first + sum(levels)), np.float32)
    made[:, :first] = matrix[:, :first]
    for place, start in enumerate(_starts(first, levels)):
        made[np.arange(len(matrix)), start + matrix[:, first + place].astype(np.intp)] = 1
    return made


def _starts(first: int, levels: Sequence[int]) -> list[int]:
    return [first + sum(levels[:place]) for place in range(len(levels))]
