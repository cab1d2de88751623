"""What is chosen on the fresh folds, from simulated out-of-fold scores."""

import dataclasses

import numpy as np
import pytest

from minorkey.data.splits import split_dataset
from minorkey.data.training_set import TrainingSet
from minorkey.errors import SpecError
from minorkey.evaluation.calibration import sigmoid
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


def test_alerts_a_day_without_a_time_are_refused():
    training, _, _ = trained("hash", days=None)
    with pytest.raises(SpecError, match="how many rows come a day"):
        allowed_share(training, ALERTS)
