"""SMOTE, and then removal of rows that contradict their neighbourhood.

Source: Batista et al. (2004), "A Study of the Behavior of Several Methods for Balancing Machine
Learning Training Data".
"""

from typing import Any

from optuna.distributions import BaseDistribution

from minorkey.data.dataset import Labels
from minorkey.models.family import Facts, Matrix
from minorkey.resampling.balance import Categorical
from minorkey.resampling.cleaning import edited_neighbours, tomek_links
from minorkey.resampling.oversampling import Smote

__all__ = ["SmoteEnn", "SmoteTomek"]

#: Most rows before SMOTE, which may double them: neighbours are sought for every row.
_MOST_ROWS = 20_000


class _AfterSmote:
    """What follows SMOTE has its parameters, and suits the rows that it suits."""

    deterministic = False

    def applies(self, facts: Facts) -> bool:
        """Where SMOTE applies, as many rows as neighbours can be sought for."""
        return Smote().applies(facts) and facts.rows <= _MOST_ROWS

    def space(self, facts: Facts) -> dict[str, BaseDistribution]:
        """``ratio`` and ``k_neighbors`` of SMOTE."""
        return Smote().space(facts)


class SmoteTomek(_AfterSmote):
    """SMOTE, then both ends of every Tomek link are removed."""

    name = "smote_tomek"

    def resample(
        self, x: Matrix, y: Labels, categorical: Categorical, params: dict[str, Any], *, seed: int
    ) -> tuple[Matrix, Labels]:
        """See `Resampler.resample`."""
        return tomek_links(*Smote().resample(x, y, categorical, params, seed=seed), (), both=True)


class SmoteEnn(_AfterSmote):
    """SMOTE, then every row is removed that disagrees with one of its three nearest neighbours."""

    name = "smote_enn"

    def resample(
        self, x: Matrix, y: Labels, categorical: Categorical, params: dict[str, Any], *, seed: int
    ) -> tuple[Matrix, Labels]:
        """See `Resampler.resample`."""
        return edited_neighbours(*Smote().resample(x, y, categorical, params, seed=seed), ())
