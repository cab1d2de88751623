"""The fifteen metrics, weighted, for one weighting of the rows or for thousands at once."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from minorkey.errors import ShapeError
from minorkey.evaluation.bootstrap import row_weights
from minorkey.evaluation.ranking import Floats, Ranking, average_precision_of, divide, roc_auc_of

__all__ = ["METRICS", "Confusion", "Judged", "compute_metrics", "matthews_corrcoef"]

METRICS = (
    "average_precision",
    "roc_auc",
    "matthews_corrcoef",
    "f1",
    "f1_macro",
    "f1_micro",
    "balanced_accuracy",
    "precision",
    "recall",
    "specificity",
    "g_mean",
    "cohen_kappa",
    "brier",
    "log_loss",
    "expected_cost",
)

#: A probability of 0 or 1 is moved this far inwards, as scikit-learn does.
_EPSILON = np.finfo(np.float64).eps
#: A mean of float32 probabilities may lie this far outside of [0, 1].
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Confusion:
    """Weighted confusion counts of many weightings, each of shape (replicates,)."""

    tp: Floats
    fp: Floats
    fn: Floats
    tn: Floats

    @classmethod
    def of(cls, positive: npt.NDArray[np.bool_], called: npt.NDArray[np.bool_], weights: Floats) -> Self:
        """The counts of rows.

        Args:
            positive: shape (n,), outcomes.
            called: shape (n,), decisions.
            weights: shape (replicates, n), or (n,) for a single one of shape ().
        """
        cells = (positive & called, ~positive & called, positive & ~called, ~positive & ~called)
        return cls(*(weights @ cell.astype(np.float64) for cell in cells))


@dataclass(frozen=True)
class Judged:
    """Rows with everything about them that no weighting changes.

    Attributes:
        ranking: order of the rows by raw score; None if the raw scores rank nothing (no rows).
        columns: shape (n, 7): indicators of true positive, false positive, false negative and true
            negative; squared error; log loss; misclassification cost.
    """

    ranking: Ranking
    columns: Floats

    @classmethod
    def of(
        cls,
        y: npt.ArrayLike,
        raw: npt.ArrayLike,
        score: npt.ArrayLike,
        threshold: float | Floats,
        *,
        cost: npt.ArrayLike | None = None,
        costs: tuple[float, float] = (10.0, 1.0),
    ) -> Self:
        """Judge rows at a threshold.

        Args:
            y: shape (n,), 0 or 1.
            raw: shape (n,), what ranks the rows.
            score: shape (n,), calibrated probability of class 1.
            threshold: rows with ``score >= threshold`` are called positive; one number, or shape (n,).
            cost: shape (n,), cost of missing each row if it is positive; None: ``costs[0]``.
            costs: cost of a false negative and of a false positive.

        Raises:
            ShapeError: the lengths differ, or a score is not finite or not a probability.
        """
        labels = np.asarray(y) == 1
        scores = np.asarray(score, np.float64)
        if scores.shape != labels.shape:
            raise ShapeError(f"expected scores of shape {labels.shape}, got {scores.shape}")
        if not ((scores >= -_ROUNDING) & (scores <= 1 + _ROUNDING)).all():
            raise ShapeError("expected calibrated scores in [0, 1]")
        predicted = scores >= threshold
        clipped = np.clip(scores, _EPSILON, 1 - _EPSILON)
        missed, alarmed = labels & ~predicted, ~labels & predicted
        missing = np.full(len(labels), costs[0]) if cost is None else np.asarray(cost, np.float64)
        columns = np.column_stack(
            [
                labels & predicted,
                alarmed,
                missed,
                ~labels & ~predicted,
                (scores - labels) ** 2,
                -np.log(np.where(labels, clipped, 1 - clipped)),
                np.where(missed, missing, 0.0) + costs[1] * alarmed,
            ]
        )
        return cls(Ranking.of(labels, raw), columns)

    def metrics(self, weights: Floats) -> dict[str, Floats]:
        """Every metric of every weighting.

        Args:
            weights: shape (replicates, n), non-negative.

        Returns:
            Metric name to shape (replicates,). NaN where undefined (a class without weight). As in
            scikit-learn, a ratio over nothing predicted is 0.
        """
        sums = weights @ self.columns
        total = weights.sum(axis=1)
        confusion = Confusion(sums[:, 0], sums[:, 1], sums[:, 2], sums[:, 3])
        if len(self.ranking.last):
            cuts = self.ranking.cuts(weights)
            ranked = {"average_precision": average_precision_of(cuts), "roc_auc": roc_auc_of(cuts)}
        else:
            ranked = dict.fromkeys(("average_precision", "roc_auc"), np.full(len(weights), np.nan))
        means = {
            name: divide(sums[:, column], total, absent=np.nan)
            for column, name in enumerate(("brier", "log_loss", "expected_cost"), start=4)
        }
        return ranked | _at_threshold(confusion) | means


def compute_metrics(
    y: npt.ArrayLike,
    raw: npt.ArrayLike,
    score: npt.ArrayLike,
    threshold: float | Floats,
    *,
    weight: npt.ArrayLike | None = None,
    cost: npt.ArrayLike | None = None,
    costs: tuple[float, float] = (10.0, 1.0),
) -> dict[str, float]:
    """The metrics of `METRICS`.

    ``average_precision`` and ``roc_auc`` come from the raw scores (a calibrator may tie rows), ``brier``
    and ``log_loss`` from the calibrated ones, and the others from the calibrated ones at the threshold.

    Args:
        y: shape (n,), 0 or 1.
        raw: shape (n,), what ranks the rows.
        score: shape (n,), calibrated probability of class 1.
        threshold: rows with ``score >= threshold`` are called positive; one number, or shape (n,).
        weight: shape (n,), non-negative; None: all equal.
        cost: shape (n,), cost of missing each row if it is positive; None: ``costs[0]``.
        costs: cost of a false negative and of a false positive, in the user's own unit.

    Returns:
        Metric name to value; NaN where undefined (a class is absent).

    Raises:
        ShapeError: the lengths differ, or a score is not finite or not a probability.
    """
    judged = Judged.of(y, raw, score, threshold, cost=cost, costs=costs)
    weights = row_weights(len(judged.columns), weight)[None, :]
    values = judged.metrics(weights)
    return {name: float(values[name][0]) for name in METRICS}


def matthews_corrcoef(confusion: Confusion) -> Floats:
    """Matthews correlation of confusion counts; 0 where a margin is empty."""
    tp, fp, fn, tn = confusion.tp, confusion.fp, confusion.fn, confusion.tn
    # The roots apart: a product of four large counts would overflow an integer and lose digits.
    scale = np.sqrt((tp + fp) * (tp + fn)) * np.sqrt((tn + fp) * (tn + fn))
    return divide(tp * tn - fp * fn, scale)


def _at_threshold(confusion: Confusion) -> dict[str, Floats]:
    tp, fp, fn, tn = confusion.tp, confusion.fp, confusion.fn, confusion.tn
    total = tp + fp + fn + tn
    recall, specificity = divide(tp, tp + fn, absent=np.nan), divide(tn, tn + fp, absent=np.nan)
    f1, f1_negative = divide(2 * tp, 2 * tp + fp + fn), divide(2 * tn, 2 * tn + fp + fn)
    by_chance = (tp + fp) * (tp + fn) + (fn + tn) * (fp + tn)
    return {
        "matthews_corrcoef": matthews_corrcoef(confusion),
        "f1": f1,
        "f1_macro": (f1 + f1_negative) / 2,
        "f1_micro": divide(tp + tn, total, absent=np.nan),
        "balanced_accuracy": (recall + specificity) / 2,
        "precision": divide(tp, tp + fp),
        "recall": recall,
        "specificity": specificity,
        "g_mean": np.sqrt(recall * specificity),
        "cohen_kappa": divide(total * (tp + tn) - by_chance, total**2 - by_chance, absent=np.nan),
    }
