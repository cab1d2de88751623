"""What is chosen on the fresh folds, from simulated out-of-fold scores."""

import dataclasses

import numpy as np
import pytest

from minorkey.data.splits import split_dataset
from minorkey.data.training_set import TrainingSet
from minorkey.errors import SpecError
from minorkey.evaluation.calibration import sigmoid
from minorkey.evaluation.thresholds import choose_threshold
from minorkey.search.selection import FRESH, OutOfFold, allowed_share, select
from minorkey.spec import SearchSpec, SplitSpec, ThresholdSpec
from minorkey.trials.trial import Configuration
from tests.data.rows import make_dataset

DAYS = 30
ALERTS = ThresholdSpec(policy="alerts_per_day", alerts=20)


def trained(kind, *, days=DAYS, weight=None):
    """A training set of 6,000 rows over 30 days, what its stream is, and a score of every row."""
    data = make_dataset(6_000, positives=300, days=days)
    data = dataclasses.replace(data, weight=weight)
    split = split_dataset(data, SplitSpec(kind=kind), model="m", seed=0)
    training = TrainingSet(data.take(split.train), split.parts, split.membership, split.kind)
    return training, data, split


def chosen(training, split, part, raw, spec):
    folds = training.part(part).partitions[FRESH]
    rows = np.concatenate([fold.valid for fold in folds])
    oof = OutOfFold(
        scores=raw[split.train][rows][None, :],
        rows=rows,
        fold=np.repeat(np.arange(len(folds)), [len(fold.valid) for fold in folds]),
        data=training.dataset.take(rows),
    )
    share = allowed_share(training, spec.threshold)
    return select([Configuration("extra_trees")], oof, spec, most=1, seed=0, share=share), oof


@pytest.mark.parametrize(
    ("kind", "part"), [("hash", "final"), ("repeated_cv", "final"), ("repeated_cv", "outer-0-1")]
)
def test_alerts_a_day_hold_on_the_whole_stream_whatever_part_is_cut(kind, part):
    training, data, split = trained(kind)
    raw = sigmoid(np.random.default_rng(0).normal(size=len(data)) + 2.0 * data.y - 3)
    selected, oof = chosen(training, split, part, raw, SearchSpec(threshold=ALERTS))
    alerts = np.count_nonzero(selected.calibration.apply(raw) >= selected.threshold) / DAYS
    assert alerts == pytest.approx(20, rel=0.06)
    found = selected.validation
    called = found["recall"] * oof.data.positives / found["precision"]
    assert called / len(oof.y) == pytest.approx(20 * DAYS / len(data), rel=0.06)


def test_alerts_a_day_count_rows_and_not_weights():
    plain, _, _ = trained("hash")
    weighted, _, _ = trained("hash", weight=np.random.default_rng(0).uniform(0, 0.01, 6_000))
    assert allowed_share(weighted, ALERTS) == allowed_share(plain, ALERTS)
    assert allowed_share(plain, ThresholdSpec()) is None


def test_alerts_a_day_of_a_thinned_stream_hold_on_the_whole_one():
    """Nine negatives of ten are left out, and those that stay weigh ten."""
    rng = np.random.default_rng(3)
    _, data, _ = trained("hash")
    raw = sigmoid(rng.normal(size=len(data)) + 2.0 * data.y - 3)
    kept = (data.y == 1) | (rng.random(len(data)) < 0.1)
    weight = np.where(data.y[kept] == 1, 1.0, 10.0)
    threshold = choose_threshold(
        data.y[kept], raw[kept], ALERTS, weight=weight, event_time=data.event_time[kept]
    )
    assert np.count_nonzero(raw >= threshold) / DAYS == pytest.approx(20, rel=0.2)


def test_alerts_a_day_hold_where_weights_are_no_counts():
    rng = np.random.default_rng(3)
    _, data, _ = trained("hash")
    raw, weight = rng.random(len(data)), rng.uniform(0, 0.01, len(data))
    threshold = choose_threshold(data.y, raw, ALERTS, weight=weight, event_time=data.event_time)
    assert np.count_nonzero(raw >= threshold) / DAYS == pytest.approx(20, rel=0.02)


@pytest.mark.parametrize(
    ("positives", "kindred"),
    [([40, 40, 40, 40, 40], {2, 3, 4}), ([140] * 5, {2, 3, 4}), ([10, 10], {0, 1}), ([9, 400, 5], {1, 2})],
)
def test_newer_blocks_speak_for_a_refit(positives, kindred):
    """Half of the positives or a hundred, in two blocks at least; without blocks in time every row."""
    fold = np.repeat(np.arange(len(positives)), 500)
    y = np.concatenate([np.arange(500) < count for count in positives]).astype(np.int8)
    data = make_dataset(len(y), positives=300)
    data.y[:] = y
    oof = OutOfFold(np.zeros((1, len(y))), np.arange(len(y)), fold, data, forward=True)
    assert set(fold[oof.kindred]) == kindred
    assert dataclasses.replace(oof, forward=False).kindred.all()


def test_calibrator_and_threshold_of_forward_blocks_come_from_the_newer_ones():
    """Early models that are less sure than a refit must not decide how its scores are read."""
    rng = np.random.default_rng(0)
    data = make_dataset(10_000, positives=1_000)
    fold = np.arange(len(data)) // 2_000
    logit = rng.normal(size=len(data)) + 2.0 * data.y - 3
    raw = sigmoid(np.where(fold < 2, 0.4, 1.0) * logit)
    oof = OutOfFold(raw[None, :], np.arange(len(data)), fold, data, forward=True)
    newer = data.take(fold >= 2)
    alone = OutOfFold(raw[None, fold >= 2], np.arange(len(newer)), fold[fold >= 2], newer, forward=False)
    spec = SearchSpec()
    both, known = (
        select([Configuration("extra_trees")], given, spec, most=1, seed=0) for given in (oof, alone)
    )
    assert both.calibration == known.calibration
    assert both.threshold == known.threshold


def test_alerts_a_day_without_a_time_are_refused():
    training, _, _ = trained("hash", days=None)
    with pytest.raises(SpecError, match="how many rows come a day"):
        allowed_share(training, ALERTS)
