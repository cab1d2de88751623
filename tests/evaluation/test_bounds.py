import subprocess
import sys

import numpy as np
import pytest
from scipy.stats import binomtest, norm, t

from minorkey.evaluation.bounds import (
    average_precision_bounds,
    bootstrap_interval,
    boyd_interval,
    closed_form,
    wilson_interval,
)


@pytest.mark.parametrize(("hits", "size"), [(0, 10), (3, 10), (10, 10), (250, 1_000)])
def test_wilson_equals_scipy(hits, size):
    expected = binomtest(hits, size).proportion_ci(0.9, method="wilson")
    assert wilson_interval(hits / size, size, 0.9) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_boyd_is_the_published_formula():
    logit, spread = np.log(0.6 / 0.4), 1.959963984540054 / np.sqrt(40 * 0.6 * 0.4)
    expected = 1 / (1 + np.exp(-(logit - spread))), 1 / (1 + np.exp(-(logit + spread)))
    assert boyd_interval(0.6, 40, 0.95) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_an_end_of_the_range_still_has_an_interval(value):
    for low, high in (boyd_interval(value, 20, 0.95), wilson_interval(value, 20, 0.95)):
        assert 0 <= low <= value <= high <= 1
        assert 0.05 < high - low < 0.6


def test_nothing_gives_no_interval():
    assert np.isnan(boyd_interval(np.nan, 10, 0.95)).all()
    assert np.isnan(boyd_interval(0.5, 0, 0.95)).all()
    assert np.isnan(wilson_interval(0.5, 0, 0.95)).all()
    assert np.isnan(closed_form("brier", 0.1, 10, 0.95)).all()
    assert np.isnan(bootstrap_interval("brier", 0.0, np.zeros(100), 50, 0.95)).all()
    assert np.isnan(bootstrap_interval("roc_auc", np.nan, np.full(100, np.nan), 50, 0.95)).all()


@pytest.mark.parametrize("name", ["average_precision", "roc_auc", "matthews_corrcoef", "f1"])
def test_bounds_stay_in_the_range_and_hold_the_value(name):
    generator = np.random.default_rng(0)
    replicates = np.clip(0.97 + 0.1 * generator.normal(size=500), 0, 1)
    low, high = bootstrap_interval(name, 0.97, replicates, 60, 0.95)
    assert -1 <= low < 0.97 < high <= 1


def test_a_loss_has_positive_bounds():
    replicates = np.exp(0.1 * np.random.default_rng(0).normal(size=500))
    low, high = bootstrap_interval("expected_cost", 1.0, replicates, 10_000, 0.95)
    assert (low, high) == pytest.approx((np.exp(-0.196), np.exp(0.196)), rel=0.05)


def test_replicates_that_stand_still_fall_back_to_the_closed_form():
    still = np.full(100, 1.0) - 1e-16
    assert bootstrap_interval("recall", 1.0, still, 80, 0.95) == wilson_interval(1.0, 80, 0.95)
    assert bootstrap_interval("average_precision", 1.0, still, 80, 0.95) == boyd_interval(1.0, 80, 0.95)
    low, high = bootstrap_interval("matthews_corrcoef", 1.0, still, 80, 0.95)
    assert high == 1.0
    assert low == pytest.approx(2 * wilson_interval(1.0, 80, 0.95)[0] - 1)


def test_few_positives_take_the_closed_form():
    replicates = np.random.default_rng(0).uniform(0.55, 0.65, 200)
    assert average_precision_bounds(0.6, replicates, 49, 0.95) == boyd_interval(0.6, 49, 0.95)
    assert average_precision_bounds(0.6, replicates, 50, 0.95) != boyd_interval(0.6, 50, 0.95)


def test_more_confidence_is_wider():
    replicates = np.random.default_rng(0).uniform(0.5, 0.7, 200)
    narrow = bootstrap_interval("recall", 0.6, replicates, 100, 0.8)
    wide = bootstrap_interval("recall", 0.6, replicates, 100, 0.99)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.999, 0.9999])
@pytest.mark.parametrize("freedom", [1, 2.5, 7, 49, 3_000, 1e7])
def test_quantiles_are_those_of_scipy_stats(confidence, freedom):
    replicates = np.exp(0.01 * np.random.default_rng(0).normal(size=500))
    low, high = bootstrap_interval("log_loss", 1.0, replicates, 50, confidence, freedom=freedom)
    width = t.ppf(0.5 + confidence / 2, freedom) * replicates.std()
    assert np.log([low, high]) == pytest.approx([-width, width], rel=1e-10)
    z = norm.ppf(0.5 + confidence / 2)
    half = np.sqrt(0.25 / 40 + z**2 / (4 * 40**2)) / (1 + z**2 / 40) * z
    assert wilson_interval(0.5, 40, confidence) == pytest.approx((0.5 - half, 0.5 + half), abs=1e-10)


def test_the_gate_starts_without_scipy_stats():
    program = "import sys, minorkey.evaluation.gate; print('scipy.stats' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "False"
