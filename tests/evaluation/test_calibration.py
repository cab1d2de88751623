import json
import subprocess
import sys

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from minorkey.errors import ContractError
from minorkey.evaluation.calibration import (
    Calibration,
    clipped_logit,
    fit_calibration,
    fit_isotonic,
    fit_platt,
    log_loss,
    sigmoid,
)


def sample(n=6_000, slope=1.0, intercept=-3.0, seed=0):
    """Labels whose true log odds are a line in the raw score's log odds; folds."""
    generator = np.random.default_rng(seed)
    x = generator.normal(0, 2, n)
    y = (generator.random(n) < sigmoid(slope * x + intercept)).astype(int)
    return y, sigmoid(x), generator.integers(0, 5, n)


def test_platt_finds_the_line():
    y, raw, _ = sample(60_000, slope=1.5, intercept=-2.0)
    found = fit_platt(y, raw)
    assert found.kind == "platt"
    assert found.parameters == pytest.approx({"slope": 1.5, "intercept": -2.0}, rel=0.05)


def test_platt_equals_logistic_regression():
    y, raw, _ = sample()
    weight = np.random.default_rng(1).uniform(0.5, 2, len(y))
    reference = LogisticRegression(C=np.inf, tol=1e-10).fit(clipped_logit(raw)[:, None], y, weight)
    found = fit_platt(y, raw, weight).parameters
    assert found["slope"] == pytest.approx(reference.coef_[0, 0], rel=0.02)
    assert found["intercept"] == pytest.approx(reference.intercept_[0], rel=0.02)


def test_a_weight_is_as_good_as_repetition_but_for_the_softening():
    y, raw, _ = sample(8_000)
    times = 1 + np.arange(8_000) % 3
    weighted = fit_platt(y, raw, times).parameters
    repeated = fit_platt(np.repeat(y, times), np.repeat(raw, times)).parameters
    assert weighted == pytest.approx(repeated, rel=5e-3)


@pytest.mark.parametrize("scale", [1e-6, 0.01, 100.0])
def test_only_the_proportions_of_the_weights_matter(scale):
    y, raw, folds = sample(2_000)
    weight = np.random.default_rng(1).uniform(0.5, 2, len(y))
    plain, crossed = fit_calibration(y, raw, weight=weight, groups=folds)
    scaled, crossed_scaled = fit_calibration(y, raw, weight=scale * weight, groups=folds)
    assert scaled.parameters == pytest.approx(plain.parameters, rel=1e-6)
    assert crossed_scaled == pytest.approx(crossed, rel=1e-6)


def test_a_class_of_small_weight_is_not_softened_away():
    y, raw = np.repeat([0, 1], [5_000, 200]), np.repeat([0.1, 0.9], [5_000, 200])
    found = fit_platt(y, raw, np.where(y == 1, 1e-3, 1.0))
    assert found.apply([0.9])[0] == pytest.approx(201 / 202, abs=0.01)


def test_separable_rows_have_a_finite_slope():
    y, raw = np.repeat([0, 1], [500, 20]), np.repeat([0.1, 0.9], [500, 20])
    found = fit_platt(y, raw)
    assert 0 < found.parameters["slope"] < 10
    assert found.apply([0.9])[0] == pytest.approx(21 / 22, abs=0.01)


def test_a_calibrator_never_turns_the_ranking_round():
    y, raw, folds = sample(slope=-1.0)
    assert fit_platt(y, raw).kind == "none"
    assert fit_calibration(y, raw, groups=folds)[0].kind == "none"


@pytest.mark.parametrize(
    ("y", "raw"), [([0, 0, 0], [0.1, 0.2, 0.3]), ([1, 1], [0.1, 0.2]), ([0, 1], [0.5, 0.5]), ([], [])]
)
def test_nothing_to_learn_from_leaves_the_scores_alone(y, raw):
    assert fit_platt(y, raw).kind == "none"


def test_isotonic_equals_scikit_learn():
    y, raw, _ = sample()
    raw = raw.astype(np.float32).astype(np.float64)
    found = fit_isotonic(y, raw)
    edge = 0.5 / (len(y) + 1)
    expected = np.clip(IsotonicRegression(out_of_bounds="clip").fit(raw, y).predict(raw), edge, 1 - edge)
    assert found.apply(raw) == pytest.approx(expected, abs=1e-12)
    assert np.all(np.diff(found.parameters["x"]) > 0)
    assert np.all(np.diff(found.parameters["y"]) >= 0)


@pytest.mark.parametrize("fit", [fit_platt, fit_isotonic])
def test_the_map_is_monotone_and_gives_probabilities(fit):
    y, raw, _ = sample(2_000)
    probability = fit(y, raw).apply(np.linspace(0, 1, 1_001))
    assert np.all(np.diff(probability) >= 0)
    assert 0 <= probability[0] <= probability[-1] <= 1


def test_the_chosen_calibration_repairs_weighted_scores():
    y, raw, folds = sample(20_000)
    inflated = sigmoid(clipped_logit(raw) + 4)
    chosen, crossed = fit_calibration(y, inflated, groups=folds)
    assert chosen.kind == "platt"
    assert crossed.mean() == pytest.approx(y.mean(), rel=0.05)


def test_scores_come_from_calibrators_that_have_not_seen_the_fold():
    y, raw, folds = sample(3_000)
    chosen, crossed = fit_calibration(y, raw, groups=folds)
    assert chosen.kind == "platt"
    held = fit_platt(y[folds != 2], raw[folds != 2]).apply(raw[folds == 2])
    assert np.array_equal(crossed[folds == 2], held)


def test_isotonic_needs_a_thousand_positives_and_a_bend():
    generator = np.random.default_rng(0)
    raw = generator.random(30_000)
    y = (generator.random(30_000) < np.where(raw > 0.5, 0.4, 0.02)).astype(int)
    folds = generator.integers(0, 5, len(y))
    assert fit_calibration(y, raw, groups=folds)[0].kind == "isotonic"
    few = slice(0, 3_000)
    assert y[few].sum() < 1_000
    assert fit_calibration(y[few], raw[few], groups=folds[few])[0].kind != "isotonic"


def test_calibrated_already_is_left_nearly_alone():
    y, raw, folds = sample(slope=1.0, intercept=0.0)
    _, crossed = fit_calibration(y, raw, groups=folds)
    assert np.abs(crossed - raw).max() < 0.05


def test_the_choice_never_costs_log_loss():
    y, raw, folds = sample()
    weight = np.ones(len(y))
    _, crossed = fit_calibration(y, raw, groups=folds)
    assert log_loss(y == 1, crossed, weight) <= log_loss(y == 1, raw, weight)


@pytest.mark.parametrize("fit", [fit_platt, fit_isotonic, lambda y, raw: Calibration()])
def test_json_round_trip(fit):
    y, raw, _ = sample(500)
    calibration = fit(y, raw)
    back = Calibration.from_json(json.loads(json.dumps(calibration.to_json())))
    assert np.array_equal(back.apply(raw), calibration.apply(raw))


def test_the_logistic_function_does_not_overflow():
    assert sigmoid(np.array([-1e4, 0.0, 1e4])).tolist() == [0.0, 0.5, 1.0]
    assert np.isfinite(clipped_logit(np.array([0.0, 1.0]))).all()


def test_an_unknown_kind_is_refused():
    with pytest.raises(ContractError, match="platt"):
        Calibration.from_json({"kind": "beta", "parameters": {}})


def test_serving_needs_numpy_alone():
    code = (
        "import sys, minorkey.evaluation.calibration as c; c.Calibration().apply([0.5]);"
        "print([m for m in ('scipy', 'sklearn', 'pandas', 'torch', 'optuna') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
