"""Resamplers, one file a family. A resampler sees the training rows of one fold and nothing else."""

from minorkey.errors import SpecError
from minorkey.resampling.cleaning import TomekLinks
from minorkey.resampling.combined import SmoteEnn, SmoteTomek
from minorkey.resampling.oversampling import Adasyn, BorderlineSmote, RandomOver, Smote, SmoteNc
from minorkey.resampling.protocol import Resampler
from minorkey.resampling.undersampling import ClusterCentroids, NearMiss, NoResampling, RandomUnder

__all__ = ["RESAMPLERS", "Resampler", "resampler"]

_ALL: tuple[Resampler, ...] = (
    NoResampling(),
    RandomOver(),
    RandomUnder(),
    Smote(),
    SmoteNc(),
    BorderlineSmote(),
    Adasyn(),
    NearMiss(),
    TomekLinks(),
    ClusterCentroids(),
    SmoteTomek(),
    SmoteEnn(),
)

#: Every resampler by name.
RESAMPLERS: dict[str, Resampler] = {one.name: one for one in _ALL}


def resampler(name: str) -> Resampler:
    """The resampler of that name.

    Raises:
        SpecError: there is none.
    """
    if name not in RESAMPLERS:
        raise SpecError(
            "there is no such resampler",
            key="search.resamplers",
            value=name,
            allowed="one of " + ", ".join(RESAMPLERS),
            remedy="correct the name, or leave search.resamplers out for all that fit the data",
        )
    return RESAMPLERS[name]
