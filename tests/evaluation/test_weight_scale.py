"""Weights are proportions: multiplying all of them by a number changes nothing.

By powers of two, which are exact in floating point, so that equality can be asked for. Alerts a day
have a unit and are left out: there weights from 1 on are counts of rows.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minorkey.evaluation.calibration import fit_isotonic, fit_platt
from minorkey.evaluation.gate import judge
from minorkey.evaluation.intervals import metric_intervals
from minorkey.evaluation.metrics import METRICS, compute_metrics
from minorkey.evaluation.selection import choose_members
from minorkey.evaluation.thresholds import choose_threshold
from minorkey.spec import ThresholdSpec
from tests.evaluation.strategies import rows

SCALES = st.integers(-30, 30).map(lambda power: 2.0**power)
POLICIES = [
    {"policy": "max_mcc"},
    {"policy": "max_fbeta"},
    {"policy": "min_cost"},
    {"policy": "min_row_cost"},
    {"policy": "min_precision", "floor": 0.5},
    {"policy": "min_recall", "floor": 0.8},
    {"policy": "top_k", "top_fraction": 0.1},
]


def equal(first, second):
    return np.array_equal(first, second, equal_nan=True)


@settings(max_examples=25, deadline=None)
@given(rows(), SCALES)
def test_metrics_and_intervals(sample, scale):
    y, score, weight = sample
    plain, scaled = (compute_metrics(y, score, score, 0.5, weight=w) for w in (weight, scale * weight))
    assert equal([plain[name] for name in METRICS], [scaled[name] for name in METRICS])
    plain, scaled = (
        metric_intervals(y, score, score, 0.5, weight=w, bootstraps=100) for w in (weight, scale * weight)
    )
    for name in METRICS:
        one, two = plain[name], scaled[name]
        assert equal([one.value, one.low, one.high], [two.value, two.low, two.high]), name


@pytest.mark.parametrize("policy", POLICIES, ids=lambda spec: spec["policy"])
@settings(max_examples=8, deadline=None)
@given(sample=rows(), scale=SCALES)
def test_thresholds(policy, sample, scale):
    y, score, weight = sample
    cost = np.arange(1.0, len(y) + 1)
    plain, scaled = (
        choose_threshold(y, score, ThresholdSpec(**policy), weight=w, cost=cost)
        for w in (weight, scale * weight)
    )
    assert plain == scaled


@settings(max_examples=15, deadline=None)
@given(rows(), SCALES, st.booleans())
def test_the_gate(sample, scale, first):
    y, score, weight = sample
    champion = None if first else score[::-1]
    plain, scaled = (
        judge(y, score, champion, weight=w, bootstraps=100).to_json() for w in (weight, scale * weight)
    )
    assert plain == scaled


@settings(max_examples=25, deadline=None)
@given(rows(), SCALES)
def test_calibrators(sample, scale):
    y, score, weight = sample
    for fit in (fit_platt, fit_isotonic):
        plain, scaled = (fit(y, score, w).apply(score) for w in (weight, scale * weight))
        assert scaled == pytest.approx(plain, rel=1e-9)


@settings(max_examples=10, deadline=None)
@given(rows(least=12), SCALES)
def test_the_choice(sample, scale):
    y, score, weight = sample
    folds = np.arange(len(y)) % 3
    plain, scaled = (
        choose_members(np.stack([score, score[::-1]]), y, folds, weight=w) for w in (weight, scale * weight)
    )
    assert plain.members == scaled.members
    assert scaled.cross_fitted_scores == pytest.approx(plain.cross_fitted_scores, rel=1e-9)
