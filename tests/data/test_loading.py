from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from minorkey.data.dataset import Dataset, Schema
from minorkey.data.describe import describe, initial_spec, profile_text
from minorkey.data.loading import Loaded, load_dataset
from minorkey.errors import InputError
from minorkey.spec import DataSpec, RunSpec, load_spec
from tests.data.raw_frames import rare_frame, write_csv


def _load(frame: pd.DataFrame, folder: Path, **keys: Any) -> Loaded:
    return load_dataset(DataSpec(source=write_csv(frame, folder), target="fraud", **keys))


def test_the_rarer_value_is_positive_and_said_aloud(tmp_path: Path) -> None:
    frame = rare_frame().assign(fraud=lambda rows: np.where(rows["fraud"] == 1, "bad", "good"))
    loaded = _load(frame, tmp_path)
    np.testing.assert_array_equal(loaded.dataset.y, frame["fraud"] == "bad")
    assert (loaded.dataset.schema.positive, loaded.dataset.schema.negative) == ("bad", "good")
    assert "--positive good" in loaded.assumptions[0]


@pytest.mark.parametrize(("positive", "count"), [(0, 360), ("0", 360), (0.0, 360), (1, 40), (True, 40)])
def test_positive_as_told(tmp_path: Path, positive: Any, count: int) -> None:
    loaded = _load(rare_frame(), tmp_path, positive=positive)
    assert loaded.dataset.positives == count
    assert not any("rarer" in text for text in loaded.assumptions)


def test_boolean_target(tmp_path: Path) -> None:
    frame = rare_frame().assign(fraud=lambda rows: rows["fraud"] == 1)
    assert _load(frame, tmp_path, positive=1).dataset.positives == 40


def test_canonical_form_survives_the_disk(tmp_path: Path) -> None:
    frame = rare_frame().assign(when=pd.date_range("2024-01-01", periods=400, freq="h"), who="c1", price=2.0)
    dataset = _load(frame, tmp_path, entity="who", cost="price").dataset
    dataset.write(tmp_path / "rows.parquet")
    dataset.schema.write(tmp_path / "schema.json")
    again = Dataset.read(tmp_path / "rows.parquet", Schema.read(tmp_path / "schema.json"))
    pd.testing.assert_frame_equal(again.features, dataset.features)
    assert again.digest() == dataset.digest()
    assert again.schema == dataset.schema
    assert dataset.entity is not None
    assert dataset.cost is not None
    assert set(dataset.entity) == {"c1"}
    assert dataset.cost.tolist() == [2.0] * 400


def test_event_time_is_found_and_its_copies_are_left_out(tmp_path: Path) -> None:
    when = pd.date_range("2024-01-01", periods=400, freq="h", tz="UTC")
    frame = rare_frame().assign(
        when=when.astype(str), hours=np.arange(400.0), days=np.arange(400) // 24, hour=np.arange(400) % 24
    )
    shuffled = frame.sample(frac=1, random_state=0)
    loaded = _load(shuffled, tmp_path)
    schema = loaded.dataset.schema
    assert schema.roles == {"event_time": "when"}
    assert {"when", "hours", "days"} == set(schema.left_out)
    assert "hour" in schema.names()
    assert any("when is the time of the event" in text for text in loaded.assumptions)
    np.testing.assert_allclose(
        loaded.dataset.event_time, pd.to_datetime(shuffled["when"]).map(pd.Timestamp.timestamp)
    )


def test_event_time_kept_as_feature_is_none(tmp_path: Path) -> None:
    frame = rare_frame().assign(when=pd.date_range("2024-01-01", periods=400, freq="h"))
    dataset = _load(frame, tmp_path, keep=("when",)).dataset
    assert dataset.event_time is None
    assert dataset.schema.names("datetime") == ["when"]


@pytest.mark.parametrize("name", ["birth_date", "label_time", "due", "visits_until"])
def test_other_times_are_not_the_event_time(tmp_path: Path, name: str) -> None:
    frame = rare_frame().assign(**{name: pd.date_range("1990-01-01", periods=400, freq="D")})
    assert _load(frame, tmp_path).dataset.event_time is None


@pytest.mark.parametrize(
    ("factor", "unit"), [(1, "seconds"), (1_000, "milliseconds"), (10**9, "nanoseconds")]
)
def test_numeric_event_times(tmp_path: Path, factor: int, unit: str) -> None:
    seconds = 1_700_000_000 + np.arange(400)
    loaded = _load(rare_frame().assign(t=seconds * factor), tmp_path, event_time="t")
    np.testing.assert_allclose(loaded.dataset.event_time, seconds, atol=1e-3)
    assert any(unit in text for text in loaded.assumptions)


def test_a_missing_label_time_is_kept_as_not_known_yet(tmp_path: Path) -> None:
    when = pd.date_range("2024-01-01", periods=400, freq="h")
    known = pd.Series(when + pd.Timedelta("2D")).where(np.arange(400) < 350)
    dataset = _load(rare_frame().assign(when=when, known=known), tmp_path, label_time="known").dataset
    assert dataset.label_time is not None
    np.testing.assert_array_equal(np.isnan(dataset.label_time), np.arange(400) >= 350)


def test_identifiers_are_left_out_and_kept_on_request(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = rare_frame(rows=1_000, positives=100)
    frame.insert(0, "", np.arange(1_000))
    frame["customer_id"] = rng.integers(0, 300, size=1_000)
    frame["region_id"] = rng.integers(0, 5, size=1_000)
    frame["name"] = [f"person {i}" for i in rng.permutation(1_000)]
    frame["terminal"] = rng.integers(0, 300, size=1_000)
    frame["cents"] = rng.permutation(1_000) * 7
    frame["paid"] = rng.integers(0, 500, size=1_000)
    schema = _load(frame, tmp_path).dataset.schema
    assert set(schema.left_out) == {"Unnamed: 0", "customer_id", "name", "terminal"}
    kept = _load(frame, tmp_path, keep=("terminal", "name")).dataset.schema
    assert {"terminal", "name"} <= set(kept.names())
    named = _load(frame, tmp_path, features=("amount", "customer_id")).dataset.schema
    assert named.names() == ["amount", "customer_id"]


def test_constant_columns_are_left_out_but_not_those_with_gaps(tmp_path: Path) -> None:
    frame = rare_frame().assign(country="CH", flag=lambda rows: np.where(rows["noise"] > 0, "yes", None))
    schema = _load(frame, tmp_path).dataset.schema
    assert schema.left_out == {"country": "has one value only"}
    assert "flag" in schema.names("categorical")


def test_drop_and_categorical(tmp_path: Path) -> None:
    frame = rare_frame().assign(code=np.arange(400) % 7)
    schema = _load(frame, tmp_path, drop=("noise",), categorical=("code",)).dataset.schema
    assert schema.names("categorical") == ["channel", "code"]
    assert schema.left_out == {"noise": "dropped by data.drop"}


def test_row_ids_ignore_the_label_and_tell_rows_apart(tmp_path: Path) -> None:
    frame = rare_frame().assign(w=1.0)
    ids = _load(frame, tmp_path, weight="w").dataset.row_id
    relabelled = frame.assign(fraud=frame["fraud"].to_numpy()[::-1], w=2.0)
    np.testing.assert_array_equal(_load(relabelled, tmp_path, weight="w").dataset.row_id, ids)
    assert len(set(ids)) == 400
    assert ids.dtype == np.uint64
    twice = pd.concat([frame, frame.head(3)])
    np.testing.assert_array_equal(_load(twice, tmp_path, weight="w").dataset.row_id[-3:], ids[:3])
    changed = frame.assign(noise=frame["noise"] + (np.arange(400) == 5))
    differs = _load(changed, tmp_path, weight="w").dataset.row_id != ids
    assert np.flatnonzero(differs).tolist() == [5]


def test_same_rows_from_other_formats_are_the_same_data_set(tmp_path: Path) -> None:
    frame = rare_frame().assign(when=pd.date_range("2024-01-01", periods=400, freq="h"))
    frame.to_parquet(tmp_path / "rows.parquet")
    from_csv = _load(frame, tmp_path).dataset
    spec = DataSpec(source=str(tmp_path / "rows.parquet"), target="fraud")
    assert load_dataset(spec).dataset.digest() == from_csv.digest()


def test_the_first_spec_loads_and_finds_the_same_data(tmp_path: Path) -> None:
    frame = rare_frame().assign(
        when=pd.date_range("2024-01-01", periods=400, freq="h"), row_id=np.arange(400), answer=1
    )
    source = write_csv(frame, tmp_path)
    spec = RunSpec(model="cards", data=DataSpec(source=source, target="fraud"))
    path = tmp_path / "spec.yaml"
    path.write_text(initial_spec(spec))
    written = load_spec(path)
    assert written.model == "cards"
    assert written.data.event_time == "when"
    loaded = load_dataset(written.data)
    assert loaded.profile["digest"] == describe(spec).profile["digest"]
    assert len(loaded.assumptions) < len(describe(spec).assumptions)


def test_profile_text_names_what_matters(tmp_path: Path) -> None:
    loaded = _load(rare_frame().assign(row_id=np.arange(400)), tmp_path)
    text = profile_text(loaded)
    for part in ("40 (10.000%)", "9.0 negatives", "left out row_id", "channel", "categorical"):
        assert part in text


def test_builtin_cards_bring_their_target_and_roles() -> None:
    loaded = load_dataset(DataSpec(options={"rows": 4_000, "days": 14, "fraud_share": 0.02}))
    schema = loaded.dataset.schema
    assert (schema.target, schema.positive) == ("fraud", "1")
    assert schema.roles == {"event_time": "time", "entity": "customer", "label_time": "label_time"}
    assert {"transaction_id", "time", "customer", "terminal", "label_time"} <= set(schema.left_out)
    assert {"amount", "country"} <= set(schema.names())
    assert loaded.dataset.label_time is not None
    assert (loaded.dataset.label_time >= loaded.dataset.event_time).all()
    assert not any("rarer" in text for text in loaded.assumptions)


def test_the_scenario_of_a_fraud_is_a_leak() -> None:
    options = {"rows": 4_000, "days": 14, "fraud_share": 0.02, "scenario": True}
    schema = load_dataset(DataSpec(options=options)).dataset.schema
    assert schema.left_out["scenario"].startswith("leak suspect")


@pytest.mark.parametrize(("options", "key"), [({"row": 10}, "row"), ({"rows": "many"}, "rows")])
def test_wrong_options_of_the_generator(options: dict[str, Any], key: str) -> None:
    with pytest.raises(InputError) as caught:
        load_dataset(DataSpec(options=options))
    assert key in caught.value.key


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_the_kind_of_a_column_says_how_it_is_compared_with_the_event_time(
    tmp_path: Path, suffix: str
) -> None:
    rng = np.random.default_rng(0)
    frame = rare_frame().assign(
        when=pd.date_range("2024-01-01", periods=400, freq="h"),
        flag=rng.choice(np.array([True, False, None], dtype=object), size=400),
        text=[str(value) for value in rng.integers(0, 50, size=400)],
        clock=[f"{hour}.5" for hour in range(400)],
        huge=[str(2**70 + int(value)) for value in rng.integers(0, 50, size=400)],
    )
    path = tmp_path / f"rows.{suffix}"
    frame.to_csv(path, index=False) if suffix == "csv" else frame.to_parquet(path)
    schema = load_dataset(DataSpec(source=str(path), target="fraud", keep=("huge",))).dataset.schema
    assert schema.roles == {"event_time": "when"}
    assert {"flag", "text", "huge"} <= set(schema.names("numeric"))
    assert schema.left_out["clock"] == "rises and falls with when, the event time"
