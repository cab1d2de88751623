"""All columns of two samples as one matrix of comparable numbers, for the tests that look at all at once."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import rankdata

from minorkey.drift.two_sample.sample import Sample
from minorkey.errors import ShapeError

__all__ = ["joint_matrix"]

Floats = npt.NDArray[np.float64]
#: Most levels of a category with a column of their own.
_MOST_LEVELS = 20


def joint_matrix(reference: Sample, current: Sample) -> Floats:
    """The reference's rows and then the current ones, shape (n + m, p), finite.

    Numbers become their ranks among all rows, -0.5 to 0.5, so that no unit and no outlier rules; where some
    are missing, a column tells. Categories become one column a level. Labels of the samples play no part, so
    that rows may be permuted afterwards.

    Raises:
        ShapeError: the columns differ.
    """
    if list(reference.features.columns) != list(current.features.columns):
        raise ShapeError(
            f"expected the columns {list(reference.features.columns)}, got {list(current.features.columns)}"
        )
    both = pd.concat([reference.features, current.features], ignore_index=True)
    columns: list[Floats] = []
    for name in both.columns:
        numeric = both[name].dtype.kind in "fiub"
        columns += (
            _ranks(both[name].to_numpy(np.float64)) if numeric else _levels(both[name].to_numpy(object))
        )
    return np.column_stack(columns)


def _ranks(values: Floats) -> list[Floats]:
    missing = np.isnan(values)
    ranks = np.zeros(len(values))
    present = int((~missing).sum())
    if present:
        ranks[~missing] = (rankdata(values[~missing]) - 0.5) / present - 0.5
    return [ranks, missing - 0.5] if missing.any() and present else [ranks]


def _levels(values: npt.NDArray[np.object_]) -> list[Floats]:
    codes, levels = pd.factorize(values)
    frequent = np.argsort(-np.bincount(codes, minlength=len(levels)), kind="stable")[:_MOST_LEVELS]
    return [(codes == level) / np.sqrt(2) for level in frequent]
