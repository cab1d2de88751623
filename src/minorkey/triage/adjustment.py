"""The cheap fixes: another calibration and threshold for the same ranking, proven on rows of their own."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from minorkey.evaluation.bootstrap import replicate_weights, row_weights
from minorkey.evaluation.calibration import CLIP, Calibration, clipped_logit, fit_platt, sigmoid
from minorkey.evaluation.intervals import Interval
from minorkey.evaluation.metrics import Confusion, matthews_corrcoef
from minorkey.evaluation.ranking import Floats
from minorkey.evaluation.thresholds import choose_threshold
from minorkey.spec import ThresholdSpec
from minorkey.triage.evidence import calibration_intervals

__all__ = ["Adjustment", "Proof", "adjust", "prove", "recalibrated"]

#: Points between two knots of an isotonic map that a curved adjustment is drawn through.
_BETWEEN = 8


@dataclass(frozen=True)
class Adjustment:
    """A calibration and threshold to ship with the champion's graph.

    Attributes:
        calibration: from raw score to probability.
        threshold: chosen on the adjusted scores.
        slope: factor of the former log-odds.
        intercept: shift of the former log-odds.
    """

    calibration: Calibration
    threshold: float
    slope: float
    intercept: float


@dataclass(frozen=True)
class Proof:
    """Adjusted against served, on rows that neither was fitted on.

    Attributes:
        proven: the adjusted scores have a lower log loss, and the calls at the adjusted threshold are not
            shown to be worse.
        reason: in sentences that need no statistics.
        log_loss: served minus adjusted (a gain is positive); bounds one-sided.
        matthews_corrcoef: adjusted minus served; bounds one-sided.
    """

    proven: bool
    reason: str
    log_loss: Interval
    matthews_corrcoef: Interval

    def to_json(self) -> dict[str, Any]:
        """The proof as JSON content."""
        return {
            "proven": self.proven,
            "reason": self.reason,
            "log_loss": self.log_loss.to_json(),
            "matthews_corrcoef": self.matthews_corrcoef.to_json(),
        }


def adjust(
    action: Literal["shift", "platt"],
    served: Calibration,
    y: npt.ArrayLike,
    raw: npt.ArrayLike,
    policy: ThresholdSpec,
    *,
    weight: npt.ArrayLike | None = None,
    cost: npt.ArrayLike | None = None,
    event_time: npt.ArrayLike | None = None,
    entity: npt.ArrayLike | None = None,
    seed: int = 0,
) -> Adjustment:
    """Fit an adjustment on fresh rows.

    Args:
        action: ``shift`` fits the shift of the log-odds alone, ``platt`` factor and shift.
        served: the calibration that serves.
        y: shape (n,), 0 or 1.
        raw: shape (n,), raw scores.
        policy: how the threshold is chosen.
        weight: shape (n,), non-negative; None: all equal.
        cost: shape (n,), for ``min_row_cost``.
        event_time: shape (n,), seconds, for ``alerts_per_day``.
        entity: shape (n,); None: rows.
        seed: seed of the threshold's bootstraps.

    Raises:
        SpecError: the policy needs a role that the data do not have.
        DataError: there is no positive.
    """
    score = served.apply(raw)
    slope = 1.0
    if action == "platt":
        fitted = fit_platt(y, score, weight)
        slope = float(fitted.parameters.get("slope", 1.0))
        intercept = float(fitted.parameters.get("intercept", 0.0))
    else:
        intercept = calibration_intervals(y, score, weight=weight, entity=entity)[0].value
    calibration = recalibrated(served, slope, intercept)
    threshold = choose_threshold(
        y,
        calibration.apply(raw),
        policy,
        weight=weight,
        cost=cost,
        event_time=event_time,
        entity=entity,
        seed=seed,
    )
    return Adjustment(calibration, threshold, slope, intercept)


def recalibrated(served: Calibration, slope: float, intercept: float) -> Calibration:
    """A calibration followed by a linear map of its log-odds, as one calibration.

    Exact for ``none`` and ``platt``; an isotonic map is exact at its knots and drawn through eight points
    between each two.
    """
    if served.kind == "none":
        return Calibration("platt", {"slope": slope, "intercept": intercept})
    if served.kind == "platt":
        inner = served.parameters
        both = {"slope": slope * inner["slope"], "intercept": slope * inner["intercept"] + intercept}
        return Calibration("platt", both)
    knots = np.asarray(served.parameters["x"], np.float64)
    inside = np.linspace(knots[:-1], knots[1:], _BETWEEN + 1, endpoint=False).T.ravel()
    # float32, so that the served graph sees the same knots.
    x = np.unique(np.append(inside, knots[-1]).astype(np.float32)).astype(np.float64)
    heights = sigmoid(slope * clipped_logit(served.apply(x)) + intercept)
    return Calibration("isotonic", {"x": x.tolist(), "y": np.maximum.accumulate(heights).tolist()})


def prove(
    y: npt.ArrayLike,
    raw: npt.ArrayLike,
    served: tuple[Calibration, float],
    adjusted: tuple[Calibration, float],
    *,
    weight: npt.ArrayLike | None = None,
    entity: npt.ArrayLike | None = None,
    alpha: float = 0.05,
    bootstraps: int = 1_000,
    seed: int = 0,
) -> Proof:
    """Compare adjusted and served on fresh rows, paired.

    Args:
        y: shape (n,), 0 or 1.
        raw: shape (n,), raw scores.
        served: calibration and threshold that serve.
        adjusted: calibration and threshold to prove.
        weight: shape (n,), non-negative; None: all equal.
        entity: shape (n,), the coarsest thing that rows belong to; None: rows.
        alpha: one-sided error rate.
        bootstraps: number of replicates.
        seed: seed of the replicates.
    """
    labels = np.asarray(y) == 1
    own = row_weights(len(labels), weight)
    losses, calls = [], []
    for calibration, threshold in (served, adjusted):
        score = np.clip(calibration.apply(raw), CLIP, 1 - CLIP)
        losses.append(-np.log(np.where(labels, score, 1 - score)))
        calls.append(calibration.apply(raw) >= threshold)

    def gains(weights: Floats) -> tuple[Floats, Floats]:
        before, after = (matthews_corrcoef(Confusion.of(labels, called, weights)) for called in calls)
        return weights @ (losses[0] - losses[1]) / weights.sum(axis=1), after - before

    drawn = [
        gains(part)
        for part in replicate_weights(len(labels), bootstraps, weight=weight, entity=entity, seed=seed)
    ]
    tails = 100 * np.array([alpha, 1 - alpha])
    loss, correlation = (
        Interval(float(point[0]), *map(float, np.nanpercentile(np.concatenate(parts), tails)))
        for point, parts in zip(gains(own[None, :]), zip(*drawn, strict=True), strict=True)
    )
    proven = loss.low > 0 and correlation.high >= 0
    found = (
        f"On {int(labels.sum())} positives that the fix was not fitted on, the log loss falls by "
        f"{loss.value:.4f}, at least {loss.low:.4f} when luck is allowed for, and the Matthews correlation "
        f"changes by {correlation.value:+.3f} ({correlation.low:+.3f} to {correlation.high:+.3f})"
    )
    return Proof(
        proven,
        f"{found}: {'the fix works' if proven else 'the fix is not shown to work'}.",
        loss,
        correlation,
    )
