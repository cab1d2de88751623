"""Bootstrap replicates as weights: how often each row was drawn, times its own weight."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from minorkey.evaluation.ranking import Floats

__all__ = ["Rankable", "paired_average_precision", "replicate_weights", "row_weights", "units"]

#: Most values of one chunk of replicates: 32 MiB of float64.
_CHUNK = 4_000_000


class Rankable(Protocol):
    """Rows in an order (or in one order a fold) that have an average precision."""

    def average_precision(self, weights: Floats) -> Floats:
        """Average precision of each weighting: shape (replicates, n) to shape (replicates,)."""
        ...


def row_weights(n: int, weight: npt.ArrayLike | None) -> Floats:
    """The rows' own weights as float64, ones if there are none."""
    return np.ones(n) if weight is None else np.asarray(weight, np.float64)


def units(n: int, entity: npt.ArrayLike | None) -> tuple[npt.NDArray[np.intp], int]:
    """Which sampling unit each row belongs to, and how many units there are.

    Args:
        n: number of rows.
        entity: shape (n,), the coarsest thing that rows belong to; None: each row is its own.
    """
    if entity is None:
        return np.arange(n), n
    names, codes = np.unique(np.asarray(entity), return_inverse=True)
    return codes, len(names)


def replicate_weights(
    n: int,
    replicates: int,
    *,
    weight: npt.ArrayLike | None,
    entity: npt.ArrayLike | None,
    seed: int,
) -> Iterator[Floats]:
    """Draw units with replacement, unstratified, and yield the rows' weights chunk by chunk.

    Unstratified, because the share of positives in a test is random too.

    Args:
        n: number of rows.
        replicates: how many in all.
        weight: shape (n,), the rows' own weights.
        entity: shape (n,), what is drawn as a whole; None: rows.
        seed: seed of the draws; the same seed gives the same draws, so comparisons are paired.

    Yields:
        Arrays of shape (some replicates, n), `replicates` rows in all.
    """
    if n == 0:
        yield np.empty((replicates, 0))
        return
    codes, count = units(n, entity)
    own = row_weights(n, weight)
    generator = np.random.default_rng(seed)
    chunk = max(1, _CHUNK // max(n, 1))
    for start in range(0, replicates, chunk):
        size = min(chunk, replicates - start)
        drawn = generator.integers(0, count, size=(size, count))
        drawn += count * np.arange(size)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=size * count).reshape(size, count)
        rows = counts if entity is None else counts[:, codes]
        yield rows.astype(np.float64) if weight is None else rows * own


def paired_average_precision(
    rankings: Sequence[Rankable],
    n: int,
    replicates: int,
    *,
    weight: npt.ArrayLike | None,
    entity: npt.ArrayLike | None,
    seed: int,
) -> Floats:
    """Average precision of several rankings of the same rows on the same draws.

    Returns:
        Shape (rankings, replicates); NaN where no positive was drawn.
    """
    drawn = [
        [ranking.average_precision(part) for ranking in rankings]
        for part in replicate_weights(n, replicates, weight=weight, entity=entity, seed=seed)
    ]
    return np.concatenate(drawn, axis=1)
