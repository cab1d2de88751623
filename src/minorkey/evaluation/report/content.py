"""What the report and the model card are made of."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from minorkey.data.dataset import Dataset, Labels, Scores
from minorkey.evaluation.scoring import Scored

__all__ = ["Content"]


@dataclass(frozen=True)
class Content:
    """Everything a page shows; nothing is computed from elsewhere.

    Under repeated cross-validation the test rows come once for each repeat.

    Attributes:
        verdict: the content of ``verdict.json``.
        study: the content of ``study.json``.
        profile: the content of ``profile.json``.
        y: shape (n,), labels of the test rows.
        raw: shape (n,), the candidate's ranking score of the test rows.
        score: shape (n,), its calibrated probability.
        called: shape (n,), whether the candidate calls the row positive.
        weight: shape (n,), row weights, ones where there are none.
        entity: shape (n,), what the intervals draw as a whole; None: rows.
        cost: shape (n,), cost of missing each row if it is positive; None: the same for all.
        repeats: how often each test row comes.
        intended_use: a sentence by the user.
    """

    verdict: dict[str, Any]
    study: dict[str, Any]
    profile: dict[str, Any]
    y: Labels
    raw: Scores
    score: Scores
    called: npt.NDArray[np.bool_]
    weight: npt.NDArray[np.float64]
    entity: npt.NDArray[Any] | None = None
    cost: npt.NDArray[np.float64] | None = None
    repeats: int = 1
    intended_use: str = ""

    @property
    def weighted(self) -> bool:
        """Whether the rows differ in weight."""
        return bool(np.ptp(self.weight) > 0)

    @classmethod
    def of(
        cls,
        data: Dataset,
        scored: Scored,
        *,
        verdict: dict[str, Any],
        study: dict[str, Any],
        profile: dict[str, Any],
        intended_use: str,
    ) -> Self:
        """The content of a test that was scored once, or once in each repeat of a cross-validation."""
        repeats = len(np.atleast_2d(scored.raw))
        entity: npt.NDArray[Any] | None = data.entity
        if entity is None and repeats > 1:
            entity = np.arange(len(data))
        return cls(
            verdict=verdict,
            study=study,
            profile=profile,
            y=np.tile(data.y, repeats),
            raw=scored.raw.ravel(),
            score=scored.score.ravel(),
            called=scored.called.ravel(),
            weight=np.tile(np.ones(len(data)) if data.weight is None else data.weight, repeats),
            entity=None if entity is None else np.tile(entity, repeats),
            cost=None if data.cost is None else np.tile(data.cost, repeats),
            repeats=repeats,
            intended_use=intended_use,
        )
