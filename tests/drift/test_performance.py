import numpy as np
import pytest

from minorkey.drift.performance import PriorShift, estimate_performance, expected_outcomes, shift_prior
from minorkey.errors import ShapeError
from minorkey.evaluation.metrics import Confusion, matthews_corrcoef

THRESHOLD = 0.3


def drawn(seed: int, n: int = 4_000) -> tuple[np.ndarray, np.ndarray]:
    """Calibrated scores and outcomes drawn from them."""
    random = np.random.default_rng(seed)
    score = random.beta(0.3, 5, n)
    return score, (random.random(n) < score).astype(int)


def true_figures(y: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    tp, fp = np.sum(predicted & (y == 1)), np.sum(predicted & (y == 0))
    fn, tn = np.sum(~predicted & (y == 1)), np.sum(~predicted & (y == 0))
    table = Confusion(*(np.array([float(cell)]) for cell in (tp, fp, fn, tn)))
    return {
        "matthews_corrcoef": float(matthews_corrcoef(table)[0]),
        "precision": tp / (tp + fp),
        "recall": tp / (tp + fn),
        "prevalence": y.mean(),
    }


def test_expected_outcomes_by_hand():
    table = expected_outcomes([0.1, 0.9, 0.4], [0, 1, 1])
    np.testing.assert_allclose(table, [[0.9, 0.1], [0.7, 1.3]])


def test_the_intervals_hold_the_true_figures_of_calibrated_scores():
    held = dict.fromkeys(("matthews_corrcoef", "precision", "recall", "prevalence"), 0)
    for seed in range(100):
        score, y = drawn(seed)
        found = estimate_performance(score, score >= THRESHOLD, draws=199, seed=seed)
        for name, value in true_figures(y, score >= THRESHOLD).items():
            held[name] += found[name].low <= value <= found[name].high
    assert all(88 <= times <= 100 for times in held.values()), held


def test_shifted_priors_are_bayes():
    prior = PriorShift(reference=0.02, current=0.1)
    odds = shift_prior([0.2], prior)[0] / (1 - shift_prior([0.2], prior)[0])
    assert odds == pytest.approx(0.25 * (0.1 / 0.9) / (0.02 / 0.98))
    np.testing.assert_allclose(shift_prior([0.0, 0.3, 1.0], PriorShift(0.1, 0.1)), [0, 0.3, 1])


def test_a_known_shift_of_the_prior_is_allowed_for_and_an_unknown_one_misleads():
    score, y = drawn(0, 60_000)
    random = np.random.default_rng(1)
    kept = (y == 1) | (random.random(len(y)) < 0.25)
    score, y, before = score[kept], y[kept], y.mean()
    truth = true_figures(y, score >= THRESHOLD)
    known = estimate_performance(score, score >= THRESHOLD, prior=PriorShift(before, y.mean()))
    unknown = estimate_performance(score, score >= THRESHOLD)
    for name, value in truth.items():
        assert known[name].value == pytest.approx(value, abs=0.02)
    assert abs(unknown["precision"].value - truth["precision"]) > 0.1


def test_nothing_called_positive():
    found = estimate_performance([0.1, 0.2], [0, 0])
    assert found["precision"].value == found["matthews_corrcoef"].value == 0
    assert found["recall"].value == 0
    certain = estimate_performance([0.0, 0.0], [0, 0])
    assert np.isnan(certain["recall"].value) and np.isnan(certain["recall"].low)


@pytest.mark.parametrize(
    "call",
    [
        lambda: estimate_performance([], []),
        lambda: estimate_performance([0.5], [1, 0]),
        lambda: estimate_performance([1.5], [1]),
        lambda: estimate_performance([np.nan], [1]),
        lambda: PriorShift(0.0, 0.1),
        lambda: PriorShift(0.1, 1.0),
    ],
)
def test_what_is_no_score_is_refused(call):
    with pytest.raises(ShapeError):
        call()
