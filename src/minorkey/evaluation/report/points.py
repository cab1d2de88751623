"""The numbers behind the figures of the test: curves, bands and counts, weighted as the metrics are."""

import numpy as np
import numpy.typing as npt

from minorkey.evaluation.bootstrap import replicate_weights
from minorkey.evaluation.ranking import Cuts, Floats, Ranking, divide
from minorkey.evaluation.report.content import Content

__all__ = ["RECALLS", "confusion", "precision_band", "precision_points", "reliability", "weighted_confusion"]

#: Recalls at which the band of the precision is drawn.
RECALLS = np.linspace(0, 1, 101)


def precision_points(content: Content) -> tuple[Floats, Floats]:
    """Recall and precision at each cut that finds a further positive, shape (cuts,) each.

    Between two cuts the precision of the later one holds; the area below those steps is average precision.
    """
    recall, precision = _steps(Ranking.of(content.y, content.raw).cuts(content.weight[None, :]))
    return recall[0], precision[0]


def precision_band(content: Content, *, bootstraps: int = 200, seed: int = 0) -> tuple[Floats, Floats]:
    """Pointwise bootstrap bounds of the precision at `RECALLS`, drawing what the intervals draw.

    At the confidence of the verdict.

    Args:
        content: the page's content.
        bootstraps: number of replicates.
        seed: seed of the replicates.

    Returns:
        Lower and upper bounds, shape (101,) each.
    """
    ranking = Ranking.of(content.y, content.raw)
    drawn: list[Floats] = []
    for weights in replicate_weights(
        len(content.y), bootstraps, weight=content.weight, entity=content.entity, seed=seed
    ):
        cuts = ranking.cuts(weights)
        held = cuts.positives > 0
        recall, precision = _steps(cuts)
        for found, precise in zip(recall[held], precision[held], strict=True):
            # Rounding must not carry a recall past the cut that reaches it.
            place = np.searchsorted(found, RECALLS - 1e-9)
            drawn.append(precise[np.minimum(place, len(precise) - 1)])
    tail = 50 * (1 - content.verdict["confidence"])
    low, high = np.percentile(np.array(drawn), [tail, 100 - tail], axis=0)
    return low, high


def reliability(content: Content, *, groups: int = 10) -> tuple[Floats, Floats]:
    """Mean predicted probability and observed frequency in groups of equal weight by predicted probability.

    Rows with one score stay together, so there may be fewer groups.

    Returns:
        Shape (groups that hold rows,) each.
    """
    values, place = np.unique(content.score, return_inverse=True)
    mass = np.bincount(place, content.weight, minlength=len(values))
    middle = (np.cumsum(mass) - mass / 2) / mass.sum()
    group = np.minimum((middle * groups).astype(int), groups - 1)[place]
    total = np.bincount(group, content.weight, minlength=groups)
    predicted = np.bincount(group, content.weight * content.score, minlength=groups)
    observed = np.bincount(group, content.weight * content.y, minlength=groups)
    held = total > 0
    return predicted[held] / total[held], observed[held] / total[held]


def confusion(content: Content) -> list[list[float]]:
    """Rows at the chosen threshold: [[true negative, false positive], [false negative, true positive]].

    Whole numbers, unless there are several repeats, whose mean it is.
    """
    return _matrix(content, np.ones(len(content.y)))


def weighted_confusion(content: Content) -> list[list[float]]:
    """The same matrix as sums of the rows' weights, on which the metrics rest."""
    return _matrix(content, content.weight)


def _steps(cuts: Cuts) -> tuple[Floats, Floats]:
    """Recall and precision at each cut, shape (replicates, cuts)."""
    recall = divide(cuts.true_positives, cuts.positives[:, None])
    return recall, divide(cuts.true_positives, cuts.predicted)


def _matrix(content: Content, weight: npt.NDArray[np.float64]) -> list[list[float]]:
    cell = 2 * (content.y == 1) + content.called
    sums = np.bincount(cell, weight, minlength=4) / content.repeats
    return [[_whole(value) for value in row] for row in sums.reshape(2, 2).tolist()]


def _whole(value: float) -> float:
    return int(value) if value.is_integer() else value
