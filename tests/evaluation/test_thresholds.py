import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.binormal import Scenario
from minorkey.errors import DataError, SpecError
from minorkey.evaluation.metrics import compute_metrics
from minorkey.evaluation.thresholds import choose_threshold
from minorkey.spec import ThresholdSpec
from tests.evaluation.strategies import rows

POLICIES = [
    {"policy": "max_mcc"},
    {"policy": "max_fbeta", "beta": 2.0},
    {"policy": "min_cost"},
    {"policy": "min_row_cost"},
    {"policy": "min_precision", "floor": 0.5},
    {"policy": "min_recall", "floor": 0.8},
    {"policy": "top_k", "top_fraction": 0.1},
    {"policy": "alerts_per_day", "alerts": 20.0},
]


def sample(n=4_000, seed=0):
    scenario = Scenario("", n, 0.05, 2.5, 0.3)
    y, latent, _ = scenario.draw(np.random.default_rng(seed))
    return y, scenario.probability(latent)


def choose(y, score, seed=0, **spec):
    n = len(y)
    return choose_threshold(
        y,
        score,
        ThresholdSpec(**spec),
        cost=np.full(n, 10.0),
        event_time=86_400.0 * np.arange(n) / 400,
        seed=seed,
    )


@settings(max_examples=30, deadline=None)
@given(rows(), st.sampled_from(POLICIES))
def test_a_threshold_lies_in_a_gap_or_beside_the_scores(sample, spec):
    y, score, _ = sample
    threshold = choose(y, score, **spec)
    ordered = np.unique(score)
    if ordered[0] < threshold < ordered[-1]:
        above = np.searchsorted(ordered, threshold)
        assert threshold == pytest.approx((ordered[above - 1] + ordered[above]) / 2)
    else:
        assert threshold == ordered[0] or threshold > ordered[-1]


@pytest.mark.parametrize("spec", POLICIES, ids=lambda spec: spec["policy"])
def test_the_seed_decides(spec):
    y, score = sample(1_000)
    assert choose(y, score, seed=4, **spec) == choose(y, score, seed=4, **spec)


def test_max_mcc_on_new_rows_reaches_the_oracle():
    (y, score), (y_new, score_new) = sample(8_000), sample(8_000, seed=1)
    chosen = compute_metrics(y_new, score_new, score_new, choose(y, score, policy="max_mcc"))
    oracle = max(
        compute_metrics(y_new, score_new, score_new, threshold)["matthews_corrcoef"]
        for threshold in np.linspace(0.05, 0.95, 91)
    )
    assert chosen["matthews_corrcoef"] > 0.97 * oracle


def test_the_median_moves_less_than_the_optimum():
    chosen, optima = [], []
    for seed in range(12):
        y, score = sample(1_500, seed=seed)
        chosen.append(choose(y, score, policy="max_mcc"))
        grid = np.unique(score[y == 1])
        optima.append(
            grid[np.argmax([compute_metrics(y, score, score, t)["matthews_corrcoef"] for t in grid])]
        )
    assert np.std(chosen) < np.std(optima)


def test_a_weight_equals_repetition_at_an_alert_budget():
    y, score = sample(500)
    times = 1 + np.arange(500) % 3
    spec = ThresholdSpec(policy="top_k", top_fraction=0.2)
    assert choose_threshold(y, score, spec, weight=times) == choose_threshold(
        np.repeat(y, times), np.repeat(score, times), spec
    )


def test_more_costly_misses_lower_the_threshold():
    y, score = sample()
    cheap, dear = (choose(y, score, policy="min_cost", false_negative_cost=cost) for cost in (2.0, 50.0))
    assert dear < cheap
    assert dear == pytest.approx(1 / 51, abs=0.02)


def test_free_misses_raise_no_alert_at_all():
    y, score = sample()
    assert choose(y, score, policy="min_cost", false_negative_cost=0.0) > score.max()


def test_row_costs_move_the_threshold():
    y, score = sample()
    spec = ThresholdSpec(policy="min_row_cost")
    low, high = (choose_threshold(y, score, spec, cost=np.full(len(y), each)) for each in (50.0, 2.0))
    assert low < high


def test_floors_hold_about_half_of_the_time_on_new_rows():
    y, score = sample(20_000)
    precise = choose(y, score, policy="min_precision", floor=0.7)
    sensitive = choose(y, score, policy="min_recall", floor=0.9)
    y_new, score_new = sample(20_000, seed=2)
    assert compute_metrics(y_new, score_new, score_new, precise)["precision"] == pytest.approx(0.7, abs=0.04)
    assert compute_metrics(y_new, score_new, score_new, sensitive)["recall"] == pytest.approx(0.9, abs=0.03)


def test_a_floor_out_of_reach_comes_as_near_as_it_can():
    y, score = np.array([1, 0, 0, 0] * 50), np.tile([0.4, 0.3, 0.2, 0.6], 50)
    assert choose(y, score, policy="min_precision", floor=0.9) == pytest.approx(0.35)


def test_budgets_are_kept():
    y, score = sample()
    assert np.mean(score >= choose(y, score, policy="top_k", top_fraction=0.03)) == pytest.approx(
        0.03, abs=1e-3
    )
    alerts = np.count_nonzero(score >= choose(y, score, policy="alerts_per_day", alerts=20.0))
    assert alerts <= 20 * 10
    assert alerts >= 20 * 10 - 2
    tied = np.repeat([0.9, 0.1], [500, 500])
    assert choose(np.repeat([1, 0], 500), tied, policy="top_k", top_fraction=0.1) > 0.9


def test_what_is_missing_is_named():
    y, score = sample(200)
    with pytest.raises(SpecError) as caught:
        choose_threshold(y, score, ThresholdSpec(policy="alerts_per_day", alerts=5))
    assert "event_time" in caught.value.allowed
    with pytest.raises(SpecError) as caught:
        choose_threshold(y, score, ThresholdSpec(policy="min_row_cost"))
    assert "data.cost" in caught.value.allowed
    with pytest.raises(DataError):
        choose_threshold(np.zeros(200), score, ThresholdSpec())
