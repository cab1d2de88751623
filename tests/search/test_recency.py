"""How far back a study may look: what is offered, what is chosen, and that it helps after a turn."""

import dataclasses
from pathlib import Path

import pytest

from minorkey.bundle.bundle import BundleInfo
from minorkey.data.durations import DAY
from minorkey.data.fold_store import FoldStore
from minorkey.data.splits import split_dataset
from minorkey.data.training_set import TrainingSet
from minorkey.errors import SpecError
from minorkey.evaluation.calibration import Calibration
from minorkey.models import family
from minorkey.search.recency import Recency
from minorkey.search.recency_building import recency_of_retune
from minorkey.search.space_building import space_of
from minorkey.search.warm_start import WarmStart
from minorkey.spec import SearchSpec, SplitSpec
from minorkey.trials.fitting import fit_prepared
from minorkey.trials.scoring import fold_score
from minorkey.trials.trial import Configuration
from tests.data.rows import START, make_dataset

SPEC = SearchSpec(families=("logistic_regression",), resamplers=("none",), interactions=False)
PLAIN = Configuration("logistic_regression", {"C": 1.0})


def in_time(n: int = 3_000, positives: int = 900, *, turned: bool = False, **split: object) -> TrainingSet:
    data = make_dataset(n, positives=positives, days=100)
    if turned:
        features = data.features.copy()
        late = data.event_time > START + 60 * DAY
        features.loc[late, "signal"] = -features.loc[late, "signal"]
        data = dataclasses.replace(data, features=features)
    wanted = SplitSpec.model_validate({"kind": "time", **split})
    made = split_dataset(data, wanted, model="m", seed=0)
    return TrainingSet(data.take(made.train), made.parts, made.membership, made.kind)


def base(training: TrainingSet, *members: Configuration, **changes: object) -> BundleInfo:
    told = [{"weight": 1 / len(members), **one.to_json()} for one in members]
    membership = {**training.membership, "train_end": START + 60 * DAY, **changes}
    return BundleInfo(
        "m", training.dataset.schema, 0.5, Calibration(), configuration=told, membership=membership
    )


def test_a_retune_searches_windows_and_half_lives_and_begins_with_what_served() -> None:
    training = in_time()
    served = dataclasses.replace(PLAIN, train_window=33 * DAY, recency_half_life=11 * DAY)
    start = WarmStart.of(base(training, served), training, SPEC)
    windows, half_lives = start.recency.train_windows, start.recency.half_lives
    assert start.configurations == (served,) and windows[0] is half_lives[0] is None
    assert 33 * DAY in windows and 11 * DAY in half_lives
    since = training.membership["train_end"] - (START + 60 * DAY)
    assert any(one and abs(one - since) < 0.01 * since for one in windows)
    assert len(windows) > 3 and len(half_lives) > 3
    space = space_of(training, "final", SPEC, enqueue=start.configurations, recency=start.recency)
    assert space.start[0] == served and all(one.train_window is None for one in space.start[1:])
    dimensions = space.dimensions("logistic_regression", "none")
    assert dimensions["train_window"].choices == windows
    assert dimensions["recency_half_life"].choices == half_lives
    assert space.parameters(served)["recency_half_life"] == 11 * DAY


def test_a_first_run_searches_neither_unless_asked() -> None:
    training = in_time()
    assert (
        not {"train_window", "recency_half_life"}
        & space_of(training, "final", SPEC).dimensions("logistic_regression", "none").keys()
    )
    asked = SPEC.model_copy(update={"recency_half_lives": ("none", "30d")})
    space = space_of(training, "final", asked)
    assert space.dimensions("logistic_regression", "none")["recency_half_life"].choices == (None, 30 * DAY)
    assert space.start[0].recency_half_life is None


def test_what_the_specification_says_is_what_a_retune_searches() -> None:
    training = in_time(train_windows=["20d", "40d"])
    asked = SPEC.model_copy(update={"recency_half_lives": ("none",)})
    served = dataclasses.replace(PLAIN, train_window=33 * DAY, recency_half_life=11 * DAY)
    start = WarmStart.of(base(training, served), training, asked)
    assert start.recency == Recency((20 * DAY, 40 * DAY), (None,))
    (first,) = start.configurations
    assert (first.train_window, first.recency_half_life) == (40 * DAY, None)
    assert "recency_half_life" not in space_of(training, "final", asked, recency=start.recency).dimensions(
        "logistic_regression", "none"
    )


def test_members_that_differ_in_what_is_not_offered_are_fitted_once() -> None:
    data = make_dataset(2_000, positives=200)
    made = split_dataset(data, SplitSpec(kind="hash"), model="m", seed=0)
    training = TrainingSet(data.take(made.train), made.parts, made.membership, made.kind)
    members = [dataclasses.replace(PLAIN, recency_half_life=one) for one in (None, DAY, 9 * DAY)]
    start = WarmStart.of(base(training, *members), training, SPEC.model_copy(update={"refit": True}))
    assert start.configurations == (PLAIN,)


def test_a_resampler_makes_rows_without_an_age() -> None:
    training = in_time()
    spec = SPEC.model_copy(update={"resamplers": ("none", "random_under"), "recency_half_lives": ("7d",)})
    with pytest.raises(SpecError, match="does not fit these data"):
        space_of(training, "final", spec)
    alone = space_of(training, "final", spec.model_copy(update={"resamplers": None}))
    assert alone.resamplers == {} and {one.recency_half_life for one in alone.start} == {7 * DAY}
    free = spec.model_copy(update={"recency_half_lives": ("none", "7d")})
    space = space_of(training, "final", free)
    assert "recency_half_life" not in space.dimensions("logistic_regression", "random_under")
    assert space.configuration("logistic_regression", "random_under", False, {}).recency_half_life is None


@pytest.mark.parametrize(
    ("value", "key"), [(("30x",), "search"), ((), "search"), (("0d",), "search"), (("none", "0s"), "search")]
)
def test_half_lives_that_are_none_are_refused(value: tuple[str, ...], key: str) -> None:
    with pytest.raises(SpecError) as caught:
        SearchSpec(recency_half_lives=value)
    assert caught.value.key == f"{key}.recency_half_lives"


def test_half_lives_of_rows_without_a_time_are_refused() -> None:
    data = make_dataset(2_000, positives=200)
    made = split_dataset(data, SplitSpec(kind="hash"), model="m", seed=0)
    training = TrainingSet(data.take(made.train), made.parts, made.membership, made.kind)
    with pytest.raises(SpecError) as caught:
        space_of(training, "final", SPEC.model_copy(update={"recency_half_lives": ("7d",)}))
    assert caught.value.key == "search.recency_half_lives"
    assert recency_of_retune(training, "final", SPEC, [PLAIN], None) == Recency()


def test_few_positives_and_folds_that_look_ahead_leave_what_served_alone() -> None:
    few = in_time(2_000, 60)
    offered = recency_of_retune(few, "final", SPEC, [], None)
    assert offered == Recency((None,), (None,))
    blocks = in_time(train_window="30d", label_delay="25d", folds=2)
    served = dataclasses.replace(PLAIN, recency_half_life=11 * DAY)
    assert recency_of_retune(blocks, "final", SPEC, [served], None) == Recency((None,), (None, 11 * DAY))


def test_fading_wins_where_the_concept_turned(tmp_path: Path) -> None:
    """Real fits on the forward blocks of a retune: old rows contradict the new ones."""
    training = in_time(turned=True)
    store, scores = FoldStore(tmp_path, 10**9), {}
    last = len(training.part("final").partitions[0]) - 1
    for half_life in (None, 3 * DAY):
        tried = dataclasses.replace(PLAIN, recency_half_life=half_life)
        fold = store.prepare(
            training, "final", 0, last, tried, encoding=family(tried.family).encoding, seed=0
        )
        model = fit_prepared(fold, tried, seed=0, threads=1)
        scores[half_life] = fold_score(fold.y_valid, model.score(fold.x_valid), fold.w_valid)
    assert scores[3 * DAY] > scores[None] + 0.1
