"""From evidence to the cheapest fix that can work."""

from dataclasses import dataclass
from math import hypot
from typing import Any, Literal

from minorkey.evaluation.bounds import FEW_POSITIVES
from minorkey.triage.evidence import Evidence, Reference

__all__ = ["Action", "Diagnosis", "diagnose"]

Action = Literal["wait", "none", "shift", "platt", "refit"]


@dataclass(frozen=True)
class Diagnosis:
    """What is to be done.

    Attributes:
        action: ``wait`` for labels, ``none``, ``shift`` the log-odds and choose the threshold anew,
            ``platt`` (factor and shift of the log-odds), or ``refit`` on fresh rows.
        reason: why, in a sentence or two that need no statistics.
    """

    action: Action
    reason: str

    def to_json(self) -> dict[str, Any]:
        """The diagnosis as JSON content."""
        return {"action": self.action, "reason": self.reason}


def diagnose(evidence: Evidence, reference: Reference) -> Diagnosis:
    """The cheapest fix for what mature labels show.

    Only what is shown counts: the ranking fell if its figure is lower than the reference's by more than the
    uncertainty of both allows; intercept and slope are off if their intervals exclude 0 and 1.

    Source: Zou and Donner (2008), "Construction of Confidence Limits about Effect Measures", for the
    interval of the difference out of two intervals.
    """
    if evidence.positives < FEW_POSITIVES:
        return Diagnosis(
            "wait",
            f"Only {evidence.positives} of the fresh rows are known to be positive; below {FEW_POSITIVES} "
            "nothing can be told from luck.",
        )
    fallen = [
        f"{name} is {now.value:.3f} ({now.low:.3f} to {now.high:.3f}) and was {before.value:.3f} "
        f"({before.low:.3f} to {before.high:.3f})"
        for name, now, before in (
            ("ROC-AUC", evidence.roc_auc, reference.roc_auc),
            (
                "average precision, at the share of positives of then,",
                evidence.average_precision,
                reference.average_precision,
            ),
        )
        if before.value - now.value > hypot(before.value - before.low, now.high - now.value)
    ]
    if fallen:
        return Diagnosis("refit", f"The ranking fell: {'; '.join(fallen)}. No new threshold mends that.")
    slope, intercept = evidence.slope, evidence.intercept
    if not slope.low <= 1 <= slope.high:
        return Diagnosis(
            "platt",
            f"The ranking holds, but the scores are too {'sure' if slope.high < 1 else 'unsure'}: their "
            f"log-odds need a factor of {slope.value:.2f} ({slope.low:.2f} to {slope.high:.2f}), and a shift "
            f"with it; {_shares(evidence, reference)}.",
        )
    if not intercept.low <= 0 <= intercept.high:
        return Diagnosis(
            "shift",
            f"The ranking holds, but the scores are too {'low' if intercept.low > 0 else 'high'}: their "
            f"log-odds need a shift of {intercept.value:+.2f} "
            f"({intercept.low:+.2f} to {intercept.high:+.2f}); "
            f"{_shares(evidence, reference)}.",
        )
    return Diagnosis("none", "Ranking and probabilities hold: nothing to mend.")


def _shares(evidence: Evidence, reference: Reference) -> str:
    return f"{evidence.prevalence:.2%} of the fresh rows are positive, {reference.prevalence:.2%} were"
