"""Average precision and ROC-AUC of many weightings of the same ranking: sort once, then only sums."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from minorkey.errors import ShapeError

__all__ = ["Cuts", "Floats", "Ranking", "RepeatedRanking", "average_precision"]

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Cuts:
    """Weighted counts above each cut that ends in a tied group holding a positive.

    Every other cut is dominated: it adds negatives only. Shapes (replicates, cuts).
    """

    #: Weight of the positives at or above the cut.
    true_positives: Floats
    #: Weight of all rows at or above the cut.
    predicted: Floats
    #: Weight of all rows strictly above the cut's tied group.
    above: Floats
    #: Weight of all rows, shape (replicates,).
    total: Floats

    @property
    def positives(self) -> Floats:
        """Weight of all positives, shape (replicates,)."""
        return self.true_positives[:, -1]

    @property
    def gained(self) -> Floats:
        """Weight of the positives in each cut's own tied group."""
        return np.diff(self.true_positives, axis=1, prepend=0.0)


@dataclass(frozen=True)
class Ranking:
    """Rows of one test in descending order of score.

    Attributes:
        order: shape (n,), positions of the rows, best first.
        score: shape (n,), the scores in that order.
        positive: shape (p,), places in `order` that hold a positive.
        first: shape (g,), place of the first row of each tied group that holds a positive.
        last: shape (g,), place of the last row of that group.
        last_positive: shape (g,), index into `positive` of the group's last positive.
    """

    order: Positions
    score: Floats
    positive: Positions
    first: Positions
    last: Positions
    last_positive: Positions

    @classmethod
    def of(cls, y: npt.ArrayLike, score: npt.ArrayLike) -> Self:
        """Rank rows by score.

        Args:
            y: shape (n,), 0 or 1.
            score: shape (n,), finite; higher is more likely positive.

        Raises:
            ShapeError: the lengths differ, or a score is not finite.
        """
        labels, scores = np.asarray(y), np.asarray(score, np.float64)
        if labels.shape != scores.shape or labels.ndim != 1:
            raise ShapeError(f"expected y and score of one length, got {labels.shape} and {scores.shape}")
        if not np.isfinite(scores).all():
            raise ShapeError("expected finite scores, got NaN or infinity")
        order = np.argsort(-scores)
        ranked = scores[order]
        ends = (
            np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
            if len(ranked)
            else np.empty(0, np.intp)
        )
        starts = np.append(0, ends[:-1] + 1) if len(ends) else ends
        positive = np.flatnonzero(labels[order] == 1)
        groups = np.unique(np.searchsorted(ends, positive))
        last = ends[groups]
        return cls(
            order=order,
            score=ranked,
            positive=positive,
            first=starts[groups],
            last=last,
            last_positive=np.searchsorted(positive, last, side="right") - 1,
        )

    def cuts(self, weights: Floats) -> Cuts:
        """Weighted counts above each cut.

        Args:
            weights: shape (replicates, n), non-negative, in the rows' original order.
        """
        ranked = np.take(weights, self.order, axis=1)
        found = np.cumsum(ranked[:, self.positive], axis=1)[:, self.last_positive]
        np.cumsum(ranked, axis=1, out=ranked)
        above = np.where(self.first > 0, ranked[:, self.first - 1], 0.0)
        total = ranked[:, -1].copy() if ranked.shape[1] else np.zeros(len(ranked))
        return Cuts(found, ranked[:, self.last], above, total)

    def average_precision(self, weights: Floats) -> Floats:
        """Average precision of each weighting; NaN where no positive has weight.

        Equal to ``sklearn.metrics.average_precision_score`` (a step sum, no interpolation).

        Args:
            weights: shape (replicates, n).

        Returns:
            Shape (replicates,).
        """
        return average_precision_of(self.cuts(weights)) if len(self.last) else _absent(weights)

    def roc_auc(self, weights: Floats) -> Floats:
        """Area under the ROC curve of each weighting; NaN where a class has no weight.

        Args:
            weights: shape (replicates, n).

        Returns:
            Shape (replicates,).
        """
        return roc_auc_of(self.cuts(weights)) if len(self.last) else _absent(weights)

    def outranked(self, weight: Floats) -> Floats:
        """For each positive, the weighted share of negatives that score higher, ties counting half.

        Their mean is one minus the area under the ROC curve.

        Args:
            weight: shape (n,), in the rows' original order.

        Returns:
            Shape (n,), in the rows' original order; 0 for negatives.
        """
        negative = weight[self.order]
        negative[self.positive] = 0.0
        above = np.append(0.0, np.cumsum(negative))
        descending, sought = -self.score, -self.score[self.positive]
        better = above[np.searchsorted(descending, sought, side="left")]
        no_worse = above[np.searchsorted(descending, sought, side="right")]
        shares = np.zeros(len(weight))
        shares[self.order[self.positive]] = divide((better + no_worse) / 2, np.full(len(sought), above[-1]))
        return shares


@dataclass(frozen=True)
class RepeatedRanking:
    """Rankings of the same rows by the repeats of a cross-validation: the mean of what each one is worth.

    Scores averaged over the repeats would rank better than any model that ships.
    """

    rankings: tuple[Ranking, ...]

    @classmethod
    def of(cls, y: npt.ArrayLike, score: npt.ArrayLike) -> Self:
        """Rank rows by the scores of each repeat.

        Args:
            y: shape (n,), 0 or 1.
            score: shape (n,) or (repeats, n).

        Raises:
            ShapeError: the lengths differ, or a score is not finite.
        """
        return cls(tuple(Ranking.of(y, one) for one in np.atleast_2d(np.asarray(score, np.float64))))

    def average_precision(self, weights: Floats) -> Floats:
        """Mean average precision of each weighting; shape (replicates, n) to shape (replicates,)."""
        return np.mean([ranking.average_precision(weights) for ranking in self.rankings], axis=0)


def average_precision(y: npt.ArrayLike, score: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> float:
    """Average precision of one weighting; NaN without a positive.

    Args:
        y: shape (n,), 0 or 1.
        score: shape (n,).
        weight: shape (n,), non-negative; None: all equal.
    """
    ranking = Ranking.of(y, score)
    row = np.ones(len(ranking.order)) if weight is None else np.asarray(weight, np.float64)
    return float(ranking.average_precision(row[None, :])[0])


def average_precision_of(cuts: Cuts) -> Floats:
    """Average precision from the counts above each cut, shape (replicates,)."""
    precision = divide(cuts.true_positives, cuts.predicted)
    return divide((cuts.gained * precision).sum(axis=1), cuts.positives, absent=np.nan)


def roc_auc_of(cuts: Cuts) -> Floats:
    """Area under the ROC curve from the counts above each cut, shape (replicates,)."""
    gained = cuts.gained
    above = cuts.above - (cuts.true_positives - gained)
    tied = cuts.predicted - cuts.true_positives - above
    negatives = cuts.total - cuts.positives
    below = negatives[:, None] - above - tied / 2
    return divide((gained * below).sum(axis=1), cuts.positives * negatives, absent=np.nan)


def divide(part: Floats, whole: Floats, *, absent: float = 0.0) -> Floats:
    """``part / whole``, and `absent` where ``whole`` is 0."""
    return np.divide(part, whole, out=np.full(np.shape(part), absent), where=whole > 0)


def _absent(weights: Floats) -> Floats:
    return np.full(len(weights), np.nan)
