"""Each way in which the world can move leads to its own, cheapest fix."""

from typing import Any

import numpy as np
import pytest

from minorkey.triage import diagnose, gather
from minorkey.triage.evidence import calibration_intervals
from tests.triage.drifted import PREVALENCE, reference, rows


@pytest.mark.parametrize(
    ("moved", "action", "told"),
    [
        ({}, "none", "nothing to mend"),
        ({"prevalence": 0.12}, "shift", "too low"),
        ({"prevalence": 0.02, "n": 20_000, "seed": 2}, "shift", "too high"),
        ({"factor": 2.0}, "platt", "too sure"),
        ({"factor": 0.5}, "platt", "too unsure"),
        ({"spread": 1.2}, "refit", "ranking fell"),
        ({"spread": 1.2, "prevalence": 0.15}, "refit", "ranking fell"),
        ({"n": 600}, "wait", "to be positive"),
    ],
)
def test_the_cheapest_fix_for_what_moved(moved: dict[str, Any], action: str, told: str) -> None:
    fresh = rows(**moved)
    evidence = gather(fresh.y, fresh.raw, fresh.raw, prevalence=PREVALENCE, bootstraps=300)
    found = diagnose(evidence, reference())
    assert found.action == action
    assert told in found.reason


def test_a_change_of_prevalence_alone_is_no_change_of_the_ranking() -> None:
    """Average precision itself rises by a sixth or more; taken at the reference's prevalence it stays."""
    fresh = rows(30_000, prevalence=0.2)
    evidence = gather(fresh.y, fresh.raw, fresh.raw, prevalence=PREVALENCE, bootstraps=200)
    known = reference()
    assert evidence.average_precision.low < known.average_precision.value < evidence.average_precision.high
    assert evidence.roc_auc.low < known.roc_auc.value < evidence.roc_auc.high
    alone = gather(fresh.y, fresh.raw, fresh.raw, prevalence=evidence.prevalence, bootstraps=10)
    assert alone.average_precision.value > known.average_precision.value + 0.1


def test_weights_stand_for_rows() -> None:
    fresh = rows(4_000)
    twice = np.where(fresh.y, 2, 1)
    weighted = gather(fresh.y, fresh.raw, fresh.raw, prevalence=0.05, weight=twice, bootstraps=5)
    y, raw = np.repeat(fresh.y, twice), np.repeat(fresh.raw, twice)
    repeated = gather(y, raw, raw, prevalence=0.05, bootstraps=5)
    for name in ("roc_auc", "average_precision", "intercept", "slope"):
        assert getattr(weighted, name).value == pytest.approx(getattr(repeated, name).value, abs=1e-9)
    assert weighted.prevalence == pytest.approx(repeated.prevalence)


def test_intervals_of_calibration_cover_as_often_as_they_say() -> None:
    covered = np.zeros(2)
    for seed in range(200):
        fresh = rows(2_000, seed=seed)
        intercept, slope = calibration_intervals(fresh.y, fresh.raw)
        covered += [intercept.low <= 0 <= intercept.high, slope.low <= 1 <= slope.high]
    assert (np.abs(covered / 200 - 0.95) < 0.05).all()


def test_rows_of_one_entity_count_less_than_as_many_rows() -> None:
    """Each row ten times: without the entity the interval would be a third as wide as it should be."""
    fresh = rows(2_000)
    y, raw, entity = (np.repeat(values, 10) for values in (fresh.y, fresh.raw, np.arange(2_000)))
    plain = calibration_intervals(fresh.y, fresh.raw)
    clustered = calibration_intervals(y, raw, entity=entity)
    for one, other in zip(plain, clustered, strict=True):
        assert other.high - other.low == pytest.approx(one.high - one.low, rel=1e-6)


def test_the_intervals_of_a_reference_cover_what_many_rows_show() -> None:
    truth, covered = reference(), np.zeros(2)
    for seed in range(200):
        found = reference(2_000, seed=seed)
        covered += [
            found.roc_auc.low <= truth.roc_auc.value <= found.roc_auc.high,
            found.average_precision.low <= truth.average_precision.value <= found.average_precision.high,
        ]
    assert (covered / 200 > 0.9).all()


def test_a_reference_of_few_rows_does_not_call_luck_a_fall() -> None:
    """Many fresh rows of the same world: half of all small references lie above what they show."""
    fresh = rows(20_000)
    evidence = gather(fresh.y, fresh.raw, fresh.raw, prevalence=PREVALENCE, bootstraps=100)
    refits = sum(diagnose(evidence, reference(2_000, seed=seed)).action == "refit" for seed in range(100))
    assert refits <= 10
