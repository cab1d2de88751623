import dataclasses
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minorkey.data.dataset import Dataset
from minorkey.data.durations import DAY, parse_duration, parse_instant
from minorkey.data.membership import seen_in_training
from minorkey.data.splits import Part, Split, split_dataset
from minorkey.errors import DataError, SpecError
from minorkey.spec import SplitSpec
from tests.data.rows import START, make_dataset

FEW = settings(max_examples=20, deadline=None)


def split(dataset: Dataset, *, seed: int = 0, model: str = "m", **keys: object) -> Split:
    return split_dataset(dataset, SplitSpec.model_validate(keys), model=model, seed=seed)


def day(number: float) -> str:
    return pd.Timestamp(START + number * DAY, unit="s").isoformat()


def append(first: Dataset, second: Dataset) -> Dataset:
    def joined(name: str) -> object:
        values = getattr(first, name)
        return None if values is None else np.concatenate([values, getattr(second, name)])

    return dataclasses.replace(
        first,
        features=pd.concat([first.features, second.features], ignore_index=True),
        **{name: joined(name) for name in ("y", "row_id", "entity", "event_time")},
    )


def assert_folds_are_sound(part: Part, y: np.ndarray) -> None:
    assert len(part.partitions) == 2
    for folds in part.partitions:
        validated = np.concatenate([fold.valid for fold in folds])
        assert len(np.unique(validated)) == len(validated)
        for fold in folds:
            assert not np.intersect1d(fold.train, fold.valid).size
            assert np.isin(np.union1d(fold.train, fold.valid), part.rows).all()
            for side in (fold.train, fold.valid):
                assert 0 < y[side].sum() < len(side)


class TestHash:
    @FEW
    @given(seed=st.integers(0, 1_000), entities=st.sampled_from([None, 80]))
    def test_a_side_never_changes_when_rows_are_appended(self, seed: int, entities: int | None) -> None:
        old = make_dataset(400, positives=80, entities=entities, seed=seed)
        new = make_dataset(300, positives=30, entities=entities, seed=seed + 5_000)
        before = split(old, kind="hash")
        after = split(append(old, new), kind="hash", seed=1)
        assert np.array_equal(after.test[after.test < len(old)], before.test)

    def test_the_test_depends_on_the_salt_and_not_on_the_seed(self) -> None:
        data = make_dataset()
        first = split(data, kind="hash", seed=0)
        assert np.array_equal(split(data, kind="hash", seed=9).test, first.test)
        assert not np.array_equal(split(data, kind="hash", model="other").test, first.test)
        assert np.array_equal(split(data, kind="hash", salt="minorkey/m", model="other").test, first.test)
        other_folds = split(data, kind="hash", seed=9).parts[0].partitions[0]
        assert not np.array_equal(other_folds[0].valid, first.parts[0].partitions[0][0].valid)

    @FEW
    @given(seed=st.integers(0, 1_000))
    def test_no_entity_is_on_both_sides(self, seed: int) -> None:
        data = make_dataset(500, positives=100, entities=60, seed=seed)
        made = split(data, kind="hash")
        assert data.entity is not None
        assert not set(data.entity[made.train]) & set(data.entity[made.test])
        inside = data.entity[made.train]
        for folds in made.parts[0].partitions:
            for fold in folds:
                assert not set(inside[fold.train]) & set(inside[fold.valid])

    @FEW
    @given(seed=st.integers(0, 1_000))
    def test_no_identical_row_is_on_both_sides(self, seed: int) -> None:
        data = make_dataset(500, positives=100, distinct=150, seed=seed)
        made = split(data, kind="hash")
        assert not np.isin(data.row_id[made.test], data.row_id[made.train]).any()
        inside = data.row_id[made.train]
        for folds in made.parts[0].partitions:
            for fold in folds:
                assert not np.isin(inside[fold.valid], inside[fold.train]).any()

    def test_rows_without_an_entity_do_not_belong_together(self) -> None:
        data = make_dataset(2_000, positives=300, entities=40)
        assert data.entity is not None
        data.entity[:1_000] = ""
        made = split(data, kind="hash")
        share = np.isin(np.arange(1_000), made.test).mean()
        assert 0.15 < share < 0.25

    def test_folds_hold_equal_positives_and_rows(self) -> None:
        data = make_dataset(3_000, positives=200)
        made = split(data, kind="hash", folds=4)
        y = data.y[made.train]
        assert_folds_are_sound(made.parts[0], y)
        for folds in made.parts[0].partitions:
            assert np.ptp([y[fold.valid].sum() for fold in folds]) <= 1
            assert np.ptp([len(fold.valid) for fold in folds]) <= 2
            assert sum(len(fold.valid) for fold in folds) == len(y)

    def test_folds_stay_balanced_with_more_groups_than_are_dealt_one_by_one(self) -> None:
        data = make_dataset(40_000, positives=400, entities=25_000)
        made = split(data, kind="hash")
        sizes = [len(fold.valid) for fold in made.parts[0].partitions[0]]
        assert np.ptp(sizes) < 0.02 * len(made.train)

    def test_the_test_holds_the_share_asked_for(self) -> None:
        data = make_dataset(20_000, positives=2_000)
        made = split(data, kind="hash", test_fraction=0.3)
        assert len(made.test) / len(data) == pytest.approx(0.3, abs=0.015)

    def test_positives_fewer_than_folds_are_refused(self) -> None:
        with pytest.raises(DataError) as caught:
            split(make_dataset(200, positives=9), kind="hash", folds=12)
        assert caught.value.key == "split.folds"

    def test_keys_of_a_time_split_are_refused(self) -> None:
        with pytest.raises(SpecError) as caught:
            split(make_dataset(), kind="hash", label_delay="7d")
        assert caught.value.key == "split.label_delay"


class TestAuto:
    def test_time_where_there_is_one(self) -> None:
        assert split(make_dataset(days=50)).kind == "time"

    def test_hash_where_the_test_holds_enough_positives(self) -> None:
        assert split(make_dataset(2_000, positives=600)).kind == "hash"

    def test_repeated_cross_validation_where_positives_are_few(self) -> None:
        assert split(make_dataset(2_000, positives=40)).kind == "repeated_cv"

    @pytest.mark.parametrize("kind", ["auto", "time"])
    def test_few_positives_in_the_test_of_a_split_by_time_are_said_aloud(
        self, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        events = tmp_path / "events.jsonl"
        monkeypatch.setenv("MINORKEY_EVENTS", str(events))

        def warned(**keys: object) -> list[str]:
            events.unlink(missing_ok=True)
            made = split(data, kind=kind, **keys)
            assert made.kind == "time"
            counts.append(int(data.y[made.test].sum()))
            lines = [json.loads(line) for line in events.read_text().splitlines()]
            return [line["text"] for line in lines if line["event"] == "warned"]

        data, counts = make_dataset(2_000, positives=100, days=50), []
        (text,) = warned()
        assert f"holds {counts[0]} positives" in text
        assert "split.kind: repeated_cv" in text and "split.test_fraction" in text
        assert warned(min_test_positives=counts[0]) == []
        (text,) = warned(test_start=day(45), test_window="2d")
        assert "split.test_window" in text and "repeated_cv" not in text

    @pytest.mark.parametrize("positives", [0, 600])
    def test_one_class_is_refused(self, positives: int) -> None:
        with pytest.raises(DataError):
            split(make_dataset(600, positives=positives))

    def test_two_positives_are_refused(self) -> None:
        with pytest.raises(DataError) as caught:
            split(make_dataset(600, positives=2))
        assert caught.value.key == "split.outer_folds"

    def test_time_without_an_event_time_is_refused(self) -> None:
        with pytest.raises(SpecError) as caught:
            split(make_dataset(), kind="time")
        assert caught.value.key == "split.kind"


class TestRepeatedCrossValidation:
    def test_every_row_is_tested_by_a_part_that_excludes_it(self) -> None:
        data = make_dataset(300, positives=40, distinct=120)
        made = split(data, kind="repeated_cv", outer_folds=4, outer_repeats=2)
        assert made.outer is not None
        assert made.outer.shape == (2, 300)
        names = [part.name for part in made.parts]
        assert names == ["final", *(f"outer-{repeat}-{fold}" for repeat in range(2) for fold in range(4))]
        for part in made.parts:
            assert_folds_are_sound(part, data.y)
        for part in made.parts[1:]:
            repeat, fold = (int(text) for text in part.name.split("-")[1:])
            outside = np.flatnonzero(made.outer[repeat] == fold)
            assert not np.intersect1d(part.rows, outside).size
            assert len(part.rows) + len(outside) == 300
            assert not np.isin(data.row_id[outside], data.row_id[part.rows]).any()

    def test_outer_folds_do_not_depend_on_the_seed(self) -> None:
        data = make_dataset(300, positives=40)
        first, second = (split(data, kind="repeated_cv", seed=seed) for seed in (0, 1))
        assert np.array_equal(first.outer, second.outer)
        assert not np.array_equal(split(data, kind="repeated_cv", model="other").outer, first.outer)

    def test_positives_in_too_few_entities_are_refused(self) -> None:
        data = make_dataset(300, positives=40, entities=100)
        assert data.entity is not None
        data.entity[data.y == 1] = "c0"
        with pytest.raises(DataError):
            split(data, kind="repeated_cv")


class TestTime:
    @FEW
    @given(seed=st.integers(0, 1_000), delay=st.sampled_from([0, 1, 3, 7]), folds=st.sampled_from([2, 3, 5]))
    def test_gaps_are_kept(self, seed: int, delay: int, folds: int) -> None:
        data = make_dataset(800, positives=160, days=60, seed=seed)
        made = split(data, kind="time", label_delay=f"{delay}d", folds=folds)
        assert data.event_time is not None
        event = data.event_time
        assert event[made.train].max() < event[made.test].min() - delay * DAY
        part, inside = made.parts[0], event[made.train]
        assert_folds_are_sound(part, data.y[made.train])
        for folds_made in part.partitions:
            assert len(folds_made) == folds
            for fold in folds_made:
                assert inside[fold.train].max() < inside[fold.valid].min() - delay * DAY

    def test_partitions_have_different_borders(self) -> None:
        data = make_dataset(800, positives=160, days=60)
        first, second = split(data).parts[0].partitions
        assert not {int(fold.valid[0]) for fold in first} & {int(fold.valid[0]) for fold in second}

    def test_the_test_is_the_last_share_of_the_rows(self) -> None:
        data = make_dataset(800, positives=160, days=60)
        assert np.array_equal(split(data, test_fraction=0.25).test, np.arange(600, 800))

    def test_rows_in_any_order_are_split_alike(self) -> None:
        data = make_dataset(800, positives=160, days=60)
        order = np.random.default_rng(3).permutation(800)
        assert np.array_equal(np.sort(order[split(data.take(order)).test]), split(data).test)

    def test_rows_whose_label_is_not_known_yet_are_on_neither_side(self) -> None:
        data = make_dataset(3_000, positives=600, days=60)
        assert data.event_time is not None
        # A positive is known after two days, a negative by silence after ten; the data end on day 60.
        label = data.event_time + np.where(data.y == 1, 2, 10) * DAY
        data = dataclasses.replace(data, label_time=np.where(label > data.event_time.max(), np.nan, label))
        assert data.label_time is not None
        made = split(data)
        used = np.concatenate([made.train, made.test])
        assert not np.isnan(data.label_time[used]).any()
        # Younger positives are known, and leaving only them in would make the test look easy.
        assert data.event_time[made.test].max() < data.event_time.max() - 9.99 * DAY
        assert 0.15 < data.y[made.test].mean() < 0.25
        assert 0.15 < len(made.test) / np.count_nonzero(~np.isnan(data.label_time)) < 0.2

    def test_the_test_of_a_retune_lies_after_what_its_base_was_trained_on(self) -> None:
        data = make_dataset(2_000, positives=400, days=50)
        assert data.event_time is not None
        spec = SplitSpec(kind="time", test_fraction=0.2)
        until = START + 40 * DAY
        made = split_dataset(data, spec, model="m", seed=0, trained_until=until)
        later = data.event_time >= until
        assert data.event_time[made.test].min() >= until
        assert len(made.test) == pytest.approx(0.5 * later.sum(), rel=0.3), (
            "few positives: up to half of them"
        )
        assert later[made.train].any() and (~later)[made.train].any()
        generous = spec.model_copy(update={"min_test_positives": 5})
        made = split_dataset(data, generous, model="m", seed=0, trained_until=until)
        assert len(made.test) == pytest.approx(0.2 * later.sum(), abs=2)
        with pytest.raises(SpecError) as caught:
            early = spec.model_copy(update={"test_start": day(30)})
            split_dataset(data, early, model="m", seed=0, trained_until=until)
        assert caught.value.key == "split.test_start"
        with pytest.raises(DataError) as unknown:
            split_dataset(data, spec, model="m", seed=0, trained_until=START + 60 * DAY)
        assert unknown.value.key == "base_version"

    @pytest.mark.parametrize("kind", ["hash", "repeated_cv"])
    def test_labels_not_known_yet_need_a_split_by_time(self, kind: str) -> None:
        data = make_dataset(800, positives=160, days=60)
        unknown = np.where(np.arange(800) > 790, np.nan, data.event_time)
        with pytest.raises(SpecError) as caught:
            split(dataclasses.replace(data, label_time=unknown), kind=kind)
        assert caught.value.key == "data.label_time"

    def test_no_label_known_at_all_is_refused(self) -> None:
        data = make_dataset(800, positives=160, days=60)
        with pytest.raises(DataError) as caught:
            split(dataclasses.replace(data, label_time=np.full(800, np.nan)))
        assert caught.value.key == "data.label_time"

    def test_windows_are_kept(self) -> None:
        data = make_dataset(3_000, positives=600, days=60)
        keys = {"train_start": day(10), "train_window": "20d", "test_start": day(40), "test_window": "5d"}
        made = split(data, kind="time", label_delay="5d", **keys)
        assert data.event_time is not None
        train, test = ((data.event_time[rows] - START) / DAY for rows in (made.train, made.test))
        assert train.min() >= 10
        assert 29 < train.max() < 30
        assert test.min() >= 40
        assert 44 < test.max() < 45

    def test_searched_windows_keep_the_longest_history(self) -> None:
        data = make_dataset(3_000, positives=600, days=60)
        made = split(data, kind="time", test_start=day(40), train_window="7d", train_windows=["14d", "21d"])
        assert data.event_time is not None
        assert (data.event_time[made.train].min() - START) / DAY == pytest.approx(19, abs=0.2)
        assert made.membership["train_windows"] == [7 * DAY, 14 * DAY, 21 * DAY]

    def test_labels_not_known_at_the_cut_are_left_out(self) -> None:
        data = make_dataset(2_000, positives=400, days=60)
        assert data.event_time is not None
        rng = np.random.default_rng(0)
        waited = np.where(data.y == 1, rng.uniform(0, 4, 2_000), 4.0) * DAY
        late = rng.random(2_000) < 0.02
        waited[late] = 30 * DAY
        waited[np.flatnonzero(~late)[::100]] = np.nan
        data = dataclasses.replace(data, label_time=data.event_time + waited)
        made = split(data, kind="time")
        assert data.label_time is not None
        assert (data.label_time[made.train] <= data.event_time[made.test].min()).all()
        inside, label = data.event_time[made.train], data.label_time[made.train]
        for folds in made.parts[0].partitions:
            for fold in folds:
                assert (label[fold.train] <= inside[fold.valid].min()).all()

    def test_positives_that_are_known_early_do_not_distort_their_share(self) -> None:
        data = make_dataset(4_000, positives=800, days=60)
        assert data.event_time is not None
        waited = np.where(data.y == 1, 0.5, 7.0) * DAY
        data = dataclasses.replace(data, label_time=data.event_time + waited)
        made = split(data, kind="time")
        last_days = data.event_time[made.train] > data.event_time[made.train].max() - 5 * DAY
        assert data.y[made.train][last_days].mean() == pytest.approx(0.2, abs=0.06)
        assert data.event_time[made.train].max() < data.event_time[made.test].min() - 6.99 * DAY

    def test_a_delay_as_long_as_the_window_gives_blocks_of_time(self) -> None:
        data = make_dataset(2_000, positives=300, days=30)
        made = split(data, kind="time", label_delay="7d", test_start=day(22), train_window="7d")
        part = made.parts[0]
        assert_folds_are_sound(part, data.y[made.train])
        for folds in part.partitions:
            assert len(folds) == 5
            assert sum(len(fold.valid) for fold in folds) == len(made.train)
        first, second = part.partitions
        assert not any(np.array_equal(one.valid, other.valid) for one in first for other in second)

    @pytest.mark.parametrize(
        ("keys", "key"),
        [
            ({"test_start": "2031-01-01"}, "split.test_start"),
            ({"test_start": "soon"}, "split.test_start"),
            ({"train_start": "2031-01-01"}, "split.train_start"),
            ({"label_delay": "7 moons"}, "split.label_delay"),
            ({"exclude_known": "terminal"}, "split.exclude_known"),
        ],
    )
    def test_a_key_that_does_not_fit_is_named(self, keys: dict[str, str], key: str) -> None:
        with pytest.raises(SpecError) as caught:
            split(make_dataset(days=60, entities=50), kind="time", **keys)
        assert caught.value.key == key

    def test_a_side_without_rows_is_refused(self) -> None:
        with pytest.raises(DataError) as caught:
            split(make_dataset(days=60), kind="time", label_delay="70d")
        assert "training" in caught.value.problem

    def test_a_test_without_positives_is_refused(self) -> None:
        data = make_dataset(days=60)
        data.y[480:] = 0
        with pytest.raises(DataError) as caught:
            split(data, kind="time")
        assert "test" in caught.value.problem

    def test_a_missing_event_time_is_refused(self) -> None:
        data = make_dataset(days=60)
        assert data.event_time is not None
        data.event_time[3] = np.nan
        with pytest.raises(DataError):
            split(data, kind="time")

    def test_fewer_positives_than_folds_are_refused(self) -> None:
        data = make_dataset(days=60, positives=30)
        with pytest.raises(DataError) as caught:
            split(data, kind="time", folds=40)
        assert caught.value.key == "split.folds"


class TestKnownEntities:
    """A week of training from day 0, a delay of a week, a test from day 14, as in the published protocol."""

    def known(self, fraud_day: float, test_day: float, *, since: float = 0.0) -> bool:
        data = make_dataset(2_000, positives=300, days=30, entities=1)
        assert data.entity is not None
        assert data.event_time is not None
        data.entity[:] = [f"c{number}" for number in range(2_000)]
        data.entity[0] = data.entity[1] = "victim"
        data.y[0], data.y[1] = 1, 0
        data.event_time[0] = START + fraud_day * DAY
        data.event_time[1] = START + test_day * DAY
        made = split(
            data,
            kind="time",
            train_start=day(since),
            train_window="7d",
            label_delay="7d",
            test_start=day(14),
            test_window="7d",
            exclude_known="customer",
        )
        return 1 not in made.test

    @pytest.mark.parametrize(
        ("fraud_day", "test_day", "known"),
        [
            (0.5, 14.1, True),
            (6.9, 14.0, True),
            (7.1, 14.9, False),
            (7.1, 15.0, True),
            (7.9, 15.9, True),
            (8.1, 15.9, False),
            (12.9, 20.9, True),
            (13.1, 20.9, False),
            (16.0, 20.9, False),
        ],
    )
    def test_frauds_are_known_in_training_or_when_their_delay_has_passed(
        self, fraud_day: float, test_day: float, known: bool
    ) -> None:
        assert self.known(fraud_day, test_day) is known

    def test_frauds_before_the_training_window_do_not_count(self) -> None:
        assert not self.known(0.5, 14.1, since=1.0)

    def test_validation_leaves_out_known_entities_too(self) -> None:
        data = make_dataset(3_000, positives=400, days=30, entities=400)
        keys = {"train_window": "7d", "label_delay": "7d", "test_start": day(22)}
        made = split(data, kind="time", exclude_known="customer", **keys)
        assert data.entity is not None
        inside, y = data.entity[made.train], data.y[made.train]
        for folds in made.parts[0].partitions:
            for fold in folds:
                positive = set(inside[fold.train][y[fold.train] == 1])
                assert not positive & set(inside[fold.valid])


class TestMembership:
    @pytest.mark.parametrize("keys", [{"kind": "hash"}, {"kind": "time", "label_delay": "3d"}])
    def test_it_tells_what_was_trained_on(self, keys: dict[str, str]) -> None:
        data = make_dataset(800, positives=160, days=60)
        made = split(data, **keys)
        seen = seen_in_training(made.membership, data)
        assert seen[made.train].all()
        assert not seen[made.test].any()

    def test_under_repeated_cross_validation_every_row_was(self) -> None:
        data, fresh = make_dataset(300, positives=40), make_dataset(300, positives=40, seed=77)
        membership = split(data, kind="repeated_cv").membership
        assert seen_in_training(membership, data).all()
        assert not seen_in_training(membership, fresh).any()

    def test_in_doubt_a_row_was(self) -> None:
        timed = make_dataset(800, positives=160, days=60)
        membership = split(timed, kind="time").membership
        assert seen_in_training(membership, dataclasses.replace(timed, event_time=None)).all()


class TestDurations:
    @pytest.mark.parametrize(
        ("text", "seconds"), [("7d", 604_800), ("1w 2d", 777_600), ("1.5h", 5_400), ("0d", 0)]
    )
    def test_units(self, text: str, seconds: float) -> None:
        assert parse_duration(text, key="k") == seconds

    @pytest.mark.parametrize("text", ["", "7", "d", "-7d", "7 days"])
    def test_anything_else_is_refused(self, text: str) -> None:
        with pytest.raises(SpecError):
            parse_duration(text, key="k")

    def test_instants_without_a_zone_are_utc(self) -> None:
        assert parse_instant("1970-01-02", key="k") == DAY
        assert parse_instant("1970-01-02T02:00:00+02:00", key="k") == DAY

    @pytest.mark.parametrize("text", ["", "soon", "now", "07/25/2018", "2018-13-01", "9999-12-31"])
    def test_other_instants_are_refused(self, text: str) -> None:
        with pytest.raises(SpecError) as caught:
            parse_instant(text, key="split.test_start")
        assert caught.value.key == "split.test_start"
