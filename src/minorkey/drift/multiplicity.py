"""Many tests at once: p-values adjusted so that the share of false findings keeps to its level.

Source: Benjamini and Hochberg (1995), "Controlling the False Discovery Rate".
"""

import numpy as np
import numpy.typing as npt

from minorkey.errors import ShapeError

__all__ = ["benjamini_hochberg"]


def benjamini_hochberg(p_values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Adjusted p-values: those at most alpha are findings at a false discovery rate of alpha.

    Args:
        p_values: shape (n,); NaN where there was no test, which stays NaN and counts for nothing.

    Raises:
        ShapeError: not one-dimensional, or a value outside of 0 to 1.
    """
    p = np.asarray(p_values, np.float64)
    if p.ndim != 1 or ((p < 0) | (p > 1)).any():
        raise ShapeError("expected p-values from 0 to 1 in one dimension")
    adjusted = np.full(len(p), np.nan)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    ranks = np.arange(1, len(order) + 1)
    raised = p[order] * len(order) / ranks
    adjusted[order] = np.minimum(np.minimum.accumulate(raised[::-1])[::-1], 1.0)
    return adjusted
