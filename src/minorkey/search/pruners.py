"""When a trial is not worth finishing. The driver decides; the trial only reports and asks."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from minorkey.errors import SpecError
from minorkey.trials.rung import Rung

__all__ = ["PRUNERS", "History", "Pruner", "pruner"]


@dataclass
class History:
    """What trials have reported.

    Attributes:
        values: rung, then trial number, to the value reported there.
        folds: trial number to the scores of its folds at full training size, as far as it came.
        best: number of the best complete trial, None before there is one.
    """

    values: dict[int, dict[int, float]] = field(default_factory=dict)
    folds: dict[int, tuple[float, ...]] = field(default_factory=dict)
    best: int | None = None

    def record(self, trial: int, step: int, value: float, folds: Sequence[float]) -> None:
        """Take what a trial has reported at a rung."""
        self.values.setdefault(step, {})[trial] = value
        self.folds[trial] = tuple(folds)


class Pruner(Protocol):
    """Plans the rungs of every trial and judges what is reported on them."""

    def rungs(self, screening: int, folds: int, rows: int) -> tuple[Rung, ...]:
        """The rungs of a trial.

        Args:
            screening: folds that together hold enough positives for a first look.
            folds: all folds.
            rows: training rows of a fold.
        """
        ...

    def prunes(self, trial: int, step: int, last: int, history: History) -> bool:
        """Whether a trial that has just reported rung `step` (of 0 to `last`) ends there."""
        ...


class Halving:
    """Asynchronous successive halving over training rows, then over folds.

    A trial goes on if it is among the best `keep` of all that have reported the rung so far. The
    leader of a rung always goes on, so a study has a complete trial as soon as one trial ends. The
    published rate of 1/3 a rung would let almost nothing through five rungs; 2/3 a rung brings about
    a quarter of a study to the end, which is what the selection on fresh folds needs.

    Source: Li et al. (2020), "A System for Massively Parallel Hyperparameter Tuning".
    """

    #: Shares of the negatives on the screening folds.
    shares = (1 / 9, 1 / 3, 1.0)
    #: A rung on fewer rows than this says too little to be worth its time.
    least_rows = 1_500
    keep = 2 / 3

    def rungs(self, screening: int, folds: int, rows: int) -> tuple[Rung, ...]:
        """A ninth, a third and all of the negatives on the screening folds, then 3 folds, then all."""
        shares = [share for share in self.shares if share == 1.0 or share * rows >= self.least_rows]
        counts = sorted({count for count in (3, folds) if screening < count <= folds})
        return tuple(Rung(share, screening) for share in shares) + tuple(Rung(1.0, n) for n in counts)

    def prunes(self, trial: int, step: int, last: int, history: History) -> bool:
        """Whether the trial is outside the best `keep` of its rung."""
        values = history.values[step]
        better = sum(value > values[trial] for number, value in values.items() if number != trial)
        return better >= max(1, math.ceil(self.keep * len(values)))


class Wilcoxon:
    """Ends a trial whose folds are worse than the best trial's by a signed-rank test.

    With p = 0.2 the earliest decision is after three folds, all of them worse.

    Source: Wilcoxon (1945), "Individual Comparisons by Ranking Methods".
    """

    threshold = 0.2

    def rungs(self, screening: int, folds: int, rows: int) -> tuple[Rung, ...]:
        """One fold after the other, each on all rows."""
        return tuple(Rung(1.0, count) for count in range(1, folds + 1))

    def prunes(self, trial: int, step: int, last: int, history: History) -> bool:
        """Whether the trial's folds are worse than the same folds of the best trial."""
        if history.best is None or history.best == trial:
            return False
        pairs = zip(history.folds[trial], history.folds[history.best], strict=False)
        differences = [ours - best for ours, best in pairs]
        if len(differences) < 2 or not any(differences):
            return False
        from scipy.stats import wilcoxon

        return bool(wilcoxon(differences, alternative="less", method="exact").pvalue < self.threshold)


class Median:
    """Ends a trial that is below the median of its rung, once five trials have reported it.

    Source: Golovin et al. (2017), "Google Vizier: A Service for Black-Box Optimization".
    """

    least_trials = 5

    def rungs(self, screening: int, folds: int, rows: int) -> tuple[Rung, ...]:
        """The screening folds, then one fold after the other, each on all rows."""
        return tuple(Rung(1.0, count) for count in range(screening, folds + 1))

    def prunes(self, trial: int, step: int, last: int, history: History) -> bool:
        """Whether the trial is below the median of the others that came here."""
        others = sorted(value for number, value in history.values[step].items() if number != trial)
        if len(others) < self.least_trials:
            return False
        middle = (others[(len(others) - 1) // 2] + others[len(others) // 2]) / 2
        return history.values[step][trial] < middle


class Never:
    """Every trial is scored on all folds."""

    def rungs(self, screening: int, folds: int, rows: int) -> tuple[Rung, ...]:
        """All folds at once."""
        return (Rung(1.0, folds),)

    def prunes(self, trial: int, step: int, last: int, history: History) -> bool:
        """Never."""
        return False


PRUNERS: Mapping[str, Pruner] = {
    "halving": Halving(),
    "wilcoxon": Wilcoxon(),
    "median": Median(),
    "none": Never(),
}


def pruner(name: str) -> Pruner:
    """The pruner of that name.

    Raises:
        SpecError: the name is unknown.
    """
    if name not in PRUNERS:
        raise SpecError(
            "the pruner is unknown",
            key="search.pruner",
            value=name,
            allowed=", ".join(PRUNERS),
            remedy="choose one of these, or leave search.pruner out",
        )
    return PRUNERS[name]
