"""The study with real data, real families and real workers."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
import pytest

from minorkey.bundle.members import check_parity
from minorkey.data.dataset import Dataset, Feature, Schema
from minorkey.data.fold_store import FoldStore
from minorkey.data.splits import split_dataset
from minorkey.data.training_set import TrainingSet
from minorkey.errors import InputError, SpecError, StateError
from minorkey.search.driver import fit_members, run_study
from minorkey.search.space_building import facts_of, space_of
from minorkey.search.warm_start import WarmStart
from minorkey.spec import SearchSpec, SplitSpec
from minorkey.trials.local import LocalExecutor
from minorkey.trials.study_root import LocalStudyRoot
from minorkey.trials.trial import Configuration, Outcome
from tests.search.test_recency import base, in_time

SPEC = SearchSpec(
    trials=5, workers=2, families=("logistic_regression",), resamplers=("none",), interactions=False
)


def rows(weighted: bool = False) -> TrainingSet:
    rng = np.random.default_rng(0)
    n = 800
    x = rng.normal(size=(n, 2))
    y = (x[:, 0] + 0.5 * rng.normal(size=n) > 1.4).astype(np.int8)
    dataset = Dataset(
        features=pd.DataFrame({"a": x[:, 0], "b": x[:, 1]}),
        y=y,
        row_id=np.arange(n, dtype=np.uint64),
        schema=Schema((Feature("a", "numeric"), Feature("b", "numeric")), "t", "1", "0"),
        weight=rng.uniform(0.5, 1.5, n) if weighted else None,
    )
    split = split_dataset(dataset, SplitSpec(kind="hash"), model="m", seed=0)
    taken = dataset.take(split.train)
    return TrainingSet(dataset=taken, parts=split.parts, membership=split.membership, kind=split.kind)


@pytest.fixture(scope="module")
def training() -> TrainingSet:
    return rows()


@pytest.fixture(scope="module")
def executor() -> Iterator[LocalExecutor]:
    with LocalExecutor(2) as pool:
        yield pool


def test_a_study_of_a_real_family(training: TrainingSet, tmp_path: Path, executor: LocalExecutor) -> None:
    root, store = LocalStudyRoot(tmp_path / "study"), FoldStore(tmp_path / "folds", 10**9)
    done = run_study(
        training,
        "final",
        SPEC,
        root=root,
        store=store,
        seed=3,
        trials=5,
        on_result=lambda result: None,
        executor=executor,
    )
    complete = [result for result in done.results if result.outcome is Outcome.COMPLETE]
    assert len(done.results) == 5 and complete
    assert all(result.value == pytest.approx(np.mean(result.fold_scores)) for result in complete)
    assert all(len(result.fold_scores) == 5 for result in complete)
    assert max(result.value or 0.0 for result in complete) > 0.6
    assert root.list("trials/final/0000/steps/")


def test_a_study_goes_on_with_the_same_rows_only(
    training: TrainingSet, tmp_path: Path, executor: LocalExecutor
) -> None:
    root, store = LocalStudyRoot(tmp_path / "study"), FoldStore(tmp_path / "folds", 10**9)

    def study(rows: TrainingSet) -> int:
        done = run_study(
            rows,
            "final",
            SPEC,
            root=root,
            store=store,
            seed=3,
            trials=1,
            on_result=lambda result: None,
            executor=executor,
        )
        return len(done.results)

    assert study(training) == study(training) == 1
    features = training.dataset.features.copy()
    features.loc[7, "a"] += 0.25
    with pytest.raises(StateError) as caught:
        study(dataclasses.replace(training, dataset=dataclasses.replace(training.dataset, features=features)))
    assert caught.value.key == "training rows"


def test_members_score_alike_in_python_and_onnx_and_are_kept(
    training: TrainingSet, tmp_path: Path, executor: LocalExecutor
) -> None:
    root, store = LocalStudyRoot(tmp_path / "study"), FoldStore(tmp_path / "folds", 10**9)
    configuration = space_of(training, "final", SPEC).start[0]
    digest = configuration.digest()

    def fit() -> dict[str, object]:
        members = fit_members(
            training,
            "final",
            [configuration],
            SPEC,
            partition=1,
            folds=[0, 1, None],
            root=root,
            store=store,
            seed=0,
            executor=executor,
        )
        assert set(members) == {(digest, 0), (digest, 1), (digest, None)}
        valid = training.part("final").partitions[1][0].valid
        features = training.dataset.features.iloc[valid].reset_index(drop=True)
        member = members[digest, 0]
        assert member.scores is not None and members[digest, None].scores is None
        assert check_parity(member.graph(root), features, member.scores) < 1e-5
        return {key: root.get(key) for key in root.list("members/")}

    first = fit()
    assert len(first) == 6
    assert fit() == first
    assert onnxruntime.InferenceSession(first[f"members/final/{digest}/1-0.onnx"]).get_outputs()


def test_a_member_that_cannot_be_fitted_is_an_error(
    training: TrainingSet, tmp_path: Path, executor: LocalExecutor
) -> None:
    bad = Configuration(family="logistic_regression", model={"nonsense": 1})
    with pytest.raises(InputError) as caught:
        fit_members(
            training,
            "final",
            [bad],
            SPEC,
            partition=1,
            folds=[0],
            root=LocalStudyRoot(tmp_path / "study"),
            store=FoldStore(tmp_path / "folds", 10**9),
            seed=0,
            executor=executor,
        )
    assert caught.value.remedy


@pytest.mark.parametrize(
    "wrong",
    [
        {"families": ("logistic",)},
        {"families": ()},
        {"resamplers": ("magic",)},
        {"resamplers": ("smote_nc",)},
    ],
)
def test_names_are_checked_before_any_work(training: TrainingSet, wrong: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(SpecError) as caught:
        space_of(training, "final", SearchSpec(**wrong))
    assert caught.value.allowed and caught.value.key.startswith("search.")


def test_varying_weights_leave_resampling_out() -> None:
    weighted = rows(weighted=True)
    assert facts_of(weighted, "final").weighted
    space = space_of(weighted, "final", SearchSpec())
    assert "smote" not in space.resamplers
    assert "smote" in space_of(rows(), "final", SearchSpec()).resamplers


def test_configurations_and_parameters_agree(training: TrainingSet) -> None:
    space = space_of(training, "final", SearchSpec())
    for configuration in space.start:
        parameters = space.parameters(configuration)
        assert set(parameters) == set(space.dimensions(configuration.family, configuration.resampler))
        assert (
            space.configuration(
                configuration.family, configuration.resampler, configuration.interactions, parameters
            )
            == configuration
        )


def test_interactions_get_a_place_in_the_portfolio_when_the_budget_goes_beyond_it(
    training: TrainingSet,
) -> None:
    def tried(**asked: object) -> list[Configuration]:
        start = space_of(training, "final", SearchSpec(**asked)).start
        return [one for one in start if one.interactions]

    (only,) = tried(trials=100)
    assert only.family == "lightgbm"
    assert not tried(trials=100, interactions=False) and not tried(trials=3)


def test_a_retune_tries_windows_and_half_lives_and_keeps_what_wins(
    tmp_path: Path, executor: LocalExecutor
) -> None:
    training = in_time(turned=True)
    spec = SPEC.model_copy(update={"trials": 8, "pruner": "none", "sampler": "random"})
    served = Configuration("logistic_regression", {"C": 1.0})
    start = WarmStart.of(base(training, served), training, spec)
    done = run_study(
        training,
        "final",
        spec,
        root=LocalStudyRoot(tmp_path / "study"),
        store=FoldStore(tmp_path / "folds", 10**9),
        seed=0,
        trials=8,
        on_result=lambda result: None,
        enqueue=start.configurations,
        recency=start.recency,
        executor=executor,
    )
    tried = [result.configuration for result in done.results]
    assert tried[0] == served
    assert len({one.train_window for one in tried}) > 2 and len({one.recency_half_life for one in tried}) > 2
    best = max(done.results, key=lambda result: result.value or 0.0).configuration
    assert best.train_window is not None or best.recency_half_life is not None


def test_what_is_enqueued_comes_first_and_a_foreign_family_is_left_out(training: TrainingSet) -> None:
    known = space_of(training, "final", SPEC).start
    foreign = Configuration(family="random_forest", model={})
    space = space_of(training, "final", SPEC, enqueue=[foreign, known[-1]])
    assert space.start[0] == known[-1]
    assert len(space.start) == len(known)
