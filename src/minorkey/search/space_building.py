"""The search space that a spec asks for on the data at hand."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from minorkey.data.training_set import TrainingSet
from minorkey.errors import SpecError
from minorkey.models import FAMILIES
from minorkey.models.family import Facts
from minorkey.models.portfolio import portfolio
from minorkey.progress import emit
from minorkey.resampling import RESAMPLERS
from minorkey.search.recency import Recency
from minorkey.search.recency_building import stated_recency
from minorkey.search.space import NONE, Space
from minorkey.spec import SearchSpec
from minorkey.trials.trial import Configuration

__all__ = ["facts_of", "space_of"]

#: Families whose portfolio goes first: quick ones, so that slow ones meet competition on their first
#: rung. Without it the first trials of a study climb every rung unopposed.
_QUICK = ("lightgbm", "xgboost", "spline_logistic", "hist_gradient_boosting", "logistic_regression")


def facts_of(training: TrainingSet, part: str, *, cores: int = 1, faded: bool = False) -> Facts:
    """What a search space may depend on, from the training rows of a part.

    Args:
        training: the training set.
        part: name of the part.
        cores: threads that a fit may use.
        faded: whether every fit weighs rows by their age.
    """
    data, rows = training.dataset, training.part(part).rows
    weight = None if data.weight is None else data.weight[rows]
    return Facts(
        rows=len(rows),
        positives=int(data.y[rows].sum()),
        numeric=len(data.schema.names("numeric")) + len(data.schema.names("datetime")),
        categorical=len(data.schema.names("categorical")),
        weighted=faded or (weight is not None and bool(np.ptp(weight) > 0)),
        cores=cores,
    )


def space_of(
    training: TrainingSet,
    part: str,
    spec: SearchSpec,
    *,
    cores: int = 1,
    enqueue: Sequence[Configuration] = (),
    recency: Recency | None = None,
) -> Space:
    """The space that a spec asks for on these data.

    Args:
        training: the training set.
        part: the part that the study is on.
        spec: the search section.
        cores: threads that a fit may use.
        enqueue: configurations to try before the portfolio.
        recency: training windows and half-lives to choose from; default: what the spec states.

    Raises:
        SpecError: a family or resampler is unknown or does not fit the data.
    """
    recency = recency or stated_recency(training, spec)
    facts = facts_of(training, part, cores=cores, faded=recency.always_fades)
    families = _families(spec, facts)
    space = Space(
        families={name: FAMILIES[name].space(facts) for name in families},
        weighted=frozenset(name for name in families if FAMILIES[name].weights),
        resamplers={name: RESAMPLERS[name].space(facts) for name in _resamplers(spec, facts)},
        interactions=spec.interactions and facts.numeric >= 2,
        recency=recency,
    )
    known = portfolio(facts, families) if spec.portfolio else []
    if spec.trials // len(training.parts) >= len(known):
        known.sort(key=lambda one: one.family not in _QUICK)
        if space.interactions:
            known = _with_interactions(known)
    else:
        # The budget ends within the portfolio: best first, behind one quick entry to compete with.
        quick = next((one for one in known if one.family in _QUICK), None)
        known.sort(key=lambda one: one is not quick)
    start = {one.digest(): one for one in map(recency.placed, [*_usable(enqueue, space), *known])}
    return dataclasses.replace(space, start=tuple(start.values()))


def _with_interactions(known: list[Configuration]) -> list[Configuration]:
    """The same, and behind the quick ones the first of them with interactions: their chance to win early."""
    quick = [one for one in known if one.family in _QUICK]
    tried = [dataclasses.replace(one, interactions=True) for one in quick[:1]]
    return [*quick, *tried, *(one for one in known if one.family not in _QUICK)]


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
        raise SpecError(
            "nothing is left to search",
            key=f"search.{key}",
            value="[]",
            allowed=allowed,
            remedy=f"name one of these, or leave search.{key} out for all of them",
        )
    for name in asked:
        if name not in known:
            raise SpecError(
                "the name is unknown",
                key=f"search.{key}",
                value=name,
                allowed=allowed,
                remedy=f"correct the name, or leave search.{key} out for all that fit the data",
            )
        if name not in fitting:
            raise SpecError(
                "it does not fit these data (row weights, number of rows, kinds of columns)",
                key=f"search.{key}",
                value=name,
                allowed=allowed,
                remedy=f"take {name} out of search.{key}, or leave search.{key} out for all that fit",
            )


def _usable(enqueue: Sequence[Configuration], space: Space) -> list[Configuration]:
    """Those that the space holds; the others are left out aloud."""
    usable = []
    for one in enqueue:
        if one.family not in space.families:
            left_out = f"the family {one.family}"
        elif one.resampler not in (NONE, *space.resamplers):
            left_out = f"the resampler {one.resampler}"
        elif one.interactions and not space.interactions:
            left_out = "interactions"
        else:
            usable.append(one)
            continue
        emit("warned", text=f"a configuration to start from is left out: {left_out} is not searched")
    return usable
