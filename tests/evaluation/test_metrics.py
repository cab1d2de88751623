import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imblearn.metrics import geometric_mean_score
from sklearn import metrics as reference

from minorkey.errors import ShapeError
from minorkey.evaluation.metrics import METRICS, Judged, compute_metrics
from tests.evaluation.strategies import rows

BY_LABEL = {
    "matthews_corrcoef": reference.matthews_corrcoef,
    "f1": reference.f1_score,
    "f1_macro": lambda y, p, **kw: reference.f1_score(y, p, average="macro", zero_division=0, **kw),
    "f1_micro": lambda y, p, **kw: reference.f1_score(y, p, average="micro", **kw),
    "balanced_accuracy": reference.balanced_accuracy_score,
    "precision": lambda y, p, **kw: reference.precision_score(y, p, zero_division=0, **kw),
    "recall": reference.recall_score,
    "specificity": lambda y, p, **kw: reference.recall_score(y, p, pos_label=0, **kw),
    "g_mean": geometric_mean_score,
    "cohen_kappa": reference.cohen_kappa_score,
}
BY_SCORE = {
    "average_precision": reference.average_precision_score,
    "roc_auc": reference.roc_auc_score,
    "brier": reference.brier_score_loss,
    "log_loss": lambda y, p, **kw: reference.log_loss(y, p, labels=[0, 1], **kw),
}


@settings(max_examples=60, deadline=None)
@given(rows(), st.integers(0, 12))
def test_equals_the_reference_implementations(sample, step):
    y, score, weight = sample
    found = compute_metrics(y, score, score, step / 12, weight=weight)
    predicted = score >= step / 12
    for name, expected in BY_LABEL.items():
        assert found[name] == pytest.approx(expected(y, predicted, sample_weight=weight), abs=1e-12), name
    for name, expected in BY_SCORE.items():
        assert found[name] == pytest.approx(expected(y, score, sample_weight=weight), abs=1e-12), name
    assert tuple(found) == METRICS


def test_the_fifteen_names():
    assert " ".join(METRICS) == (
        "average_precision roc_auc matthews_corrcoef f1 f1_macro f1_micro balanced_accuracy precision recall "
        "specificity g_mean cohen_kappa brier log_loss expected_cost"
    )


@settings(max_examples=60, deadline=None)
@given(rows())
def test_a_weight_equals_repetition(sample):
    y, score, weight = sample
    times = weight.astype(int)
    repeated = [np.repeat(values, times) for values in (y, score, score)]
    assert compute_metrics(y, score, score, 0.5, weight=weight) == pytest.approx(
        compute_metrics(*repeated, 0.5), abs=1e-12
    )


def test_many_weightings_at_once_equal_one_at_a_time():
    generator = np.random.default_rng(1)
    y, score = (generator.random(200) < 0.2).astype(int), generator.random(200)
    weights = generator.integers(0, 3, (10, 200)).astype(float)
    together = Judged.of(y, score, score, 0.4).metrics(weights)
    for place, weight in enumerate(weights):
        alone = compute_metrics(y, score, score, 0.4, weight=weight)
        assert {name: values[place] for name, values in together.items()} == pytest.approx(alone, abs=1e-12)


def test_ranking_comes_from_raw_scores_and_the_rest_from_calibrated_ones():
    y, raw = np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.3, 0.4])
    tied = np.full(4, 0.5)
    found = compute_metrics(y, raw, tied, 0.5)
    assert found["average_precision"] == 1.0
    assert found["brier"] == 0.25
    assert found["precision"] == 0.5


def test_expected_cost_counts_misses_and_false_alarms():
    y, score = np.array([1, 1, 0, 0]), np.array([0.9, 0.1, 0.8, 0.2])
    assert compute_metrics(y, score, score, 0.5, costs=(10.0, 1.0))["expected_cost"] == (10 + 1) / 4


def test_expected_cost_takes_the_cost_of_the_row():
    y, score = np.array([1, 1, 0, 0]), np.array([0.9, 0.1, 0.8, 0.2])
    cost = np.array([500.0, 70.0, 9_000.0, 9_000.0])
    found = compute_metrics(y, score, score, 0.5, cost=cost, costs=(10.0, 2.0), weight=np.array([1, 2, 1, 1]))
    assert found["expected_cost"] == pytest.approx((2 * 70 + 2) / 5)


def test_large_counts_do_not_overflow():
    y = np.repeat(np.array([1, 0]), 50_000)
    score = np.where(np.arange(100_000) % 3 == 0, 1 - y, y).astype(float)
    weight = np.full(100_000, 1e6)
    assert compute_metrics(y, score, score, 0.5, weight=weight)["matthews_corrcoef"] == pytest.approx(
        reference.matthews_corrcoef(y, score >= 0.5), abs=1e-12
    )


@pytest.mark.parametrize("label", [0, 1])
def test_with_one_class_only_what_needs_both_is_nan(label):
    found = compute_metrics(np.full(5, label), np.arange(5) / 5, np.arange(5) / 5, 0.5)
    undefined = {name for name, value in found.items() if np.isnan(value)}
    absent = "recall" if label == 0 else "specificity"
    assert {"roc_auc", "balanced_accuracy", "g_mean", absent} <= undefined
    assert not {"f1_micro", "precision", "brier", "log_loss", "expected_cost"} & undefined


def test_scores_that_are_no_probabilities_are_refused():
    with pytest.raises(ShapeError, match=r"\[0, 1\]"):
        compute_metrics([0, 1], [0.1, 2.0], [0.1, 2.0], 0.5)
    with pytest.raises(ShapeError):
        compute_metrics([0, 1], [0.1, 0.2], [0.1, 0.2, 0.3], 0.5)
