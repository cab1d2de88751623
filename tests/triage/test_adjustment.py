"""The cheap fixes mend what they are for, and are proven only where they do."""

import numpy as np
import pytest

from minorkey.evaluation.calibration import Calibration, clipped_logit, fit_isotonic, sigmoid
from minorkey.evaluation.thresholds import choose_threshold
from minorkey.spec import ThresholdSpec
from minorkey.triage import adjust, prove
from minorkey.triage.adjustment import recalibrated
from minorkey.triage.evidence import calibration_intervals
from tests.triage.drifted import rows

SERVED = Calibration("platt", {"slope": 1.0, "intercept": 0.0})


def served_threshold() -> float:
    known = rows(40_000, seed=7)
    return choose_threshold(known.y, known.raw, ThresholdSpec())


@pytest.mark.parametrize(
    ("action", "moved"),
    [("shift", {"prevalence": 0.2}), ("platt", {"factor": 2.5}), ("platt", {"factor": 0.4})],
)
def test_a_fix_mends_what_moved_and_is_proven_on_other_rows(action: str, moved: dict[str, float]) -> None:
    fitted, fresh = rows(6_000, seed=1, **moved), rows(6_000, seed=2, **moved)
    found = adjust(action, SERVED, fitted.y, fitted.raw, ThresholdSpec())
    proof = prove(
        fresh.y,
        fresh.raw,
        (SERVED, served_threshold()),
        (found.calibration, found.threshold),
        bootstraps=300,
    )
    assert proof.proven and "works" in proof.reason
    intercept, slope = calibration_intervals(fresh.y, found.calibration.apply(fresh.raw), confidence=0.999)
    assert intercept.low <= 0 <= intercept.high
    if action == "platt":
        assert slope.low <= 1 <= slope.high


def test_a_shift_after_a_change_of_prevalence_is_the_change_of_the_log_odds() -> None:
    fresh = rows(60_000, prevalence=0.2)
    found = adjust("shift", SERVED, fresh.y, fresh.raw, ThresholdSpec())
    assert found.slope == 1
    assert found.intercept == pytest.approx(np.log(0.2 / 0.8) - np.log(0.05 / 0.95), abs=0.1)


def test_where_nothing_moved_no_fix_is_proven() -> None:
    proven = 0
    for seed in range(40):
        fitted, fresh = rows(2_000, seed=2 * seed), rows(2_000, seed=2 * seed + 1)
        found = adjust("platt", SERVED, fitted.y, fitted.raw, ThresholdSpec())
        proof = prove(
            fresh.y, fresh.raw, (SERVED, 0.4), (found.calibration, found.threshold), bootstraps=200, seed=seed
        )
        proven += proof.proven
    assert proven <= 5


def test_a_threshold_that_makes_the_calls_worse_is_not_proven() -> None:
    moved = {"prevalence": 0.2}
    fitted, fresh = rows(6_000, seed=1, **moved), rows(6_000, seed=2, **moved)
    found = adjust("shift", SERVED, fitted.y, fitted.raw, ThresholdSpec())
    proof = prove(
        fresh.y, fresh.raw, (SERVED, served_threshold()), (found.calibration, 0.999), bootstraps=300
    )
    assert proof.log_loss.low > 0 and proof.matthews_corrcoef.high < 0
    assert not proof.proven and "not shown" in proof.reason


@pytest.mark.parametrize("kind", ["none", "platt", "isotonic"])
def test_one_calibration_stands_for_two(kind: str) -> None:
    known = rows(4_000)
    served = {
        "none": Calibration(),
        "platt": Calibration("platt", {"slope": 1.3, "intercept": -0.4}),
        "isotonic": fit_isotonic(known.y, known.raw),
    }[kind]
    both = recalibrated(served, 0.7, 0.9)
    expected = sigmoid(0.7 * clipped_logit(served.apply(known.raw)) + 0.9)
    # Beyond 1e-7 the log-odds of one map are clipped, those between two maps too.
    assert both.apply(known.raw) == pytest.approx(expected, abs=1e-4 if kind != "isotonic" else 5e-3)
    order = np.argsort(known.raw)
    assert (np.diff(both.apply(known.raw)[order]) >= 0).all()
