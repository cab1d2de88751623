"""Figures of how well the test rows are told apart and what a threshold costs."""

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_curve

from minorkey.data.dataset import Labels, Scores
from minorkey.evaluation.report.content import Content
from minorkey.evaluation.report.drawing import ACCENT, MUTED, WARM, drawn, figure
from minorkey.evaluation.report.points import RECALLS, precision_band, precision_points, reliability

__all__ = [
    "calibration",
    "decision_curve",
    "expected_costs",
    "precision_recall",
    "roc",
    "threshold_curves",
]


def precision_recall(content: Content, *, bootstraps: int = 200, seed: int = 0) -> str:
    """Precision over recall with a pointwise bootstrap band and the base rate."""
    recall, precision = precision_points(content)
    low, high = precision_band(content, bootstraps=bootstraps, seed=seed)
    metrics = content.verdict["metrics"]["test"]
    with figure() as (made, axes):
        interval = f"{100 * content.verdict['confidence']:g} % interval"
        axes.fill_between(RECALLS, low, high, color=ACCENT, alpha=0.15, linewidth=0, label=interval)
        axes.plot(
            np.append(0.0, recall),
            np.append(precision[:1], precision),
            color=ACCENT,
            drawstyle="steps-pre",
            label="candidate",
        )
        base = float(np.average(content.y, weights=content.weight))
        axes.axhline(base, color=MUTED, linestyle="--", linewidth=1.2, label=f"base rate {base:.4f}")
        at = [metrics[name]["value"] for name in ("recall", "precision")]
        if None not in at:
            axes.plot(*at, "o", color=WARM, label="at the threshold")
        axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
        axes.legend(loc="best")
        return drawn(made, label="Precision-recall curve")


def roc(content: Content) -> str:
    """True positive rate over false positive rate."""
    false_positive, true_positive, _ = roc_curve(content.y, content.raw, sample_weight=content.weight)
    with figure() as (made, axes):
        axes.plot(false_positive, true_positive, color=ACCENT, label="candidate")
        axes.plot([0, 1], [0, 1], color=MUTED, linestyle="--", linewidth=1.2, label="chance")
        axes.set(xlabel="false positive rate", ylabel="true positive rate", xlim=(0, 1), ylim=(0, 1.02))
        axes.legend(loc="lower right")
        return drawn(made, label="ROC curve")


def calibration(content: Content) -> str:
    """Observed frequency over predicted probability in ten groups of equal weight, on log axes."""
    predicted, observed = reliability(content)
    shown = (observed > 0) & (predicted > 0)
    with figure() as (made, axes):
        floor = float(min([*observed[shown], *predicted[shown], 0.1]) / 2)
        axes.plot([floor, 1], [floor, 1], color=MUTED, linestyle="--", linewidth=1.2, label="perfect")
        axes.plot(predicted[shown], observed[shown], "o-", color=ACCENT, label="candidate")
        axes.set(xscale="log", yscale="log", xlabel="predicted probability", ylabel="observed frequency")
        axes.legend(loc="upper left")
        return drawn(made, label="Calibration")


def threshold_curves(content: Content) -> str:
    """MCC and expected cost on the test rows over the threshold. Shown, never chosen from."""
    thresholds = _grid(content.score)
    counts = _counts(content.y, content.score, content.weight, thresholds)
    true_positive, false_positive, false_negative, true_negative = counts
    product = (
        (true_positive + false_positive)
        * (true_positive + false_negative)
        * (true_negative + false_positive)
        * (true_negative + false_negative)
    )
    mcc = (true_positive * true_negative - false_positive * false_negative) / np.sqrt(
        np.maximum(product, 1e-12)
    )
    cost = expected_costs(content, thresholds)
    with figure() as (made, axes):
        axes.plot(thresholds, mcc, color=ACCENT)
        axes.set(
            xscale="log", xlabel="threshold on the calibrated score", ylim=(min(0.0, float(mcc.min())), 1)
        )
        axes.set_ylabel("MCC", color=ACCENT)
        right = axes.twinx()
        right.plot(thresholds, cost, color=WARM)
        right.set_ylabel("cost a row", color=WARM)
        right.grid(visible=False)
        if content.verdict["threshold"] > 0:
            axes.axvline(content.verdict["threshold"], color=MUTED, linestyle="--", linewidth=1.2)
        return drawn(made, label="Threshold against cost and MCC")


def expected_costs(content: Content, thresholds: Scores) -> npt.NDArray[np.float64]:
    """Cost a row at each threshold, shape (thresholds,), as the metric ``expected_cost`` counts it.

    Args:
        content: of the report.
        thresholds: shape (thresholds,), on the calibrated score.
    """
    counts = _counts(content.y, content.score, content.weight, thresholds)
    costs = content.verdict["costs"]
    missed = counts[2] * costs["false_negative"]
    if content.cost is not None:
        # Missing a row costs what the row itself says.
        missed = _counts(content.y, content.score, content.weight * content.cost, thresholds)[2]
    return np.asarray((missed + counts[1] * costs["false_positive"]) / sum(counts))


def decision_curve(content: Content) -> str:
    """Net benefit over the probability threshold (Vickers and Elkin, 2006)."""
    base = float(np.average(content.y, weights=content.weight))
    thresholds = np.linspace(1e-4, min(0.99, max(0.2, 20 * base)), 200)
    true_positive, false_positive, *_ = _counts(content.y, content.score, content.weight, thresholds)
    total, odds = content.weight.sum(), thresholds / (1 - thresholds)
    benefit = true_positive / total - false_positive / total * odds
    with figure() as (made, axes):
        axes.plot(thresholds, benefit, color=ACCENT, label="candidate")
        axes.plot(thresholds, base - (1 - base) * odds, color=WARM, linewidth=1.2, label="call all positive")
        axes.axhline(0, color=MUTED, linestyle="--", linewidth=1.2, label="call none positive")
        axes.set(xlabel="probability threshold", ylabel="net benefit", ylim=(-0.3 * base, 1.1 * base))
        axes.legend(loc="upper right")
        return drawn(made, label="Decision curve")


def _grid(score: Scores, points: int = 300) -> Scores:
    low = max(float(score.min()), 1e-6)
    return np.geomspace(low, max(float(score.max()), low * 1.001), points)


def _counts(
    y: Labels, score: Scores, weight: npt.NDArray[np.float64], thresholds: Scores
) -> tuple[npt.NDArray[np.float64], ...]:
    """Weighted true positives, false positives, false negatives and true negatives at each threshold."""
    order = np.argsort(score)
    place = np.searchsorted(score[order], thresholds, side="left")
    positive = np.concatenate([[0.0], np.cumsum((y * weight)[order])])
    negative = np.concatenate([[0.0], np.cumsum(((1 - y) * weight)[order])])
    return positive[-1] - positive[place], negative[-1] - negative[place], positive[place], negative[place]
