"""Models without harm: what they are like, and what the trigger and the triage make of them."""

import numpy as np
import pytest
from scipy.special import expit

from benchmarks.drift_rules import measured
from benchmarks.null_rates import conditions, system
from benchmarks.null_retunes import adjusted, diagnosed, evidence, retunes
from benchmarks.null_system import HORIZON, WORLDS, Fix, World, live, no_traffic, relive, windows
from minorkey.evaluation.logit_bins import LOGIT_CENTRES, fit_logit_bins
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
    assert whole.sum() == pytest.approx(60 * life.model.rows, rel=0.02)


def test_days_that_differ_show_in_the_reference() -> None:
    still, swinging = (live(np.random.default_rng(0), world, 24) for world in (STILL, World(0.5, 0.2)))
    assert still.design["prevalence"] < 2.5 < swinging.design["prevalence"]
    assert swinging.design["calibration_intercept"] > 2.5


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


def test_runs_keep_to_the_cool_down_the_daily_budget_and_come_ever_less_often() -> None:
    life = live(np.random.default_rng(1), STILL, 24 * 40)
    lasting, broken = np.zeros(24 * 40, bool), np.zeros(24 * 40, bool)
    lasting[810:900] = True
    broken[810:822], broken[824:900] = True, True
    assert [hour for hour, _, _ in retunes(life, {"a": lasting}, seed=0).runs] == [810, 816, 828, 852, 876]
    # An alert that was silent for an hour begins anew.
    assert [hour for hour, _, _ in retunes(life, {"a": broken}, seed=0).runs] == [
        810,
        816,
        824,
        830,
        842,
        866,
        890,
    ]
    both = retunes(life, {"a": lasting, "b": broken, "c": lasting & ~broken}, seed=0).runs
    for start in range(24 * 40):
        assert sum(start <= hour < start + 24 for hour, _, _ in both) <= 4


def test_a_proven_shift_ships_and_its_life_begins_calibrated() -> None:
    random = np.random.default_rng(1)
    life = live(random, STILL, 24 * 120)
    low = relive(random, life, 24 * 30, Fix(-1.0, 1.0, life.model.prevalence, 0))
    assert len(low.rows) == 24 * 90
    fires = np.zeros(len(low.rows), bool)
    fires[24 * 40 :] = True
    came = retunes(low, {"calibration_off": fires}, seed=0)
    assert came.runs == [(24 * 40, "calibration_off", "shift")]
    assert came.fix is not None and came.fix.intercept == pytest.approx(1.0, abs=0.15)
    mended = relive(random, low, 24 * 40, came.fix)
    table = mended.logits.sum(axis=0)
    fitted = fit_logit_bins(table[:, 0], table[:, 1])
    assert fitted.intercept == pytest.approx(0.0, abs=0.15)
    assert mended.model.threshold == pytest.approx(life.model.threshold, abs=0.3)
    assert mended.before.sum() == windows(low.outcome, 720, HORIZON)[24 * 40].sum()


def test_what_later_rows_do_not_prove_does_not_ship() -> None:
    life = live(np.random.default_rng(1), STILL, 24 * 40)
    turned = life.logits.copy()
    # The earlier rows ask for a shift that the later ones, three times as rarely positive, refuse.
    half = len(turned) // 2
    turned[:half, :, 1] *= 4
    turned[half:, :, 1] = np.floor(turned[half:, :, 1] / 3)
    assert adjusted(turned, "shift", looks=1) is None
    assert adjusted(np.tile(life.logits * [1, 3], (2, 1, 1)), "shift", looks=1) is not None


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
    lives = [live(np.random.default_rng(seed), STILL, 24 * 40) for seed in range(8)]
    # Calibrators are fitted on few rows, and some are found out.
    found = [diagnosed(life.logits, life.shown, seed=0).action for life in lives]
    assert found.count("none") >= 4
    life = lives[found.index("none")]
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
