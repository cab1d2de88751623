"""What a retune tries first: the configuration that serves, and the best that was found beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from minorkey.bundle.bundle import BundleInfo
from minorkey.data.training_set import TrainingSet
from minorkey.search.recency import Recency
from minorkey.search.recency_building import recency_of_retune
from minorkey.search.space import NONE
from minorkey.spec import SearchSpec
from minorkey.trials.trial import Configuration

__all__ = ["WarmStart", "configurations_to_start_from", "members_of", "only_refit", "runners_up"]

#: Key of the lineage that holds the runners-up.
_KEY = "runners_up"
_MOST = 5


@dataclass(frozen=True)
class WarmStart:
    """What a study begins with.

    Attributes:
        configurations: tried first, in this order.
        recency: training windows and half-lives to choose from.
    """

    configurations: tuple[Configuration, ...]
    recency: Recency

    @classmethod
    def of(cls, base: BundleInfo, training: TrainingSet, spec: SearchSpec) -> Self:
        """What a retune begins with: a refit with the members alone, a search with the runners-up too.

        Each comes with the training window and half-life that it had, where this run offers them.

        Args:
            base: the version that the retune starts from.
            training: the rows of the retune.
            spec: the search section.

        Raises:
            SpecError: half-lives for rows that are not split by time.
        """
        known = members_of(base) if spec.refit else configurations_to_start_from(base)
        # Only the part that ships is searched in time: there is no other one where rows are split by time.
        recency = recency_of_retune(training, "final", spec, known, base.membership.get("train_end"))
        placed = {one.digest(): one for one in map(recency.placed, known)}
        return cls(tuple(placed.values()), recency)


def runners_up(best: Sequence[Configuration]) -> dict[str, Any]:
    """What a bundle's lineage tells later runs: the finalists of its study, best first.

    Args:
        best: the finalists, best first.
    """
    return {_KEY: [configuration.to_json() for configuration in best[:_MOST]]}


def configurations_to_start_from(base: BundleInfo) -> list[Configuration]:
    """The members of a bundle, heaviest first, then the finalists of its study, each once."""
    return _distinct([*_heaviest_first(base), *base.lineage.get(_KEY, [])])


def members_of(base: BundleInfo) -> list[Configuration]:
    """The members of a bundle alone, heaviest first, each once."""
    return _distinct(_heaviest_first(base))


def only_refit(spec: SearchSpec, members: Sequence[Configuration]) -> SearchSpec:
    """The search section with which the members are fitted anew and nothing else is tried.

    Their weights in the mixture are chosen anew, from fresh folds as always: weights of the old rows would
    tell of the old concept.

    Args:
        spec: the search section.
        members: what is fitted.
    """
    families = tuple(dict.fromkeys(member.family for member in members))
    resamplers = tuple(dict.fromkeys((NONE, *(member.resampler for member in members))))
    changed = {
        "trials": len(members),
        "finalists": len(members),
        "families": families,
        "resamplers": resamplers,
        "interactions": any(member.interactions for member in members),
        "portfolio": False,
        "pruner": "none",
    }
    return spec.model_copy(update=changed)


def _heaviest_first(base: BundleInfo) -> list[dict[str, Any]]:
    return sorted(base.configuration, key=lambda member: -member["weight"])


def _distinct(told: Sequence[dict[str, Any]]) -> list[Configuration]:
    found = [
        Configuration.from_json({name: value for name, value in one.items() if name != "weight"})
        for one in told
    ]
    return list({configuration.digest(): configuration for configuration in found}.values())
