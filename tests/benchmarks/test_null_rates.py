"""Models without harm: what they are like, and what the trigger and the triage make of them."""

import numpy as np
import pytest
from scipy.special import expit

from benchmarks.drift_rules import measured
from benchmarks.null_rates import conditions, system
from benchmarks.null_retunes import diagnosed, evidence, runs
from benchmarks.null_system import HORIZON, WORLDS, World, live, no_traffic, windows
from minorkey.evaluation.logit_bins import LOGIT_CENTRES
from minorkey.triage.evidence import gather

STILL = World(0.0, 0.0)


def test_windows_hold_what_matured_in_the_last_hours() -> None:
    hourly = np.arange(1.0, 9.0)[:, None]
    np.testing.assert_array_equal(windows(hourly, 3)[:, 0], [1, 3, 6, 9, 12, 15, 18, 21])
    np.testing.assert_array_equal(windows(hourly, 3, delay=2)[:, 0], [0, 0, 1, 3, 6, 9, 12, 15])


def test_a_life_without_harm_is_as_its_reference() -> None:
    life = live(np.random.default_rng(0), STILL, 24 * 60)
    np.testing.assert_array_equal(life.outcome.sum(axis=1), life.logits.sum(axis=1))
    whole = life.outcome.sum(axis=0)
    rate = whole[1, 1] / whole[:, 1].sum()
    spread = np.sqrt(life.rates["true_positive_variance"] + rate * (1 - rate) / whole[:, 1].sum())
    assert abs(rate - life.rates["true_positive"]) < 4 * spread
    assert whole.sum() == pytest.approx(60 * life.facts["rows_a_day"], rel=0.02)


def test_alerts_do_not_fire_on_it_and_do_on_a_decayed_one() -> None:
    life = live(np.random.default_rng(0), STILL, 24 * 60)

    def told(outcome: np.ndarray) -> dict[str, np.ndarray]:
        figures = measured(windows(outcome, 720, HORIZON), windows(life.logits, 720, HORIZON), life.rates, 50)
        return conditions(figures, life)

    assert not any(alert[-1] for alert in told(life.outcome).values())
    missed = life.outcome.copy()
    lost = np.random.default_rng(0).binomial(missed[:, 1, 1].astype(int), 0.6)
    missed[:, 1, 1] -= lost
    missed[:, 0, 1] += lost
    assert told(missed)["performance_down"][-1]


def test_runs_keep_to_the_cool_down_and_the_daily_budget() -> None:
    lasting = np.zeros(72, bool)
    lasting[10:60] = True
    assert [hour for hour, _ in runs({"a": lasting})] == [10, 16, 22, 28, 34, 40, 46, 52, 58]
    both = runs({"a": lasting, "b": lasting})
    for start in range(48):
        assert sum(start <= hour < start + 24 for hour, _ in both) <= 4


def test_evidence_by_bin_is_that_of_rows() -> None:
    random = np.random.default_rng(0)
    places = random.choice(np.arange(8, 28), 4_000)
    y = random.random(4_000) < expit(LOGIT_CENTRES[places])
    table = np.zeros((len(LOGIT_CENTRES), 2))
    np.add.at(table, (places, y.astype(int)), 1)
    score = expit(LOGIT_CENTRES[places])
    mine = evidence(table, 0.2, seed=0, bootstraps=400)
    theirs = gather(y, score, score, prevalence=0.2, bootstraps=400)
    assert (mine.rows, mine.positives) == (theirs.rows, theirs.positives)
    for name in ("roc_auc", "average_precision", "intercept", "slope"):
        one, other = getattr(mine, name), getattr(theirs, name)
        width = other.high - other.low
        assert one.value == pytest.approx(other.value, abs=1e-6), name
        assert one.low == pytest.approx(other.low, abs=0.15 * width), name
        assert one.high == pytest.approx(other.high, abs=0.15 * width), name


def test_the_triage_finds_nothing_without_harm_and_a_lost_ranking() -> None:
    life = live(np.random.default_rng(1), STILL, 24 * 40)
    assert diagnosed(life.logits, life.shown, seed=0).action == "none"
    mixed = life.logits.copy()
    mixed[:, :, 1] = np.roll(mixed[:, :, 1], -6, axis=1)
    assert diagnosed(mixed, life.shown, seed=0).action == "refit"


def test_gaps_of_a_poisson_stream() -> None:
    assert no_traffic(2_000) < 0.01
    assert no_traffic(2_000, quiet=15) > 30
    random, per_minute = np.random.default_rng(0), 0.1
    gaps = random.exponential(1 / per_minute, 200_000)
    assert np.mean(gaps > 20) == pytest.approx(np.exp(-2), rel=0.02)


def test_what_models_come_to_is_counted_with_its_bound() -> None:
    found = system(WORLDS["independent rows"], 2, 2, 0.05)
    assert found["model_months"] == 4
    assert found["tickets_a_month"]["upper_95"] > found["tickets_a_month"]["rate"] >= 0
