"""The number that a study maximises: average precision of the validation rows of a fold."""

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score

from minorkey.data.dataset import Labels, Scores
from minorkey.errors import ShapeError
from minorkey.trials.executor import NotANumberError

__all__ = ["fold_score"]


def fold_score(y: Labels, scores: Scores, weight: npt.NDArray[np.float64]) -> float:
    """Average precision, with row weights.

    Args:
        y: shape (n,), with at least one positive.
        scores: shape (n,), raw scores.
        weight: shape (n,), non-negative.

    Raises:
        ShapeError: the shapes differ.
        NotANumberError: a score is NaN or infinite.
    """
    if not len(y) == len(scores) == len(weight):
        raise ShapeError(f"expected {len(y)} scores and weights, got {len(scores)} and {len(weight)}")
    if not np.isfinite(scores).all():
        raise NotANumberError(f"{int((~np.isfinite(scores)).sum())} of {len(scores)} scores are not numbers")
    return float(average_precision_score(y, scores, sample_weight=weight))
