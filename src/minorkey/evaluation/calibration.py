"""Calibration: the map from a raw score to a probability, and how it is chosen without optimism.

Serving imports this module: nothing but NumPy at module level.
"""

from dataclasses import dataclass, field
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from minorkey.errors import ContractError

__all__ = ["CLIP", "Calibration", "fit_calibration", "fit_isotonic", "fit_platt"]

Floats = npt.NDArray[np.float64]
Kind = Literal["none", "platt", "isotonic"]

#: A raw score is moved this far away from 0 and 1 before its logit is taken.
CLIP = 1e-7
#: Isotonic regression needs this many positives.
ISOTONIC_POSITIVES = 1_000


@dataclass(frozen=True)
class Calibration:
    """A monotone map from raw score to probability.

    Attributes:
        kind: ``none`` (the raw score is the probability), ``platt`` or ``isotonic``.
        parameters: platt: ``slope`` and ``intercept`` on ``logit(clip(raw, 1e-7, 1 - 1e-7))``, the slope
            positive; isotonic: ``x`` (increasing) and ``y`` (not decreasing), linear in between and
            constant outside.
    """

    kind: Kind = "none"
    parameters: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in ("none", "platt", "isotonic"):
            raise ContractError(f"expected calibration none, platt or isotonic, got {self.kind!r}")

    def apply(self, raw: npt.ArrayLike) -> Floats:
        """Probability of class 1.

        Args:
            raw: shape (n,), raw scores in [0, 1].

        Returns:
            Shape (n,), in the order that the raw scores have.
        """
        scores = np.asarray(raw, np.float64)
        if self.kind == "platt":
            return sigmoid(self.parameters["slope"] * clipped_logit(scores) + self.parameters["intercept"])
        if self.kind == "isotonic":
            return np.interp(scores, self.parameters["x"], self.parameters["y"])
        return np.clip(scores, 0.0, 1.0)

    def to_json(self) -> dict[str, Any]:
        """The calibration as JSON content."""
        return {"kind": self.kind, "parameters": self.parameters}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """The calibration from JSON content."""
        return cls(content["kind"], content["parameters"])


def fit_calibration(
    y: npt.ArrayLike,
    raw: npt.ArrayLike,
    *,
    weight: npt.ArrayLike | None = None,
    groups: npt.ArrayLike,
) -> tuple[Calibration, Floats]:
    """Choose and fit a calibration on out-of-fold scores, by cross-fitted log loss.

    Args:
        y: shape (n,), 0 or 1.
        raw: shape (n,), out-of-fold raw scores in [0, 1].
        weight: shape (n,), non-negative; None: all equal.
        groups: shape (n,), fold of each row.

    Returns:
        The calibration fitted on all rows, and shape (n,) probabilities, each from a calibrator of the
        chosen kind that has not seen the row's fold.
    """
    labels, scores, folds = np.asarray(y) == 1, np.asarray(raw, np.float64), np.asarray(groups)
    weights = np.ones(len(labels)) if weight is None else np.asarray(weight, np.float64)
    best: tuple[Calibration, Floats] = Calibration(), Calibration().apply(scores)
    lowest = log_loss(labels, best[1], weights)
    kinds: list[Kind] = ["platt"]
    if np.count_nonzero(labels) >= ISOTONIC_POSITIVES:
        kinds.append("isotonic")
    for kind in kinds:
        crossed = _cross_fitted(kind, labels, scores, weights, folds)
        loss = log_loss(labels, crossed, weights)
        fitted = _fit(kind, labels, scores, weights)
        if loss < lowest and fitted.kind == kind:
            lowest, best = loss, (fitted, crossed)
    return best


def fit_platt(y: npt.ArrayLike, raw: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> Calibration:
    """Logistic regression on the logit of the raw score; ``none`` where the slope is not positive.

    The labels are softened as Platt proposed, so separable rows give a finite slope. A class counts for
    its effective number of rows, so that only the weights' proportions matter, never their scale.

    Source: Platt (1999), "Probabilistic Outputs for Support Vector Machines"; Newton's method as in Lin,
    Lin and Weng (2007), "A Note on Platt's Probabilistic Outputs".
    """
    labels, x = np.asarray(y) == 1, clipped_logit(np.asarray(raw, np.float64))
    weights = np.ones(len(labels)) if weight is None else np.asarray(weight, np.float64)
    positive, negative = weights[labels].sum(), weights[~labels].sum()
    if not positive > 0 or not negative > 0 or np.ptp(x) == 0:
        return Calibration()
    seen, unseen = _effective(weights[labels]), _effective(weights[~labels])
    target = np.where(labels, (seen + 1) / (seen + 2), 1 / (unseen + 2))
    centre = np.average(x, weights=weights)
    beta = _newton(x - centre, target, weights, float(np.log(positive / negative)))
    slope, intercept = float(beta[0]), float(beta[1] - beta[0] * centre)
    if not (slope > 0 and np.isfinite(intercept)):
        return Calibration()
    return Calibration("platt", {"slope": slope, "intercept": intercept})


def fit_isotonic(y: npt.ArrayLike, raw: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> Calibration:
    """Isotonic regression, kept half a row away from 0 and 1.

    Knots are float32 numbers, so that the served graph sees the same ones.

    Source: Zadrozny and Elkan (2002), "Transforming Classifier Scores into Accurate Multiclass
    Probability Estimates".
    """
    from scipy.optimize import isotonic_regression

    labels = np.asarray(y) == 1
    weights = np.ones(len(labels)) if weight is None else np.asarray(weight, np.float64)
    x, place = np.unique(np.asarray(raw, np.float32), return_inverse=True)
    total = np.bincount(place, weights)
    seen = total > 0
    mean = np.bincount(place, weights * labels)[seen] / total[seen]
    if len(mean) < 2:
        return Calibration()
    fitted = isotonic_regression(mean, weights=total[seen]).x
    edge = 0.5 / (len(labels) + 1)
    heights = np.clip(fitted, edge, 1 - edge)
    # Both ends of every constant piece; what lies between them adds nothing.
    kept = np.append(True, heights[1:] != heights[:-1]) | np.append(heights[1:] != heights[:-1], True)
    return Calibration(
        "isotonic", {"x": x[seen][kept].astype(np.float64).tolist(), "y": heights[kept].tolist()}
    )


def log_loss(y: npt.NDArray[np.bool_], probability: Floats, weight: Floats) -> float:
    """Weighted mean log loss, probabilities clipped as Platt's input is."""
    clipped = np.clip(probability, CLIP, 1 - CLIP)
    return float(np.average(-np.log(np.where(y, clipped, 1 - clipped)), weights=weight))


def clipped_logit(raw: Floats) -> Floats:
    """The logit of raw scores, kept finite."""
    inner = np.clip(raw, CLIP, 1 - CLIP)
    return np.asarray(np.log(inner) - np.log1p(-inner))


def sigmoid(value: Floats) -> Floats:
    """The logistic function, without overflow."""
    small = np.exp(-np.abs(value))
    return np.asarray(np.where(value >= 0, 1.0, small) / (1.0 + small))


def _effective(weight: Floats) -> float:
    """How many equally weighted rows these are worth (Kish, 1965)."""
    return float(weight.sum() ** 2 / (weight @ weight))


def _fit(kind: Kind, y: npt.NDArray[np.bool_], raw: Floats, weight: Floats) -> Calibration:
    return fit_isotonic(y, raw, weight) if kind == "isotonic" else fit_platt(y, raw, weight)


def _cross_fitted(
    kind: Kind, y: npt.NDArray[np.bool_], raw: Floats, weight: Floats, folds: npt.NDArray[Any]
) -> Floats:
    crossed = np.empty(len(raw))
    for fold in np.unique(folds):
        held = folds == fold
        crossed[held] = _fit(kind, y[~held], raw[~held], weight[~held]).apply(raw[held])
    return crossed


def _newton(x: Floats, target: Floats, weight: Floats, start: float) -> Floats:
    """Slope and intercept of least weighted log loss, by Newton's method with halved steps."""
    design = np.column_stack([x, np.ones(len(x))])
    beta = np.array([0.0, start])

    def loss(candidate: Floats) -> float:
        value = design @ candidate
        return float(weight @ (np.logaddexp(0.0, value) - target * value))

    current = loss(beta)
    for _ in range(100):
        fitted = sigmoid(design @ beta)
        gradient = design.T @ (weight * (fitted - target))
        curvature = (design * (weight * fitted * (1 - fitted))[:, None]).T @ design
        step = np.linalg.solve(curvature + 1e-12 * np.trace(curvature) * np.eye(2), gradient)
        expected = float(gradient @ step)
        if expected < 1e-12 * current:
            break
        size = 1.0
        # A step has to gain what its slope promises, or far from the optimum it ends beyond it.
        while size > 1e-10 and loss(beta - size * step) > current - 1e-4 * size * expected:
            size /= 2
        beta = beta - size * step
        current = loss(beta)
    return beta
