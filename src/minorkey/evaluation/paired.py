"""Two classifiers judged on the same rows: the difference of their Matthews correlations and its variance."""

import numpy as np

from minorkey.evaluation.implied import mcc_slopes
from minorkey.evaluation.metrics import Confusion, matthews_corrcoef
from minorkey.evaluation.ranking import Floats

__all__ = ["RAISED", "confusion_of_challenger", "confusion_of_champion", "mcc_difference"]

#: Rows by which every cell in which the two decide otherwise is raised in the variance.
RAISED = 1.0


def confusion_of_champion(cells: Floats) -> Confusion:
    """The champion's confusion matrix.

    Args:
        cells: shape (2, 2, 2), weights by the champion's decision, the challenger's, and the outcome.
    """
    return _confusion(cells.sum(axis=1))


def confusion_of_challenger(cells: Floats) -> Confusion:
    """The challenger's confusion matrix of the same cells."""
    return _confusion(cells.sum(axis=0))


def mcc_difference(cells: Floats, squares: Floats) -> tuple[float, float]:
    """The challenger's Matthews correlation less the champion's, and the variance of that difference.

    Rows on which both decide alike add the same to both correlations, so the difference is far surer than
    two intervals side by side would say. In the variance the cells in which they decide otherwise are
    raised by one row each: without it five rows that all speak for one side would already be evidence.

    Args:
        cells: shape (2, 2, 2), sums of weights by the champion's decision, the challenger's, and the outcome.
        squares: sums of squared weights, equal to ``cells`` where every weight is 1.

    Returns:
        Difference and variance. One of them that calls nothing positive, or everything, has a correlation
        of 0, which does not vary.

    Source: the delta method, as in Bishop, Fienberg and Holland (1975), "Discrete Multivariate Analysis",
    chapter 14, on the cells that both decisions and the outcome make together; Agresti and Min (2005),
    "Simple improved confidence intervals for comparing matched proportions", for raising cells.
    """
    champion, challenger = confusion_of_champion(cells), confusion_of_challenger(cells)
    difference = float(matthews_corrcoef(challenger)[0] - matthews_corrcoef(champion)[0])
    by_champion, by_challenger = _table(mcc_slopes(champion)), _table(mcc_slopes(challenger))
    slopes = by_challenger[None, :, :] - by_champion[:, None, :]
    raised = squares + RAISED * (1 - np.eye(2))[:, :, None]
    return difference, float((slopes**2 * raised).sum())


def _confusion(table: Floats) -> Confusion:
    return Confusion(tp=table[[1], 1], fp=table[[1], 0], fn=table[[0], 1], tn=table[[0], 0])


def _table(slopes: Confusion) -> Floats:
    """Shape (2, 2), by decision and outcome."""
    return np.array([[slopes.tn[0], slopes.fn[0]], [slopes.fp[0], slopes.tp[0]]])
