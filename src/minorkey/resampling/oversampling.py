"""Resamplers that add positives: copies, or interpolations between neighbouring positives.

Neighbours are sought on standardised columns. One-hot columns are interpolated like any other, so a
synthetic row may be part of two levels: the linear and neural families that see one-hot columns read
that as a mixture. Ordinal codes are never interpolated: only SMOTE-NC takes them.

imbalanced-learn takes seconds to import and is imported by the first call.
"""

from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution

from minorkey.data.dataset import Labels
from minorkey.models.family import Facts, Matrix
from minorkey.resampling.balance import (
    Categorical,
    Standardised,
    neighbour_space,
    neighbours,
    ratio_space,
    refuse_codes,
    room_to_grow,
    with_synthetic,
)

__all__ = ["Adasyn", "BorderlineSmote", "RandomOver", "Smote", "SmoteNc"]

#: Most rows times positives for which the neighbours of every positive among all rows are sought.
_MOST_PAIRS = 300_000_000


class RandomOver:
    """Copies positives at random until there are ``ratio`` for each negative."""

    name = "random_over"
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
        from imblearn.over_sampling import RandomOverSampler

        if _nothing_to_add(y, params["ratio"], fewest=1):
            return x, y
        sampler = RandomOverSampler(sampling_strategy=params["ratio"], random_state=seed)
        sampler.fit_resample(np.zeros((len(y), 1), np.float32), y)
        return x[sampler.sample_indices_], y[sampler.sample_indices_]


class Smote:
    """Interpolates between each positive and its neighbouring positives.

    Source: Chawla et al. (2002), "SMOTE: Synthetic Minority Over-sampling Technique".
    """

    name = "smote"
    deterministic = False

    def applies(self, facts: Facts) -> bool:
        """Unweighted, imbalanced rows without categories."""
        return room_to_grow(facts) and facts.categorical == 0

    def space(self, facts: Facts) -> dict[str, BaseDistribution]:
        """``ratio`` and ``k_neighbors``."""
        return ratio_space(facts) | neighbour_space(facts)

    def resample(
        self, x: Matrix, y: Labels, categorical: Categorical, params: dict[str, Any], *, seed: int
    ) -> tuple[Matrix, Labels]:
        """See `Resampler.resample`. With a single positive there is no neighbour: nothing changes."""
        from imblearn.over_sampling import SMOTE

        refuse_codes(self.name, categorical)
        if _nothing_to_add(y, params["ratio"], fewest=2):
            return x, y
        space = Standardised(x)
        sampler = SMOTE(
            sampling_strategy=params["ratio"],
            k_neighbors=neighbours(params["k_neighbors"], int(y.sum()) - 1),
            random_state=seed,
        )
        return with_synthetic(x, y, space, *sampler.fit_resample(space.values, y))


class SmoteNc:
    """SMOTE for numbers and categories: a synthetic row takes its neighbours' most frequent code.

    Source: Chawla et al. (2002), section 6.1.
    """

    name = "smote_nc"
    deterministic = False

    def applies(self, facts: Facts) -> bool:
        """Unweighted, imbalanced rows with both numbers and categories."""
        return room_to_grow(facts) and facts.categorical > 0 and facts.numeric > 0

    def space(self, facts: Facts) -> dict[str, BaseDistribution]:
        """``ratio`` and ``k_neighbors``."""
        return ratio_space(facts) | neighbour_space(facts)

    def resample(
        self, x: Matrix, y: Labels, categorical: Categorical, params: dict[str, Any], *, seed: int
    ) -> tuple[Matrix, Labels]:
        """See `Resampler.resample`. Without ordinal-coded columns it is SMOTE."""
        from imblearn.over_sampling import SMOTENC

        if not categorical:
            return Smote().resample(x, y, (), params, seed=seed)
        if _nothing_to_add(y, params["ratio"], fewest=2):
            return x, y
        codes = [column for column, _ in categorical]
        numeric = np.setdiff1d(np.arange(x.shape[1]), codes)
        space = Standardised(x[:, numeric])
        mixed = x.astype(np.float64)
        mixed[:, numeric] = space.values
        sampler = SMOTENC(
            categorical_features=codes,
            sampling_strategy=params["ratio"],
            k_neighbors=neighbours(params["k_neighbors"], int(y.sum()) - 1),
            random_state=seed,
        )
        resampled, labels = sampler.fit_resample(mixed, y)
        synthetic = resampled[len(x) :].astype(np.float32)
        synthetic[:, numeric] = space.restore(resampled[len(x) :, numeric])
        return np.vstack([x, synthetic]), np.concatenate([y, labels[len(y) :].astype(y.dtype)])


class _AmongAllRows:
    """Interpolation from positives chosen by the negatives around them: neighbours among all rows."""

    deterministic = False

    def applies(self, facts: Facts) -> bool:
        """Unweighted, imbalanced rows without categories, as many as neighbours can be sought for."""
        return room_to_grow(facts) and facts.categorical == 0 and facts.rows * facts.positives <= _MOST_PAIRS

    def space(self, facts: Facts) -> dict[str, BaseDistribution]:
        """``ratio`` and ``k_neighbors``."""
        return ratio_space(facts) | neighbour_space(facts)


class BorderlineSmote(_AmongAllRows):
    """SMOTE from the positives that negatives outnumber in their neighbourhood.

    Source: Han et al. (2005), "Borderline-SMOTE".
    """

    name = "borderline_smote"

    def resample(
        self, x: Matrix, y: Labels, categorical: Categorical, params: dict[str, Any], *, seed: int
    ) -> tuple[Matrix, Labels]:
        """See `Resampler.resample`. If no positive is at the border, nothing changes."""
        from imblearn.over_sampling import BorderlineSMOTE

        refuse_codes(self.name, categorical)
        if _nothing_to_add(y, params["ratio"], fewest=2):
            return x, y
        space = Standardised(x)
        sampler = BorderlineSMOTE(
            sampling_strategy=params["ratio"],
            k_neighbors=neighbours(params["k_neighbors"], int(y.sum()) - 1),
            m_neighbors=neighbours(10, len(y) - 1),
            random_state=seed,
        )
        return with_synthetic(x, y, space, *sampler.fit_resample(space.values, y))


class Adasyn(_AmongAllRows):
    """Interpolates more from positives that have more negatives among their neighbours.

    The number of rows added is near what ``ratio`` asks, not exact.

    Source: He et al. (2008), "ADASYN: Adaptive Synthetic Sampling Approach".
    """

    name = "adasyn"

    def resample(
        self, x: Matrix, y: Labels, categorical: Categorical, params: dict[str, Any], *, seed: int
    ) -> tuple[Matrix, Labels]:
        """See `Resampler.resample`. If no positive has a negative neighbour, nothing changes."""
        from imblearn.over_sampling import ADASYN

        refuse_codes(self.name, categorical)
        if _nothing_to_add(y, params["ratio"], fewest=2):
            return x, y
        space = Standardised(x)
        sampler = ADASYN(
            sampling_strategy=params["ratio"],
            n_neighbors=neighbours(params["k_neighbors"], int(y.sum()) - 1),
            random_state=seed,
        )
        try:
            resampled = sampler.fit_resample(space.values, y)
        except (RuntimeError, ValueError) as error:
            if "neigbours belong to the majority" in str(error) or "No samples will be generated" in str(
                error
            ):
                return x, y
            raise
        return with_synthetic(x, y, space, *resampled)


def _nothing_to_add(y: Labels, ratio: float, *, fewest: int) -> bool:
    """Whether the rows already have the ratio, or too few positives to add from."""
    positives = int(y.sum())
    return positives < fewest or int(ratio * (len(y) - positives)) <= positives
