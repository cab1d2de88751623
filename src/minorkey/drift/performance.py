"""How well a model does where no labels are known, from its calibrated scores (CBPE).

A calibrated score is the chance of a positive, so scores and decisions promise a confusion matrix. The
promise holds while the scores stay calibrated: under a shift of the features that leaves the outcome given
the features as it was, and, with the new prevalence known, under a shift of the prior. Where the outcome
given the features changes (concept drift), nothing without labels can know.

Source: Kivimaki et al. (2025), "Confidence-based Estimators for Predictive Performance in Model Monitoring";
Saerens, Latinne and Decaestecker (2002), "Adjusting the Outputs of a Classifier to New a Priori
Probabilities".
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from minorkey.errors import ShapeError

__all__ = ["Estimated", "PriorShift", "estimate_performance", "expected_outcomes", "shift_prior"]

Floats = npt.NDArray[np.float64]

#: Rows whose scores are near each other are drawn together: so many groups for each decision.
_GROUPS = 200


@dataclass(frozen=True)
class Estimated:
    """One estimated figure.

    Attributes:
        value: the figure of the expected confusion matrix; NaN where it is undefined.
        low: lower end of what the figure comes to when outcomes are drawn from the scores.
        high: upper end.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class PriorShift:
    """A known shift of the prior.

    Attributes:
        reference: share of positives that the scores are calibrated for, between 0 and 1.
        current: share of positives among the rows to judge, between 0 and 1.
    """

    reference: float
    current: float

    def __post_init__(self) -> None:
        for name, share in (("reference", self.reference), ("current", self.current)):
            if not 0 < share < 1:
                raise ShapeError(f"expected a {name} prevalence strictly between 0 and 1, got {share}")


def expected_outcomes(scores: npt.ArrayLike, predicted: npt.ArrayLike) -> Floats:
    """Rows by decision and outcome that calibrated scores promise, shape (2, 2).

    Args:
        scores: shape (n,), calibrated probabilities.
        predicted: shape (n,), 0 or 1.

    Raises:
        ShapeError: lengths differ, or a score is no probability.
    """
    score, positive = _checked(scores, predicted)
    table = np.zeros((2, 2))
    for decision in (0, 1):
        chosen = score[positive == bool(decision)]
        table[decision] = len(chosen) - chosen.sum(), chosen.sum()
    return table


def shift_prior(scores: npt.ArrayLike, prior: PriorShift) -> Floats:
    """What calibrated scores become where only the share of positives has changed, shape (n,)."""
    score = np.asarray(scores, np.float64)
    positive = score * prior.current / prior.reference
    negative = (1 - score) * (1 - prior.current) / (1 - prior.reference)
    shifted: Floats = positive / (positive + negative)
    return shifted


def estimate_performance(
    scores: npt.ArrayLike,
    predicted: npt.ArrayLike,
    *,
    prior: PriorShift | None = None,
    level: float = 0.95,
    draws: int = 999,
    seed: int = 0,
) -> dict[str, Estimated]:
    """Matthews correlation, precision, recall and prevalence without a label.

    Args:
        scores: shape (n,), calibrated probabilities.
        predicted: shape (n,), 0 or 1: the decisions as they were taken, also under a shifted prior.
        prior: a known shift of the prior; None: the scores are calibrated for these rows.
        level: coverage of the intervals, which speak of the outcomes' chance and of no miscalibration.
        draws: outcomes drawn for the intervals.
        seed: of the draws.

    Raises:
        ShapeError: there are no rows, lengths differ, or a score is no probability.
    """
    score, positive = _checked(scores, predicted)
    if not len(score):
        raise ShapeError("expected at least one row")
    if prior is not None:
        score = shift_prior(score, prior)
    values = _figures(expected_outcomes(score, positive))
    drawn = _figures(_drawn(score, positive, draws, np.random.default_rng(seed)))
    tails = (1 - level) / 2, (1 + level) / 2
    found = {}
    for name, value in values.items():
        low, high = np.nan, np.nan
        if np.isfinite(drawn[name]).any():
            low, high = np.nanquantile(drawn[name], tails)
        found[name] = Estimated(float(value), float(low), float(high))
    return found


def _drawn(
    score: Floats, positive: npt.NDArray[np.bool_], draws: int, generator: np.random.Generator
) -> Floats:
    """Confusion matrices of drawn outcomes, shape (draws, 2, 2)."""
    tables = np.zeros((draws, 2, 2))
    for decision in (0, 1):
        chosen = np.sort(score[positive == bool(decision)])
        for group in np.array_split(chosen, min(_GROUPS, max(1, len(chosen)))):
            if len(group):
                tables[:, decision, 1] += generator.binomial(len(group), group.mean(), draws)
        tables[:, decision, 0] = len(chosen) - tables[:, decision, 1]
    return tables


def _figures(table: Floats) -> dict[str, Floats]:
    """Figures of confusion matrices of shape (..., 2, 2), by decision and outcome."""
    tn, fn, fp, tp = (table[..., decision, outcome] for decision in (0, 1) for outcome in (0, 1))
    margins = np.sqrt((tp + fp) * (tp + fn)) * np.sqrt((tn + fp) * (tn + fn))
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "matthews_corrcoef": np.where(margins > 0, (tp * tn - fp * fn) / margins, 0.0),
            "precision": np.where(tp + fp > 0, tp / (tp + fp), 0.0),
            "recall": tp / (tp + fn),
            "prevalence": (tp + fn) / (tp + fp + fn + tn),
        }


def _checked(scores: npt.ArrayLike, predicted: npt.ArrayLike) -> tuple[Floats, npt.NDArray[np.bool_]]:
    score, decision = np.asarray(scores, np.float64), np.asarray(predicted)
    if score.ndim != 1 or score.shape != decision.shape:
        raise ShapeError(f"expected as many decisions as scores, got {score.shape} and {decision.shape}")
    if not ((score >= 0) & (score <= 1)).all():
        raise ShapeError("expected calibrated scores in [0, 1]")
    return score, decision.astype(bool)
