"""A retune begins with what served and what was nearly as good."""

import pytest

from minorkey.bundle.bundle import BundleInfo
from minorkey.data.dataset import Schema
from minorkey.data.splits import split_dataset
from minorkey.data.training_set import TrainingSet
from minorkey.evaluation.calibration import Calibration
from minorkey.search.space_building import space_of
from minorkey.search.warm_start import WarmStart, configurations_to_start_from, only_refit, runners_up
from minorkey.spec import SearchSpec, SplitSpec
from minorkey.trials.trial import Configuration
from tests.data.rows import make_dataset

BEST = [
    Configuration("lightgbm", {"num_leaves": 12}, train_window=86_400.0),
    Configuration("logistic_regression", {"C": 0.5}, resampler="random_under"),
    Configuration("extra_trees", {"max_features": 0.5}),
]


def training_set() -> TrainingSet:
    data = make_dataset(2_000, positives=200)
    split = split_dataset(data, SplitSpec(kind="hash"), model="m", seed=0)
    return TrainingSet(data.take(split.train), split.parts, split.membership, split.kind)


def base() -> BundleInfo:
    members = [
        {"weight": 0.3, **BEST[1].to_json()},
        {"weight": 0.7, **BEST[0].to_json()},
    ]
    schema = Schema(features=(), target="y", positive="1", negative="0")
    return BundleInfo("m", schema, 0.5, Calibration(), configuration=members, lineage=runners_up(BEST))


def test_the_members_come_first_and_each_comes_once_with_its_window() -> None:
    found = configurations_to_start_from(base())
    assert [one.family for one in found] == ["lightgbm", "logistic_regression", "extra_trees"]
    assert [one.train_window for one in found] == [86_400.0, None, None]


def test_a_refit_fits_the_members_alone() -> None:
    members = WarmStart.of(base(), training_set(), SearchSpec(refit=True)).configurations
    assert [one.family for one in members] == ["lightgbm", "logistic_regression"]
    spec = only_refit(SearchSpec(trials=40, families=["extra_trees"], interactions=True), members)
    assert (spec.trials, spec.finalists, spec.pruner, spec.portfolio) == (2, 2, "none", False)
    space = space_of(training_set(), "final", spec, enqueue=members)
    assert space.start == members


def test_a_bundle_of_before_tells_its_members_alone() -> None:
    old = BundleInfo(**{**vars(base()), "lineage": {}})
    assert len(configurations_to_start_from(old)) == 2


@pytest.mark.parametrize(
    ("left_out", "spec"),
    [
        (set(), {}),
        ({"extra_trees"}, {"families": ["lightgbm", "logistic_regression"]}),
        ({"logistic_regression"}, {"resamplers": ["none"]}),
    ],
)
def test_what_is_searched_no_more_is_left_out(left_out: set[str], spec: dict[str, list[str]]) -> None:
    known = WarmStart.of(base(), training_set(), SearchSpec(**spec)).configurations
    space = space_of(training_set(), "final", SearchSpec(**spec), enqueue=known)
    tried = {one.family for one in space.start if one in known}
    assert tried == {"lightgbm", "logistic_regression", "extra_trees"} - left_out
    assert space.start[0].family == "lightgbm"
