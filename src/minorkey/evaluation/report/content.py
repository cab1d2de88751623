"""What the report and the model card are made of."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from minorkey.data.dataset import Labels, Scores

__all__ = ["Content"]


@dataclass(frozen=True)
class Content:
    """Everything a page shows; nothing is computed from elsewhere.

    Attributes:
        verdict: the content of ``verdict.json``.
        study: the content of ``study.json``.
        profile: the content of ``profile.json``.
        y: shape (n,), labels of the test rows.
        raw: shape (n,), the candidate's ranking score of the test rows.
        score: shape (n,), its calibrated probability.
        called: shape (n,), whether the candidate calls the row positive.
        weight: shape (n,), row weights, ones where there are none.
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
    intended_use: str = ""
