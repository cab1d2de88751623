"""What a study may try: families, resamplers, and the choices that all of them share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution

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
        train_windows: training windows in seconds to choose from; fewer than two: no choice.
        start: configurations to try first, in this order.
    """

    families: Mapping[str, Mapping[str, BaseDistribution]]
    weighted: frozenset[str] = frozenset()
    resamplers: Mapping[str, Mapping[str, BaseDistribution]] = field(default_factory=dict)
    interactions: bool = False
    train_windows: tuple[float, ...] = ()
    start: tuple[Configuration, ...] = ()

    def dimensions(self, family: str, resampler: str) -> dict[str, BaseDistribution]:
        """Parameter name, as the study's journal knows it, to its distribution."""
        found = {f"model.{name}": kind for name, kind in self.families[family].items()}
        found |= {f"{resampler}.{name}": kind for name, kind in self.resamplers.get(resampler, {}).items()}
        if family in self.weighted:
            found["weight_exponent"] = _EXPONENT
        if len(self.train_windows) > 1:
            found["train_window"] = CategoricalDistribution(self.train_windows)
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
            train_window=parameters.get("train_window", self.longest_window()),
        )

    def parameters(self, configuration: Configuration) -> dict[str, Any]:
        """The configuration's parameters as far as they lie in the space."""
        stated = {f"model.{name}": value for name, value in configuration.model.items()}
        stated |= {f"{configuration.resampler}.{name}": v for name, v in configuration.resampling.items()}
        stated |= {
            "weight_exponent": configuration.weight_exponent,
            "train_window": configuration.train_window,
        }
        dimensions = self.dimensions(configuration.family, configuration.resampler)
        return {name: stated[name] for name, kind in dimensions.items() if _holds(kind, stated.get(name))}

    def longest_window(self) -> float | None:
        """The training window of a configuration that states none."""
        return max(self.train_windows) if len(self.train_windows) > 1 else None


def _holds(kind: BaseDistribution, value: Any) -> bool:
    try:
        return bool(kind._contains(kind.to_internal_repr(value)))
    except (ValueError, TypeError):
        return False
