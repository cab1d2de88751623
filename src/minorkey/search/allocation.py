"""Which family, and which resampler, gets the next trial."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from minorkey.search.space import NONE

__all__ = ["Tried", "choose_family", "choose_resampler"]

#: Width of the bonus for what was tried little.
_EXPLORATION = 0.5


@dataclass(frozen=True)
class Tried:
    """A trial that was planned.

    Attributes:
        family: its model family.
        resampler: its resampler.
        value: its value; None unless it is complete.
    """

    family: str
    resampler: str
    value: float | None


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
    resampled = [one for one in tried if one.resampler != NONE]
    best = max(
        (one for one in tried if one.value is not None), key=lambda one: one.value or 0.0, default=None
    )
    won = best is not None and best.resampler != NONE
    allowed = rng.random() < 0.5 if won else len(resampled) + 1 <= share * (len(tried) + 1)
    if not allowed:
        return NONE
    return _best_arm(resamplers, [(one.resampler, one.value) for one in resampled])


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
