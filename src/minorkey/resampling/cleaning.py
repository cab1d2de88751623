"""Resamplers that remove rows which contradict their neighbourhood."""

from typing import Any

from optuna.distributions import BaseDistribution

from minorkey.data.dataset import Labels
from minorkey.models.family import Facts, Matrix
from minorkey.resampling.balance import Categorical, room_to_grow, without_codes

__all__ = ["TomekLinks", "edited_neighbours", "tomek_links"]

#: Most rows for which every row's nearest neighbour is sought: 30,000 rows of 63 columns take seconds.
_MOST_ROWS = 50_000


class TomekLinks:
    """Removes the negatives that are mutual nearest neighbours with a positive.

    Source: Tomek (1976), "Two Modifications of CNN".
    """

    name = "tomek_links"
    deterministic = True

    def applies(self, facts: Facts) -> bool:
        """Unweighted, imbalanced rows with numbers, as many as neighbours can be sought for."""
        return room_to_grow(facts) and facts.numeric > 0 and facts.rows <= _MOST_ROWS

    def space(self, facts: Facts) -> dict[str, BaseDistribution]:
        """Nothing to choose."""
        return {}

    def resample(
        self, x: Matrix, y: Labels, categorical: Categorical, params: dict[str, Any], *, seed: int
    ) -> tuple[Matrix, Labels]:
        """See `Resampler.resample`."""
        return tomek_links(x, y, categorical, both=False)


def tomek_links(x: Matrix, y: Labels, categorical: Categorical, *, both: bool) -> tuple[Matrix, Labels]:
    """The rows without Tomek links.

    Args:
        both: remove both ends of a link; else the negative one.
    """
    from imblearn.under_sampling import TomekLinks as Sampler

    sampler = Sampler(sampling_strategy="all" if both else "majority")
    return _cleaned(sampler, x, y, categorical)


def edited_neighbours(x: Matrix, y: Labels, categorical: Categorical) -> tuple[Matrix, Labels]:
    """The rows that agree with each of their three nearest neighbours.

    Source: Wilson (1972), "Asymptotic Properties of Nearest Neighbor Rules Using Edited Data".
    """
    from imblearn.under_sampling import EditedNearestNeighbours

    sampler = EditedNearestNeighbours(sampling_strategy="all", n_neighbors=min(3, len(y) - 1))
    return _cleaned(sampler, x, y, categorical)


def _cleaned(sampler: Any, x: Matrix, y: Labels, categorical: Categorical) -> tuple[Matrix, Labels]:
    """What the sampler leaves; the rows as they were if it leaves fewer than two of a class."""
    if min(int(y.sum()), int((y == 0).sum())) < 2:
        return x, y
    sampler.fit_resample(without_codes(x, categorical), y)
    rows = sorted(sampler.sample_indices_)
    positives = int(y[rows].sum())
    return (x[rows], y[rows]) if 2 <= positives <= len(rows) - 2 else (x, y)
