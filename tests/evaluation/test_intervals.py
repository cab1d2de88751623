import json

import numpy as np
import pytest

from benchmarks.binormal import Scenario
from minorkey.evaluation.bounds import boyd_interval, wilson_interval
from minorkey.evaluation.intervals import (
    Interval,
    average_precision_interval,
    effective_size,
    mean_freedom,
    metric_intervals,
)
from minorkey.evaluation.metrics import METRICS, compute_metrics


def sample(rows=2_000, prevalence=0.05, seed=0):
    scenario = Scenario("rows", rows, prevalence, 2.5, 0.3)
    y, latent, _ = scenario.draw(np.random.default_rng(seed))
    return y, scenario.probability(latent)


def test_every_metric_has_an_interval_around_its_value():
    y, score = sample()
    found = metric_intervals(y, score, score, 0.3, bootstraps=200)
    values = compute_metrics(y, score, score, 0.3)
    assert tuple(found) == METRICS
    for name, interval in found.items():
        assert interval.value == pytest.approx(values[name], abs=1e-12)
        assert interval.low < interval.value < interval.high, name


def test_the_seed_decides():
    y, score = sample()
    first, again, other = (metric_intervals(y, score, score, 0.3, bootstraps=100, seed=s) for s in (1, 1, 2))
    assert first == again
    assert first != other


def test_the_interval_does_not_depend_on_the_scale_of_raw_scores_or_of_weights():
    y, score = sample(1_000)
    plain = metric_intervals(y, score, score, 0.3, bootstraps=100)
    moved = metric_intervals(y, np.sqrt(score), score, 0.3, bootstraps=100, weight=np.full(1_000, 7.0))
    for name in METRICS:
        assert moved[name].low == pytest.approx(plain[name].low, rel=1e-9)
        assert moved[name].high == pytest.approx(plain[name].high, rel=1e-9)


def test_repeats_are_judged_one_by_one_and_averaged():
    y, score = sample()
    noise = np.random.default_rng(3).normal(0, 1.2, (3, len(y)))
    repeats = 1 / (1 + np.exp(-(np.log(score / (1 - score)) + noise)))
    thresholds = np.array([[0.2], [0.3], [0.4]]) * np.ones(len(y))
    found = metric_intervals(y, repeats, repeats, thresholds, bootstraps=300)
    each = [
        metric_intervals(y, one, one, cut, bootstraps=300)
        for one, cut in zip(repeats, thresholds, strict=True)
    ]
    for name in METRICS:
        assert found[name].value == pytest.approx(np.mean([one[name].value for one in each]), rel=1e-12)
        width = np.mean([one[name].high - one[name].low for one in each])
        # The rows are the same in every repeat: averaging takes away noise of the models alone.
        assert 0.5 * width < found[name].high - found[name].low <= 1.02 * width
    ensemble = average_precision_interval(y, repeats.mean(axis=0), bootstraps=100)
    assert ensemble.value > found["average_precision"].value + 0.02


def test_below_fifty_positives_closed_forms():
    y, score = np.repeat([0, 1], [400, 20]), np.random.default_rng(0).random(420)
    score[400:] += 1
    score /= 2
    found = metric_intervals(y, score, score, 0.6, bootstraps=100)
    precision, recall = found["average_precision"], found["recall"]
    assert (precision.low, precision.high) == boyd_interval(precision.value, 20, 0.95)
    assert (recall.low, recall.high) == wilson_interval(recall.value, 20, 0.95)


def test_rows_that_repeat_within_an_entity_are_worth_one():
    y, score = sample(1_500)
    times = 6
    alone = average_precision_interval(y, score, bootstraps=300)
    repeated = average_precision_interval(
        np.repeat(y, times),
        np.repeat(score, times),
        entity=np.repeat(np.arange(1_500), times),
        bootstraps=300,
    )
    naive = average_precision_interval(np.repeat(y, times), np.repeat(score, times), bootstraps=300)
    width = alone.high - alone.low
    assert repeated.high - repeated.low == pytest.approx(width, rel=0.1)
    assert naive.high - naive.low < 0.6 * width


def test_effective_size():
    counted = np.array([True, True, True, False])
    assert effective_size(counted, weight=None, entity=None) == 3
    assert effective_size(counted, weight=None, entity=["a", "a", "b", "b"]) == pytest.approx(9 / 5)
    assert effective_size(counted, weight=[2, 2, 2, 9], entity=None) == pytest.approx(3)
    assert effective_size(~counted & False, weight=None, entity=None) == 0


def test_a_heavy_tail_leaves_few_degrees_of_freedom():
    generator = np.random.default_rng(0)
    ones = np.ones(2_000)
    even = mean_freedom(generator.normal(size=2_000), ones, None)
    heavy = mean_freedom(np.exp(3 * generator.normal(size=2_000)), ones, None)
    assert even == pytest.approx(2_000, rel=0.2)
    assert heavy < 40
    assert mean_freedom(np.full(50, 0.3), ones[:50], None) == 49
    repeated = np.repeat(generator.normal(size=200), 10)
    assert mean_freedom(repeated, ones, np.repeat(np.arange(200), 10)) < 250


@pytest.mark.parametrize(
    "y",
    [np.zeros(12), np.ones(12), np.eye(1, 12)[0], np.arange(12) < 2, np.empty(0)],
    ids=["no positive", "no negative", "one positive", "two positives", "no rows"],
)
def test_degenerate_rows_never_crash(y):
    score = np.linspace(0, 1, 12)[: len(y)]
    for interval in metric_intervals(y, score, score, 0.5, bootstraps=100).values():
        bounded = not np.isnan(interval.low)
        assert bounded == (not np.isnan(interval.high))
        assert not bounded or interval.low <= interval.value <= interval.high


def test_a_perfect_model_is_not_certain():
    y = np.repeat([1.0, 0.0], [100, 900])
    found = metric_intervals(y, y, y, 0.5, bootstraps=100)
    for name in ("average_precision", "roc_auc", "matthews_corrcoef", "precision", "recall"):
        assert found[name].value == 1
        assert found[name].low < 0.99


def test_json_has_null_for_what_is_unknown():
    interval = Interval(0.5, np.nan, np.nan)
    text = json.dumps(interval.to_json(), allow_nan=False)
    back = Interval.from_json(json.loads(text))
    assert back.value == 0.5
    assert np.isnan([back.low, back.high]).all()


@pytest.mark.parametrize("entities", [0, 200])
def test_coverage(entities):
    scenario = Scenario("", 2_000, 0.04, 2.5, 0.3, entities=entities)
    y, latent, _ = scenario.draw(np.random.default_rng(1), tests=200)
    truth = compute_metrics(y, latent, scenario.probability(latent), 0.3)["average_precision"]
    held = 0
    for simulation in range(100):
        y, latent, entity = scenario.draw(np.random.default_rng([5, simulation]))
        interval = average_precision_interval(y, latent, entity=entity, bootstraps=100, seed=simulation)
        held += interval.low <= truth <= interval.high
    assert held >= 88
