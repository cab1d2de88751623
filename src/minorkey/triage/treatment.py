"""From a served model and fresh labelled rows to a proven fix, or to the reason why there is none."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from minorkey.data.dataset import Dataset
from minorkey.evaluation.calibration import Calibration
from minorkey.spec import EvaluateSpec, ThresholdSpec
from minorkey.triage.adjustment import Adjustment, Proof, adjust, prove
from minorkey.triage.diagnosis import Diagnosis, diagnose
from minorkey.triage.evidence import Evidence, Reference, gather
from minorkey.triage.periods import earlier_and_later

__all__ = ["Treatment", "treat"]


@dataclass(frozen=True)
class Treatment:
    """What was found and done.

    Attributes:
        earlier: rows that the diagnosis and the fix rest on.
        later: rows that the fix is proven on.
        raw: raw scores of both.
        served: calibration and threshold that serve.
        evidence: None where the earlier rows hold one class only.
        diagnosis: what is to be done.
        adjustment: None unless the diagnosis asks for one and the later rows can prove it.
        proof: of the adjustment.
    """

    earlier: Dataset
    later: Dataset
    raw: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]
    served: tuple[Calibration, float]
    evidence: Evidence | None
    diagnosis: Diagnosis
    adjustment: Adjustment | None
    proof: Proof | None

    @property
    def decision(self) -> str:
        """``promote`` if an adjustment is proven, else ``keep``."""
        return "promote" if self.proof is not None and self.proof.proven else "keep"

    @property
    def shipped(self) -> tuple[Calibration, float]:
        """Calibration and threshold of the adjustment, or those that serve where there is none."""
        fix = self.adjustment
        return self.served if fix is None else (fix.calibration, fix.threshold)

    @property
    def reason(self) -> str:
        """Why, in sentences that need no statistics."""
        return " ".join([self.diagnosis.reason, *([] if self.proof is None else [self.proof.reason])])


def treat(
    data: Dataset,
    raw: npt.NDArray[np.float64],
    served: tuple[Calibration, float],
    reference: Reference,
    *,
    policy: ThresholdSpec,
    spec: EvaluateSpec,
    alpha: Callable[[Dataset], float],
    seed: int,
) -> Treatment:
    """Diagnose on the earlier rows, fit the fix there, and prove it on the later ones.

    Args:
        data: rows that the model has not seen, with mature labels.
        raw: shape (n,), its raw scores.
        served: calibration and threshold that serve.
        reference: what the model showed when it was made.
        policy: how a threshold is chosen.
        spec: confidence and number of bootstraps.
        alpha: the error rate that one look at the given later rows may spend.
        seed: seed of the bootstraps.

    Raises:
        SpecError: the policy needs a role that the data do not have.
    """
    places = earlier_and_later(data)
    earlier, later = (data.take(rows) for rows in places)
    raws = (raw[places[0]], raw[places[1]])
    if not 0 < earlier.positives < len(earlier):
        diagnosis = Diagnosis("wait", "The earlier of the fresh rows hold one class only.")
        return Treatment(earlier, later, raws, served, None, diagnosis, None, None)
    roles: dict[str, Any] = {"weight": earlier.weight, "entity": earlier.entity, "seed": seed}
    evidence = gather(
        earlier.y,
        raws[0],
        served[0].apply(raws[0]),
        prevalence=reference.prevalence,
        confidence=spec.confidence,
        bootstraps=spec.bootstraps,
        **roles,
    )
    diagnosis = diagnose(evidence, reference)
    adjustment, proof = None, None
    if diagnosis.action in ("shift", "platt") and 0 < later.positives < len(later):
        adjustment = adjust(
            diagnosis.action,
            served[0],
            earlier.y,
            raws[0],
            policy,
            cost=earlier.cost,
            event_time=earlier.event_time,
            **roles,
        )
        proof = prove(
            later.y,
            raws[1],
            served,
            (adjustment.calibration, adjustment.threshold),
            weight=later.weight,
            entity=later.entity,
            alpha=alpha(later),
            bootstraps=spec.bootstraps,
            seed=seed,
        )
    return Treatment(earlier, later, raws, served, evidence, diagnosis, adjustment, proof)
