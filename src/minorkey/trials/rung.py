"""How far a trial has come: the unit in which it reports."""

from dataclasses import dataclass

__all__ = ["Rung"]


@dataclass(frozen=True)
class Rung:
    """How much of the data a trial sees before it reports.

    Attributes:
        negatives: share of the training negatives that is fitted on. Validation rows are always all scored.
        folds: the first so many folds are fitted and scored.
    """

    negatives: float
    folds: int
