"""Which family gets the next trial, and whether that trial resamples or adds interactions."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from minorkey.search.space import NONE

__all__ = ["Tried", "choose_family", "choose_interactions", "choose_resampler"]

#: Width of the bonus for what was tried little.
_EXPLORATION = 0.5
#: Most trials with interactions until one wins: they multiply the columns, and so the time of a trial.
_INTERACTIONS_SHARE = 0.1


@dataclass(frozen=True)
class Tried:
    """A trial that was planned.

    Attributes:
        family: its model family.
        resampler: its resampler.
        value: its value; None unless it is complete.
        interactions: whether it adds interactions.
    """

    family: str
    resampler: str
    value: float | None
    interactions: bool = False


def choose_family(families: Sequence[str], tried: Sequence[Tried]) -> str:
    """The family with the best prospects of a new best trial.

    MaxUCB: best value so far, plus ``(a * log(t) / n) ** 2`` after n of t trials. It bets on the best
    value of a family, not on the mean, because only the best trial counts, and its bonus shrinks fast.
    Values are scaled so that 1 is the best family and 0 the median family or worse.

    Args:
        families: names to choose from, the earlier winning ties.
        tried: all planned trials, running ones among them.

    Source: Balef, Vernade and Eggensperger (2025), "Put CASH on Bandits: A Max K-Armed Problem for
    Automated Machine Learning".
    """
    return _best_arm(families, [(one.family, one.value) for one in tried])


def choose_resampler(
    resamplers: Sequence[str], tried: Sequence[Tried], share: float, rng: np.random.Generator
) -> str:
    """None, or one of the resamplers.

    Resampling gets at most its share of the trials until the best trial resamples. From then on it
    gets half of them.

    Args:
        resamplers: names to choose from, without "none".
        tried: all planned trials, running ones among them.
        share: most trials that may resample before one wins.
        rng: decides whether a trial resamples once resampling has won.
    """
    if not resamplers:
        return NONE
    if not _gets_a_trial(tried, lambda one: one.resampler != NONE, share, rng):
        return NONE
    return _best_arm(resamplers, [(one.resampler, one.value) for one in tried])


def choose_interactions(tried: Sequence[Tried], rng: np.random.Generator) -> bool:
    """Whether the next trial adds interactions: at most every tenth until one wins, then every second.

    Args:
        tried: all planned trials, running ones among them.
        rng: decides once interactions have won.
    """
    return _gets_a_trial(tried, lambda one: one.interactions, _INTERACTIONS_SHARE, rng)


def _gets_a_trial(
    tried: Sequence[Tried], has: Callable[[Tried], bool], share: float, rng: np.random.Generator
) -> bool:
    complete = (one for one in tried if one.value is not None)
    best = max(complete, key=lambda one: one.value or 0.0, default=None)
    if best is not None and has(best):
        return bool(rng.random() < 0.5)
    return sum(map(has, tried)) + 1 <= share * (len(tried) + 1)


def _best_arm(arms: Sequence[str], pulls: Iterable[tuple[str, float | None]]) -> str:
    counts = dict.fromkeys(arms, 0)
    best: dict[str, float] = {}
    for arm, value in pulls:
        if arm in counts:
            counts[arm] += 1
            if value is not None:
                best[arm] = max(value, best.get(arm, -math.inf))
    untried = [arm for arm in arms if counts[arm] == 0]
    if untried:
        return untried[0]
    total = sum(counts.values())
    high = max(best.values(), default=1.0)
    low = float(np.median([best.get(arm, 0.0) for arm in arms]))

    def index(arm: str) -> float:
        scaled = (best.get(arm, low) - low) / (high - low) if high > low else 1.0
        return max(0.0, scaled) + (_EXPLORATION * math.log(total) / counts[arm]) ** 2

    return max(arms, key=index)
