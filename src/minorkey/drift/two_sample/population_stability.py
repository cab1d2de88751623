"""Population stability index of one column in the bins of the reference, counts smoothed by 0.5."""

from dataclasses import dataclass

from minorkey.drift.divergences import population_stability_index, smoothed
from minorkey.drift.two_sample.binned import Binned, Floats

__all__ = ["PopulationStability"]


@dataclass(frozen=True)
class PopulationStability(Binned):
    """For one column of any kind. The statistic is the index, 0 and more.

    Its customary limits of 0.1 and 0.25 mean nothing for a few hundred rows: see `null_quantile`.
    """

    name = "psi"

    def divergence(self, reference: Floats, current: Floats) -> Floats:
        """See `Binned.divergence`."""
        return population_stability_index(smoothed(reference), smoothed(current))
