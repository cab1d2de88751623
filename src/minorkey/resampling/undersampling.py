"""Resamplers that keep fewer negatives. Every row that is left is a row of the training fold.

Distances are Euclidean on standardised columns and leave ordinal codes out. imbalanced-learn is
imported by the first call.
"""

from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution

from minorkey.data.dataset import Labels
from minorkey.models.family import Facts, Matrix
from minorkey.resampling.balance import (
    Categorical,
    current_ratio,
    neighbours,
    ratio_space,
    room_to_grow,
    without_codes,
)

__all__ = ["ClusterCentroids", "NearMiss", "NoResampling", "RandomUnder"]

#: Most rows times positives for which every distance between the classes is computed.
_MOST_PAIRS = 300_000_000
#: Most rows and clusters that k-means is run on.
_MOST_CLUSTERED_ROWS, _MOST_CLUSTERS = 20_000, 2_000


class NoResampling:
    """The training rows as they are."""

    name = "none"
    deterministic = True

    def applies(self, facts: Facts) -> bool:
        """Always."""
        return True

    def space(self, facts: Facts) -> dict[str, BaseDistribution]:
        """Nothing to choose."""
        return {}

    def resample(
        self, x: Matrix, y: Labels, categorical: Categorical, params: dict[str, Any], *, seed: int
    ) -> tuple[Matrix, Labels]:
        """See `Resampler.resample`."""
        return x, y


class RandomUnder:
    """Drops negatives at random until there are ``ratio`` positives for each."""

    name = "random_under"
    deterministic = False

    def applies(self, facts: Facts) -> bool:
        """Unweighted, imbalanced rows of any kind."""
        return room_to_grow(facts)

    def space(self, facts: Facts) -> dict[str, BaseDistribution]:
        """``ratio``."""
        return ratio_space(facts)

    def resample(
        self, x: Matrix, y: Labels, categorical: Categorical, params: dict[str, Any], *, seed: int
    ) -> tuple[Matrix, Labels]:
        """See `Resampler.resample`."""
        from imblearn.under_sampling import RandomUnderSampler

        if _nothing_to_remove(y, params["ratio"]):
            return x, y
        sampler = RandomUnderSampler(sampling_strategy=params["ratio"], random_state=seed)
        sampler.fit_resample(np.zeros((len(y), 1), np.float32), y)
        return _kept(x, y, sampler.sample_indices_)


class NearMiss:
    """Keeps the negatives that are nearest to positives: to their nearest ones (1) or farthest ones (2).

    Source: Mani and Zhang (2003), "kNN approach to unbalanced data distributions".
    """

    name = "near_miss"
    deterministic = True

    def applies(self, facts: Facts) -> bool:
        """Unweighted, imbalanced rows with numbers, as many as distances can be computed for."""
        return room_to_grow(facts) and facts.numeric > 0 and facts.rows * facts.positives <= _MOST_PAIRS

    def space(self, facts: Facts) -> dict[str, BaseDistribution]:
        """``ratio`` and ``version``."""
        return {**ratio_space(facts), "version": CategoricalDistribution((1, 2))}

    def resample(
        self, x: Matrix, y: Labels, categorical: Categorical, params: dict[str, Any], *, seed: int
    ) -> tuple[Matrix, Labels]:
        """See `Resampler.resample`."""
        from imblearn.under_sampling import NearMiss as Sampler

        if _nothing_to_remove(y, params["ratio"]):
            return x, y
        sampler = Sampler(
            sampling_strategy=params["ratio"],
            version=params["version"],
            n_neighbors=neighbours(3, int(y.sum())),
        )
        sampler.fit_resample(without_codes(x, categorical), y)
        return _kept(x, y, sampler.sample_indices_)


class ClusterCentroids:
    """Keeps of each cluster of negatives the row nearest to its centre.

    Real rows stand for the centres, so that no value is invented; a row that is nearest to two centres is
    kept once, and the ratio may end a little above what was asked.

    Source: Yen and Lee (2009), "Cluster-based under-sampling approaches".
    """

    name = "cluster_centroids"
    deterministic = False

    def applies(self, facts: Facts) -> bool:
        """Unweighted, imbalanced rows with numbers, as many as k-means can be run on."""
        return (
            room_to_grow(facts)
            and facts.numeric > 0
            and facts.rows <= _MOST_CLUSTERED_ROWS
            and facts.positives <= _MOST_CLUSTERS / 2
        )

    def space(self, facts: Facts) -> dict[str, BaseDistribution]:
        """``ratio``, high enough that the clusters are not too many."""
        return ratio_space(facts, fewest=facts.positives / _MOST_CLUSTERS)

    def resample(
        self, x: Matrix, y: Labels, categorical: Categorical, params: dict[str, Any], *, seed: int
    ) -> tuple[Matrix, Labels]:
        """See `Resampler.resample`."""
        from imblearn.under_sampling import ClusterCentroids as Sampler
        from sklearn.cluster import MiniBatchKMeans
        from sklearn.metrics import pairwise_distances_argmin

        if _nothing_to_remove(y, params["ratio"]):
            return x, y
        space = without_codes(x, categorical)
        sampler = Sampler(
            sampling_strategy=params["ratio"],
            estimator=MiniBatchKMeans(n_init=1, random_state=seed),
            voting="soft",
        )
        centres, labels = sampler.fit_resample(space, y)
        negatives = np.flatnonzero(y == 0)
        nearest = negatives[pairwise_distances_argmin(centres[labels == 0], space[negatives])]
        return _kept(x, y, np.concatenate([np.flatnonzero(y == 1), nearest]))


def _kept(x: Matrix, y: Labels, rows: Any) -> tuple[Matrix, Labels]:
    """The chosen rows in their original order, each once."""
    order = np.unique(rows)
    return x[order], y[order]


def _nothing_to_remove(y: Labels, ratio: float) -> bool:
    """Whether the rows already have the ratio, or one class is absent."""
    positives = int(y.sum())
    return positives in (0, len(y)) or current_ratio(y) >= ratio
