"""Ratios and differences of pairs of numeric columns, chosen without the target."""

import re
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

__all__ = ["MOST_PAIRS", "Pair", "choose_pairs"]

#: Most pairs; each gives two columns.
MOST_PAIRS = 30
#: Most columns that are compared: the first ones that vary.
_MOST_COLUMNS = 200
#: Most rows that the rank correlation is computed on.
_MOST_ROWS = 20_000
#: What a shared word in the names, and a shared magnitude, add to the absolute rank correlation.
_SHARED_WORD, _SHARED_MAGNITUDE = 0.5, 0.5
#: A pair that ranks rows alike says nothing new.
_SAME_RANKING = 1 - 1e-6


@dataclass(frozen=True)
class Pair:
    """Two numeric columns, by position, that are subtracted and divided.

    The difference is ``first - second``, the ratio ``first / (|second| + epsilon)``.
    """

    first: int
    second: int
    epsilon: float


def choose_pairs(names: list[str], values: npt.NDArray[np.float32]) -> tuple[Pair, ...]:
    """The pairs that most likely measure the same thing in two ways.

    A pair scores by its absolute Spearman correlation, plus one half if the names share a word, plus
    one half if the medians of the absolute values lie within a factor of ten. Constant and two-valued
    columns take no part. The target is not looked at.

    Args:
        names: names of the columns.
        values: shape (n, columns), imputed and finite.

    Returns:
        At most `MOST_PAIRS` pairs, best first.
    """
    step = max(1, len(values) // _MOST_ROWS)
    sample = values[::step][:_MOST_ROWS].astype(np.float64)
    usable = [column for column in range(sample.shape[1]) if _varied(sample[:, column])][:_MOST_COLUMNS]
    if len(usable) < 2:
        return ()
    sample = sample[:, usable]
    correlation = np.abs(np.corrcoef(np.apply_along_axis(_ranks, 0, sample), rowvar=False))
    magnitude = np.log10(np.median(np.abs(sample), axis=0) + 1e-12)
    words = [_words(names[column]) for column in usable]
    scored = []
    for left, right in combinations(range(len(usable)), 2):
        if correlation[left, right] > _SAME_RANKING:
            continue
        score = correlation[left, right]
        score += _SHARED_WORD * bool(words[left] & words[right])
        score += _SHARED_MAGNITUDE * (abs(magnitude[left] - magnitude[right]) <= 1)
        scored.append((-float(score), left, right))
    return tuple(_oriented(usable, sample, left, right) for _, left, right in sorted(scored)[:MOST_PAIRS])


def _oriented(usable: list[int], sample: npt.NDArray[np.float64], left: int, right: int) -> Pair:
    """The pair with the column that is less often zero as denominator."""
    zeros = (sample[:, [left, right]] == 0).sum(axis=0)
    first, second = (right, left) if zeros[1] > zeros[0] else (left, right)
    sizes = np.abs(sample[:, second])
    epsilon = np.clip(1e-3 * np.median(sizes[sizes > 0]), 1e-30, 1e30)
    return Pair(usable[first], usable[second], float(np.float32(epsilon)))


def _varied(column: npt.NDArray[np.float64]) -> bool:
    return len(np.unique(column[:1_000])) > 2 or len(np.unique(column)) > 2


def _ranks(column: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Ranks of the values; tied values share their mean rank."""
    _, inverse, counts = np.unique(column, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[inverse]


def _words(name: str) -> set[str]:
    return {word for word in re.split(r"[^a-z]+", name.lower()) if len(word) > 2}
