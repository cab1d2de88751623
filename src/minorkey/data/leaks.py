"""Columns, and pairs of columns, that alone rank the rows too well to be true.

Each column is cut into cells (levels; or quantiles of each class), the share of the rarer class in each
cell is learned on one half of the rows, and the other half is ranked by it; then the other way round. A
column with many levels therefore gains nothing from levels it has seen once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from minorkey.data.dataset import Labels

__all__ = ["Suspect", "find_leaks", "held_out_average_precision"]

Codes = npt.NDArray[np.intp]
Numbers = npt.NDArray[np.float64]
Halves = tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]

#: Most rows of the rarer class, and of the other one, that are looked at.
_MOST_ROWS = (20_000, 40_000)
_QUANTILES = 24
_PAIR_QUANTILES = 12
#: Pairs are sought among this many columns, those that rank best alone.
_MOST_PAIRED = 50
#: Differences and ratios are sought among fewer columns, and on fewer rows.
_MOST_COMBINED = 30
_COMBINED_ROWS = (5_000, 10_000)
#: A pair is a suspect only if its better half leaves so many times the error that the limit allows, or
#: reaches less than half of the limit.
_PAIR_ERROR = 3.0
#: With fewer rows of a class, each half has too few to tell a leak from chance.
_FEWEST_OF_A_CLASS = 4


@dataclass(frozen=True)
class Suspect:
    """One column or a pair, and the average precision that it reaches alone."""

    columns: tuple[str, ...]
    average_precision: float


@dataclass(frozen=True)
class _Sample:
    """Rows that stand for all: every row of the rarer class (1) up to a bound, a share of the others."""

    features: pd.DataFrame
    y: Labels
    weight: Numbers
    halves: Halves


def find_leaks(
    features: pd.DataFrame,
    y: Labels,
    *,
    threshold: float,
    seed: int,
    weight: Numbers | None = None,
    pairs: bool = True,
) -> list[Suspect]:
    """The columns, and then the pairs of the other columns, whose average precision is above a threshold.

    It is the average precision of the rarer class, whichever is called positive: by chance it is the share
    of the class, and so at most one half.

    Args:
        features: canonical features, n rows.
        y: shape (n,).
        threshold: average precision above which a column is a suspect.
        seed: seed of the sample and of the halves.
        weight: shape (n,), what each row counts for, 0 or more; None: every row the same.
        pairs: look at pairs too.

    Returns:
        Suspects, best first. A pair ranks by the cells of both, by the difference or by the ratio; it is a
        suspect only if neither half is nearly one itself: two good columns that are better together
        are what a model is for.
    """
    weight = np.ones(len(y)) if weight is None else weight
    if any((weight[y == label] > 0).sum() < _FEWEST_OF_A_CLASS for label in (0, 1)):
        return []
    rarer = y if weight @ y <= weight.sum() / 2 else (1 - y).astype(np.int8)
    sample = _sample(features, rarer, weight, seed, _MOST_ROWS)
    single = {name: _alone(sample, name, _QUANTILES) for name in features.columns}
    suspects = [Suspect((name,), value) for name, value in single.items() if value > threshold]
    suspects.sort(key=lambda suspect: -suspect.average_precision)
    if pairs:
        taken = {suspect.columns[0] for suspect in suspects}
        most = max(1 - _PAIR_ERROR * (1 - threshold), threshold / 2)
        rest = sorted(
            (name for name in single if name not in taken and single[name] <= most),
            key=lambda name: -single[name],
        )
        values = _joint_values(sample, rest[:_MOST_PAIRED])
        fewer = _sample(features, rarer, weight, seed, _COMBINED_ROWS)
        for pair, value in _combined_values(fewer, rest[:_MOST_COMBINED]).items():
            values[pair] = max(values[pair], value)
        found = [Suspect(pair, value) for pair, value in values.items() if value > threshold]
        suspects += sorted(found, key=lambda suspect: -suspect.average_precision)
    return suspects


def held_out_average_precision(codes: Sequence[Codes], y: Labels, weight: Numbers, halves: Halves) -> float:
    """Average precision of ranking one half's cells by the other half's share of positives.

    Args:
        codes: for each half as the one to learn from: shape (n,), the cell of every row.
        y: shape (n,).
        weight: shape (n,).
        halves: two masks of shape (n,).

    Returns:
        The mean over both directions. Rows of one cell are tied; an unseen cell has the base rate.
    """
    values = []
    for cells, learn, judge in zip(codes, halves, reversed(halves), strict=True):
        size = int(cells.max()) + 1
        positive, total = _counts(cells[learn], y[learn], weight[learn], size)
        base = positive.sum() / total.sum()
        rate = (positive + base) / (total + 1.0)
        values.append(_average_precision(rate, *_counts(cells[judge], y[judge], weight[judge], size)))
    return float(np.mean(values))


def _sample(features: pd.DataFrame, y: Labels, weight: Numbers, seed: int, most: tuple[int, int]) -> _Sample:
    """A sample of the rows that weigh anything; the rows that it stands for weigh 1 on average."""
    rng = np.random.default_rng(seed)
    positives, negatives = (rng.permutation(np.flatnonzero((y == label) & (weight > 0))) for label in (1, 0))
    chosen = [positives[: most[0]], negatives[: most[1]]]
    scale = (len(positives) + len(negatives)) / weight.sum()
    weights = [
        weight[part] * scale * (len(whole) / len(part))
        for part, whole in zip(chosen, (positives, negatives), strict=True)
    ]
    rows = np.concatenate(chosen)
    first = np.concatenate([np.arange(len(part)) % 2 == 0 for part in chosen])
    return _Sample(features.iloc[rows], y[rows], np.concatenate(weights), (first, ~first))


def _alone(sample: _Sample, name: str, quantiles: int) -> float:
    return held_out_average_precision(_codes(sample, name, quantiles), sample.y, sample.weight, sample.halves)


def _codes(sample: _Sample, name: str, quantiles: int) -> tuple[Codes, Codes]:
    column = sample.features[name]
    if column.dtype == object:
        codes = pd.factorize(column)[0]
        return codes, codes
    values = column.to_numpy(np.float64)
    return _numeric_codes(sample, values, quantiles)


def _numeric_codes(sample: _Sample, values: Numbers, quantiles: int) -> tuple[Codes, Codes]:
    first, second = (_cells(values, sample.y, half, quantiles) for half in sample.halves)
    return first, second


def _cells(values: Numbers, y: Labels, learn: npt.NDArray[np.bool_], quantiles: int) -> Codes:
    """Cells between the learning half's quantiles in each class; each quantile's value is its own cell."""
    known = learn & ~np.isnan(values)
    distinct = np.unique(values[known])
    if len(distinct) > 2 * quantiles:
        steps = np.linspace(0, 1, quantiles + 1)
        distinct = np.unique(
            np.concatenate(
                [
                    np.quantile(values[known & (y == label)], steps, method="inverted_cdf")
                    for label in (0, 1)
                    if (known & (y == label)).any()
                ]
            )
        )
    edges = np.unique(np.concatenate([np.nextafter(distinct, -np.inf), distinct]))
    cells = np.searchsorted(edges, values, side="left")
    return np.where(np.isnan(values), len(edges) + 1, cells)


def _joint_values(sample: _Sample, names: Sequence[str]) -> dict[tuple[str, str], float]:
    """Average precision of the joint cells of every pair."""
    codes = {name: _codes(sample, name, _PAIR_QUANTILES) for name in names}
    values = {}
    for left, right in _ordered_pairs(sample, names):
        joint = [a * (int(b.max()) + 1) + b for a, b in zip(codes[left], codes[right], strict=True)]
        if max(int(cells.max()) for cells in joint) > 10 * len(sample.y):
            joint = [np.unique(cells, return_inverse=True)[1] for cells in joint]
        values[left, right] = held_out_average_precision(joint, sample.y, sample.weight, sample.halves)
    return values


def _combined_values(sample: _Sample, names: Sequence[str]) -> dict[tuple[str, str], float]:
    """Average precision of the difference or of the ratio of every pair of numbers, the better one."""
    numbers = {
        name: sample.features[name].to_numpy(np.float64)
        for name in names
        if sample.features[name].dtype != object
    }
    values = {}
    for left, right in _ordered_pairs(sample, list(numbers)):
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            combined = (numbers[left] - numbers[right], numbers[left] / numbers[right])
        values[left, right] = max(
            held_out_average_precision(
                _numeric_codes(sample, each, _PAIR_QUANTILES), sample.y, sample.weight, sample.halves
            )
            for each in combined
        )
    return values


def _ordered_pairs(sample: _Sample, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    return combinations((name for name in sample.features.columns if name in set(names)), 2)


def _counts(cells: Codes, y: Labels, weight: Numbers, size: int) -> tuple[Numbers, Numbers]:
    """Weight of the positives and of all rows in every cell, shape (size,) each."""
    positive = np.bincount(cells, weights=weight * y, minlength=size).astype(np.float64)
    return positive, np.bincount(cells, weights=weight, minlength=size).astype(np.float64)


def _average_precision(rate: Numbers, positive: Numbers, total: Numbers) -> float:
    """Average precision when cells are ranked by rate and rows of equal rate are tied."""
    _, rank = np.unique(-rate, return_inverse=True)
    true, all_rows = (np.bincount(rank, weights=values) for values in (positive, total))
    seen = np.cumsum(all_rows)
    precision = np.divide(np.cumsum(true), seen, out=np.zeros_like(seen), where=seen > 0)
    return float((precision * true).sum() / true.sum())
