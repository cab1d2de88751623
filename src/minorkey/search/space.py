"""What a study may try: families, resamplers, and the choices that all of them share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution

from minorkey.search.recency import Recency
from minorkey.trials.trial import Configuration

__all__ = ["NONE", "Space"]

#: The resampler that leaves the rows as they are.
NONE = "none"

_EXPONENT = FloatDistribution(0.0, 1.0)


@dataclass(frozen=True)
class Space:
    """What a study may try.

    Attributes:
        families: name to the distributions of the family's hyperparameters.
        weighted: families that honour row weights, and so get a weight exponent.
        resamplers: name to the distributions of the resampler's parameters, without "none".
        interactions: whether ratios and differences of columns may be tried.
        recency: training windows and half-lives to choose from.
        start: configurations to try first, in this order.
    """

    families: Mapping[str, Mapping[str, BaseDistribution]]
    weighted: frozenset[str] = frozenset()
    resamplers: Mapping[str, Mapping[str, BaseDistribution]] = field(default_factory=dict)
    interactions: bool = False
    recency: Recency = field(default_factory=Recency)
    start: tuple[Configuration, ...] = ()

    def dimensions(self, family: str, resampler: str) -> dict[str, BaseDistribution]:
        """Parameter name, as the study's journal knows it, to its distribution."""
        found = {f"model.{name}": kind for name, kind in self.families[family].items()}
        found |= {f"{resampler}.{name}": kind for name, kind in self.resamplers.get(resampler, {}).items()}
        if family in self.weighted:
            found["weight_exponent"] = _EXPONENT
        if len(self.recency.train_windows) > 1:
            found["train_window"] = CategoricalDistribution(self.recency.train_windows)
        if len(self.recency.half_lives) > 1 and family in self.weighted and resampler == NONE:
            found["recency_half_life"] = CategoricalDistribution(self.recency.half_lives)
        return found

    def configuration(
        self, family: str, resampler: str, interactions: bool, parameters: Mapping[str, Any]
    ) -> Configuration:
        """The configuration that these choices and parameters describe."""

        def below(prefix: str) -> dict[str, Any]:
            start = f"{prefix}."
            return {key.removeprefix(start): v for key, v in parameters.items() if key.startswith(start)}

        return Configuration(
            family=family,
            model=below("model"),
            resampler=resampler,
            resampling=below(resampler),
            weight_exponent=parameters.get("weight_exponent", 0.0),
            interactions=interactions,
            train_window=parameters.get("train_window", self.recency.longest_window()),
            recency_half_life=parameters.get("recency_half_life", self.recency.longest_half_life(resampler)),
        )

    def parameters(self, configuration: Configuration) -> dict[str, Any]:
        """The configuration's parameters as far as they lie in the space."""
        stated = {f"model.{name}": value for name, value in configuration.model.items()}
        stated |= {f"{configuration.resampler}.{name}": v for name, v in configuration.resampling.items()}
        stated |= {
            "weight_exponent": configuration.weight_exponent,
            "train_window": configuration.train_window,
            "recency_half_life": configuration.recency_half_life,
        }
        dimensions = self.dimensions(configuration.family, configuration.resampler)
        return {name: stated[name] for name, kind in dimensions.items() if _holds(kind, stated.get(name))}


def _holds(kind: BaseDistribution, value: Any) -> bool:
    try:
        return bool(kind._contains(kind.to_internal_repr(value)))
    except (ValueError, TypeError):
        return False
