"""Jensen-Shannon divergence of one column in the bins of the reference."""

from dataclasses import dataclass

from minorkey.drift.divergences import jensen_shannon
from minorkey.drift.two_sample.binned import Binned, Floats

__all__ = ["JensenShannon"]


@dataclass(frozen=True)
class JensenShannon(Binned):
    """For one column of any kind. The statistic is in bits, 0 to 1."""

    name = "js"

    def divergence(self, reference: Floats, current: Floats) -> Floats:
        """See `Binned.divergence`."""
        n, m = reference.sum(axis=-1, keepdims=True), current.sum(axis=-1, keepdims=True)
        return jensen_shannon(reference / n, current / m)
