"""Counts become a verdict: on errors, on seconds and on scores, and never on chance alone."""

from dataclasses import replace

import numpy as np
import pytest

from minorkey.deployment.kserve.readings import Reading
from minorkey.deployment.kserve.verdict import judge
from minorkey.serving.metrics import PredictorMetrics
from minorkey.serving.predictor import Predictor
from minorkey.serving.samples import sample_rows
from minorkey.spec import CanarySpec
from tests.serving.bundles import small_bundle

LIMITS = CanarySpec()
BOUNDS = (0.001, 0.01, 0.1, 1.0, float("inf"))


def reading(requests: int, errors: int = 0, fast: float = 1.0, seed: int = 0, shift: float = 0.0) -> Reading:
    """Requests of which a share takes at most a millisecond, the rest up to a second."""
    random = np.random.default_rng(seed)
    scores = 1 / (1 + np.exp(-(random.normal(-3, 1.5, requests) + shift)))
    counted = {bound: requests * (fast if bound < 1 else 1.0) for bound in BOUNDS}
    return replace(Reading.of_answers([], errors, scores.tolist()), requests=requests, seconds=counted)


def test_what_the_predictor_counts_is_read_back(tmp_path) -> None:
    predictor = Predictor(small_bundle(tmp_path / "bundle"), "cards", "7")
    metrics = PredictorMetrics()
    metrics.serve(predictor)
    before = Reading.of(metrics.text().decode(), "cards", "7")
    columns = sample_rows(predictor.bundle.info, 30)
    metrics.predicted(predictor, columns, predictor.predict(columns))
    for code, seconds in ((200, 0.004), (500, 0.3), (400, 0.0001)):
        metrics.answered(predictor, code, seconds)
    seen = Reading.of(metrics.text().decode(), "cards", "7").since(before)
    assert (seen.requests, seen.errors, seen.scores.sum()) == (3, 1, 30)
    assert 0.2 < seen.p99_seconds() <= 0.5
    assert Reading.of(metrics.text().decode(), "cards", "8").requests == 0
    assert (seen + seen).requests == 6 and (seen + seen).p99_seconds() == seen.p99_seconds()


def test_nothing_was_asked_nothing_is_objected() -> None:
    assert judge(Reading(), Reading(), LIMITS).passed
    assert judge(reading(1_000), Reading(), LIMITS).figures["psi"] is None
    assert np.isnan(Reading().p99_seconds()) and Reading().error_share == 0


@pytest.mark.parametrize(
    ("new", "objection"),
    [
        (reading(500, seed=1), ""),
        (reading(500, errors=5, seed=1), ""),
        (reading(500, errors=6, seed=1), "max_errors"),
        (reading(60, errors=2, seed=1), ""),
        (reading(500, fast=0.995, seed=1), ""),
        (reading(500, fast=0.9, seed=1), "max_p99_ratio"),
        (reading(40, fast=0.9, seed=1), ""),
        (reading(500, shift=0.3, seed=1), ""),
        (reading(500, shift=1.5, seed=1), "max_psi"),
    ],
)
def test_each_limit_objects_beyond_it(new: Reading, objection: str) -> None:
    verdict = judge(reading(5_000), new, LIMITS)
    assert verdict.passed is (objection == "")
    assert all(objection in one for one in verdict.objections)


def test_a_few_rows_of_the_same_scores_are_never_too_far_apart() -> None:
    """At 60 rows chance alone often gives an index above 0.25."""
    psis, refused = [], 0
    for seed in range(200):
        verdict = judge(reading(60, seed=seed), reading(60, seed=1_000 + seed), LIMITS)
        psis.append(verdict.figures["psi"])
        refused += not verdict.passed
    assert max(psis) > LIMITS.max_psi and refused == 0


def test_an_old_version_that_errs_too_excuses_the_new_one() -> None:
    assert judge(reading(1_000, errors=50), reading(500, errors=25, seed=1), LIMITS).passed
