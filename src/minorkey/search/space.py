"""The search space of a study: families, resamplers, and the choices that all of them share."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution

from minorkey.data.training_set import TrainingSet
from minorkey.errors import SpecError
from minorkey.models import FAMILIES
from minorkey.models.family import Facts
from minorkey.models.portfolio import portfolio
from minorkey.progress import emit
from minorkey.resampling import RESAMPLERS
from minorkey.spec import SearchSpec
from minorkey.trials.trial import Configuration

__all__ = ["NONE", "Space", "facts_of", "space_of"]

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
        if self.interactions:
            found["interactions"] = CategoricalDistribution((False, True))
        if len(self.train_windows) > 1:
            found["train_window"] = CategoricalDistribution(self.train_windows)
        return found

    def configuration(self, family: str, resampler: str, parameters: Mapping[str, Any]) -> Configuration:
        """The configuration that these parameters describe."""

        def below(prefix: str) -> dict[str, Any]:
            start = f"{prefix}."
            return {key.removeprefix(start): v for key, v in parameters.items() if key.startswith(start)}

        return Configuration(
            family=family,
            model=below("model"),
            resampler=resampler,
            resampling=below(resampler),
            weight_exponent=parameters.get("weight_exponent", 0.0),
            interactions=parameters.get("interactions", False),
            train_window=parameters.get("train_window", self.longest_window()),
        )

    def parameters(self, configuration: Configuration) -> dict[str, Any]:
        """The configuration's parameters as far as they lie in the space."""
        stated = {f"model.{name}": value for name, value in configuration.model.items()}
        stated |= {f"{configuration.resampler}.{name}": v for name, v in configuration.resampling.items()}
        stated |= {
            "weight_exponent": configuration.weight_exponent,
            "interactions": configuration.interactions,
            "train_window": configuration.train_window,
        }
        dimensions = self.dimensions(configuration.family, configuration.resampler)
        return {name: stated[name] for name, kind in dimensions.items() if _holds(kind, stated.get(name))}

    def longest_window(self) -> float | None:
        """The training window of a configuration that states none."""
        return max(self.train_windows) if len(self.train_windows) > 1 else None


def facts_of(training: TrainingSet, part: str, *, cores: int = 1) -> Facts:
    """What a search space may depend on, from the training rows of a part."""
    data, rows = training.dataset, training.part(part).rows
    weight = None if data.weight is None else data.weight[rows]
    return Facts(
        rows=len(rows),
        positives=int(data.y[rows].sum()),
        numeric=len(data.schema.names("numeric")) + len(data.schema.names("datetime")),
        categorical=len(data.schema.names("categorical")),
        weighted=weight is not None and bool(np.ptp(weight) > 0),
        cores=cores,
    )


def space_of(
    training: TrainingSet,
    part: str,
    spec: SearchSpec,
    *,
    cores: int = 1,
    enqueue: Sequence[Configuration] = (),
) -> Space:
    """The space that a spec asks for on these data.

    Args:
        training: the training set.
        part: the part that the study is on.
        spec: the search section.
        cores: threads that a fit may use.
        enqueue: configurations to try before the portfolio.

    Raises:
        SpecError: a family or resampler is unknown or does not fit the data.
    """
    facts = facts_of(training, part, cores=cores)
    families = _families(spec, facts)
    windows = tuple(float(window) for window in training.membership.get("train_windows") or ())
    space = Space(
        families={name: FAMILIES[name].space(facts) for name in families},
        weighted=frozenset(name for name in families if FAMILIES[name].weights),
        resamplers={name: RESAMPLERS[name].space(facts) for name in _resamplers(spec, facts)},
        interactions=spec.interactions and facts.numeric >= 2,
        train_windows=windows,
    )
    known = portfolio(facts, families) if spec.portfolio else []
    if space.longest_window() is not None:
        known = [dataclasses.replace(one, train_window=space.longest_window()) for one in known]
    start = {one.digest(): one for one in [*_usable(enqueue, families), *known]}
    return dataclasses.replace(space, start=tuple(start.values()))


def _families(spec: SearchSpec, facts: Facts) -> list[str]:
    fitting = [name for name, family in FAMILIES.items() if family.weights or not facts.weighted]
    if spec.families is None:
        return fitting
    _check("families", spec.families, list(FAMILIES), fitting)
    return list(dict.fromkeys(spec.families))


def _resamplers(spec: SearchSpec, facts: Facts) -> list[str]:
    fitting = [name for name, one in RESAMPLERS.items() if name == NONE or one.applies(facts)]
    asked = spec.resamplers
    if asked is None:
        asked = tuple(fitting) if spec.resampling_share > 0 else ()
    _check("resamplers", asked, [NONE, *RESAMPLERS], [NONE, *fitting], may_be_empty=True)
    return [name for name in dict.fromkeys(asked) if name != NONE]


def _check(
    key: str, asked: Sequence[str], known: list[str], fitting: list[str], *, may_be_empty: bool = False
) -> None:
    allowed = ", ".join(dict.fromkeys(fitting))
    if not asked and not may_be_empty:
        raise SpecError("nothing is left to search", key=f"search.{key}", value="[]", allowed=allowed)
    for name in asked:
        if name not in known:
            raise SpecError("the name is unknown", key=f"search.{key}", value=name, allowed=allowed)
        if name not in fitting:
            raise SpecError(
                "it does not fit these data (row weights, number of rows, kinds of columns)",
                key=f"search.{key}",
                value=name,
                allowed=allowed,
            )


def _usable(enqueue: Sequence[Configuration], families: Sequence[str]) -> list[Configuration]:
    usable = [one for one in enqueue if one.family in families]
    for one in enqueue:
        if one.family not in families:
            emit("warned", text=f"a configuration to start from is left out: {one.family} is not searched")
    return usable


def _holds(kind: BaseDistribution, value: Any) -> bool:
    try:
        return bool(kind._contains(kind.to_internal_repr(value)))
    except (ValueError, TypeError):
        return False
