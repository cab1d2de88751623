"""The pieces of the detection benchmark whose right answers are known."""

import numpy as np
import pytest

from benchmarks.detection_scoring import Judged, bernoulli_divergence, f1, judge, lorden_rows
from benchmarks.detection_streams import (
    DAY,
    END,
    ONSET,
    Pool,
    Stream,
    episodes,
    generated,
    information,
    null_stream,
)
from benchmarks.detection_watchers import HORIZON, watchers
from benchmarks.drift_rules import firing, starts


@pytest.fixture(scope="module")
def pool() -> Pool:
    return generated(rows=6_000)


@pytest.fixture(scope="module")
def drawn(pool: Pool) -> list[Stream]:
    return episodes(pool, 1)


@pytest.mark.parametrize(
    ("alarms", "expected"),
    [
        ([], Judged(0, None)),
        ([50], Judged(1, None)),
        ([100, 130, 170], Judged(0, 0.0)),
        ([20, 50, 130, 140], Judged(2, 30.0)),
        ([201], Judged(0, None)),
    ],
)
def test_alarms_before_the_drift_are_false_and_the_first_after_it_detects(alarms, expected) -> None:
    assert judge(alarms, onset=100, earliest=100, end=200) == expected


def test_an_alarm_before_a_drifted_row_can_be_known_is_false() -> None:
    assert judge([120, 160], onset=100, earliest=150, end=200) == Judged(1, 60.0)


def test_f1_counts_false_alarms_and_missed_episodes() -> None:
    judged = [Judged(0, 5.0), Judged(2, 9.0), Judged(1, None), Judged(0, None)]
    assert f1(judged) == pytest.approx(2 * 2 / (2 * 2 + 3 + 2))
    assert f1([Judged(0, None)]) == 0


def test_lordens_bound_of_a_constant_divergence() -> None:
    assert lorden_rows(np.exp(3), np.full(100, 0.1)) == pytest.approx(30)
    assert lorden_rows(np.exp(3), np.full(100, 0.11)) == pytest.approx(3 / 0.11)
    assert lorden_rows(np.exp(3), np.full(20, 0.1)) == np.inf
    late = np.concatenate([np.zeros(40), np.full(40, 0.1)])
    assert lorden_rows(np.exp(3), late) == pytest.approx(70)


def test_cusum_comes_near_lordens_bound() -> None:
    """Page's test is the one that attains it; none comes below it by more than the first order's error."""
    random, shift, rows = np.random.default_rng(0), 0.5, 4_000
    limit = np.log(1_000)
    delays, between = [], []
    for _ in range(200):
        for moved, found in ((shift, delays), (0.0, between)):
            steps = shift * random.normal(moved, 1, rows) - shift**2 / 2
            walk = np.cumsum(steps)
            high = walk - np.minimum.accumulate(np.concatenate([[0.0], walk]))[:-1]
            above = np.flatnonzero(high > limit)
            found.append(above[0] + 1 if len(above) else rows)
    bound = lorden_rows(float(np.mean(between)), np.full(rows, shift**2 / 2))
    assert 0.8 < np.mean(delays) / bound < 1.3


def test_divergences_are_those_of_the_rows_that_the_simulator_draws(pool: Pool) -> None:
    """A classifier's log odds between drifted and other rows are what a row tells."""
    z = pool.z["x0"]
    with_labels, without = information(pool, "covariate", z, 0.6)
    assert with_labels == without == pytest.approx(0.6**2 / 2, rel=0.05)
    prior = float(pool.chance.mean())
    odds = 2 * prior / (1 - prior)
    told, seen = information(pool, "prior", z, np.log(2))
    assert told == pytest.approx(float(bernoulli_divergence(odds / (1 + odds), prior)))
    assert 0 < seen < told
    told, seen = information(pool, "concept", z, 0.5)
    assert seen == 0 < told
    assert information(pool, "concept", z, 0.0) == (0.0, 0.0)


def test_episodes_are_balanced_and_drift_from_their_onset(drawn: list[Stream]) -> None:
    assert len(drawn) == len({(one.kind, one.shape, one.information[0].sum()) for one in drawn}) == 27
    for one in drawn:
        assert one.onset == ONSET * DAY and len(one.rows) == END * DAY
        assert not one.information[0][: one.onset].any() and one.information[0][one.onset :].any()
    abrupt = next(one for one in drawn if one.kind == "prior" and one.shape == "abrupt")
    assert abrupt.y[abrupt.onset :].mean() > abrupt.y[: abrupt.onset].mean()


@pytest.mark.parametrize("name", ["minorkey: data and score drift", "minorkey: measured harm"])
def test_positives_that_triple_are_seen_and_nothing_is_where_nothing_is(
    name: str, pool: Pool, drawn: list[Stream]
) -> None:
    strong = [one for one in drawn if one.kind == "prior" and one.shape == "abrupt"][-1]
    nothing = null_stream(pool, END, 0)
    for watcher in watchers():
        if watcher.name == name:
            earliest = strong.onset + (HORIZON if watcher.labels else 0)
            alarms = watcher.alarms(strong, watcher.usual, np.inf)
            assert judge(alarms, strong.onset, earliest, len(strong.y)).delay is not None
            assert watcher.alarms(nothing, watcher.usual, np.inf) == []


def test_an_alert_fires_after_its_for_and_begins_once() -> None:
    condition = np.array([1, 1, 0, 1, 1, 1, 1, 0, 1, 1, 1], bool)
    fires = firing(condition, 2)
    assert np.flatnonzero(fires).tolist() == [5, 6, 10]
    assert np.flatnonzero(starts(fires)).tolist() == [5, 10]
