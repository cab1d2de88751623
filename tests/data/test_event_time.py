"""Which column is taken as the time of the event, and what is said of the others."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from minorkey.data.event_time import find_event_time, look_for_event_time, not_taken_aloud
from minorkey.data.loading import Loaded, load_dataset
from minorkey.data.time_names import NameRank, names_a_time, rank_of_name
from minorkey.spec import DataSpec
from tests.data.raw_frames import rare_frame, write_csv

WHEN = pd.Series(pd.date_range("2024-01-01", periods=400, freq="7h", tz="UTC"))
SHUFFLED = WHEN.sample(frac=1, random_state=0, ignore_index=True)


def _load(folder: Path, **columns: pd.Series) -> Loaded:
    frame = rare_frame().assign(**columns)
    return load_dataset(DataSpec(source=write_csv(frame, folder), target="fraud"))


@pytest.mark.parametrize(
    ("name", "rank"),
    [
        ("transaction_time", NameRank.EVENT),
        ("TX_DATETIME", NameRank.EVENT),
        ("eventTimeMS", NameRank.EVENT),
        ("Order date", NameRank.EVENT),
        ("purchased at", NameRank.EVENT),
        ("occurred", NameRank.EVENT),
        ("happened_on", NameRank.EVENT),
        ("timestamp", NameRank.BARE),
        ("ts", NameRank.BARE),
        ("Date/Time (UTC)", NameRank.BARE),
        ("unix_time", NameRank.BARE),
        ("Reported on", NameRank.DEED),
        ("opened at", NameRank.DEED),
        ("createdAt", NameRank.DEED),
        ("createdat", NameRank.DEED),
        ("logged_at", NameRank.DEED),
        ("send_time", NameRank.DEED),
        ("sendtime", NameRank.DEED),
        ("calendar_date", NameRank.VAGUE),
        ("vendor_ts", NameRank.VAGUE),
        ("Buchungsdatum", NameRank.VAGUE),
        ("station", NameRank.NOTHING),
        ("amount", NameRank.NOTHING),
        ("member since", NameRank.NOTHING),
    ],
)
def test_names_are_read_word_by_word(name: str, rank: NameRank) -> None:
    assert rank_of_name(name) is rank


OTHERS = [
    "label_time",
    "labelled_at",
    "known_at",
    "payment_due_date",
    "duedate",
    "end_date",
    "endDate",
    "contractenddate",
    "event end time",
    "last_updated",
    "updatedAt",
    "modified",
    "birth_date",
    "dateOfBirth",
    "dob",
    "birthday",
    "expiry",
    "card_expires_at",
    "ExpirationDate",
    "valid_until",
    "closed_at",
    "resolution_time",
    "chargeback_date",
    "charge back date",
    "order_delivered_at",
    "next_payment_date",
]


@pytest.mark.parametrize("name", OTHERS)
def test_another_time_is_never_taken(name: str) -> None:
    assert rank_of_name(name) is NameRank.OTHER
    for values in (WHEN, (WHEN - pd.Timestamp(0, tz="UTC")) // pd.Timedelta("1s")):
        found = look_for_event_time(pd.DataFrame({name: values}), [name])
        assert found.name is None
    assert "another time" in look_for_event_time(pd.DataFrame({name: WHEN}), [name]).not_taken[name]


@pytest.mark.parametrize("name", ["Reported on", "opened at", "send_time", "calendar_date", "vendor_ts"])
def test_a_time_by_its_name_is_taken_in_any_order_of_the_rows(tmp_path: Path, name: str) -> None:
    loaded = _load(tmp_path, **{name: SHUFFLED})
    assert loaded.dataset.schema.roles == {"event_time": name}
    assert any(text.startswith(f"{name} is the time of the event") for text in loaded.assumptions)
    assert any(text.endswith("0 times") for text in loaded.assumptions if text.startswith("features: "))


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("name", ["timestamp", "created", "eventTime"])
def test_numbers_since_1970_under_the_name_of_a_time_are_times(tmp_path: Path, name: str, unit: str) -> None:
    numbers = (SHUFFLED - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(1, unit)
    loaded = _load(tmp_path, **{name: numbers})
    assert loaded.dataset.schema.roles == {"event_time": name}
    np.testing.assert_allclose(loaded.dataset.event_time, SHUFFLED.map(pd.Timestamp.timestamp), atol=1e-3)


def test_numbers_written_as_text_are_times_too(tmp_path: Path) -> None:
    numbers = ((WHEN - pd.Timestamp(0, tz="UTC")) // pd.Timedelta("1ms")).astype(str)
    rare_frame().assign(timestamp=numbers).to_parquet(tmp_path / "rows.parquet")
    loaded = load_dataset(DataSpec(source=str(tmp_path / "rows.parquet"), target="fraud"))
    assert loaded.dataset.schema.roles == {"event_time": "timestamp"}
    np.testing.assert_allclose(loaded.dataset.event_time, WHEN.map(pd.Timestamp.timestamp))


@pytest.mark.parametrize(
    ("name", "first", "step"),
    [
        ("seconds_of_time", 0, 60),
        ("timestamp", 631_151_000, 1),
        ("timestamp", 4_102_444_700, 1),
        ("reference", 1_700_000_000, 60),
        ("order", 1_700_000_000, 60),
        ("date", 20_240_101, 1),
    ],
)
def test_other_numbers_are_not(name: str, first: int, step: int) -> None:
    frame = pd.DataFrame({name: first + step * np.arange(400)})
    assert look_for_event_time(frame, [name]) == look_for_event_time(frame, [])


@pytest.mark.parametrize(("name", "said"), [("order_date", True), ("order_number", False)])
def test_dates_in_digits_are_named_and_not_taken(name: str, said: bool) -> None:
    frame = pd.DataFrame({name: WHEN.dt.strftime("%Y%m%d").astype(int)})
    found = look_for_event_time(frame, [name])
    assert found.name is None
    assert [("ISO 8601" in text, "--set" in text) for text in not_taken_aloud(found)] == [
        (True, False)
    ] * said


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(
    ("taken", "other"),
    [
        (("event_time", SHUFFLED), ("created_at", WHEN)),
        (("created_at", WHEN), ("timestamp", SHUFFLED)),
        (("timestamp", SHUFFLED), ("created_at", SHUFFLED)),
        (("reported_on", SHUFFLED), ("vendor_ts", SHUFFLED)),
        (("x", WHEN), ("vendor_ts", SHUFFLED)),
        (("logged", WHEN), ("opened_at", (WHEN - pd.Timestamp(0, tz="UTC")) // pd.Timedelta("1s"))),
    ],
)
def test_of_several_the_best_is_taken_wherever_it_stands(
    taken: tuple[str, pd.Series], other: tuple[str, pd.Series], reverse: bool
) -> None:
    columns = dict([other, taken] if reverse else [taken, other])
    found = look_for_event_time(pd.DataFrame(columns), list(columns))
    assert found.name == taken[0] == find_event_time(pd.DataFrame(columns), list(columns))
    assert found.not_taken == {other[0]: f"{taken[0]} is"}


def test_equal_ones_go_by_their_place() -> None:
    frame = pd.DataFrame({"opened_at": WHEN, "reported_at": WHEN})
    assert find_event_time(frame, ["opened_at", "reported_at"]) == "opened_at"
    assert find_event_time(frame, ["reported_at", "opened_at"]) == "reported_at"


def test_times_that_are_not_taken_are_named_with_the_reason_and_the_way(tmp_path: Path) -> None:
    loaded = _load(
        tmp_path,
        x=SHUFFLED,
        birth_date=WHEN,
        created_at=WHEN.where(np.arange(400) > 5),
        day=WHEN.dt.normalize().where(np.arange(400) < 20, WHEN[0].normalize()),
    )
    said = [text for text in loaded.assumptions if "not taken as the event time" in text]
    assert loaded.dataset.event_time is None
    assert len(said) == 4
    by_name = {text.split()[0]: text for text in said}
    assert "--set data.event_time=x" in by_name["x"]
    assert "another time" in by_name["birth_date"]
    assert "gaps" in by_name["created_at"] and "--set" not in by_name["created_at"]
    assert "values" in by_name["day"]
    (counted,) = [text for text in loaded.assumptions if text.startswith("features: ")]
    assert counted == "features: 3 numbers, 1 category, 4 times (x, birth_date, created_at, day)"


def test_nothing_is_said_where_the_event_time_is_named(tmp_path: Path) -> None:
    source = write_csv(rare_frame().assign(birth_date=WHEN, opened=SHUFFLED), tmp_path)
    loaded = load_dataset(DataSpec(source=source, target="fraud", event_time="opened"))
    assert not any("not taken" in text for text in loaded.assumptions)


@pytest.mark.parametrize("name", ["opened at", "Reported on"])
def test_names_with_blanks_are_quoted(tmp_path: Path, name: str) -> None:
    loaded = _load(tmp_path, **{name: SHUFFLED, "Kunde Nr.": pd.Series(np.arange(400))})
    assert any(f"--keep-column '{name}'" in text for text in loaded.assumptions)
    assert any("--keep-column 'Kunde Nr.' keeps it" in text for text in loaded.assumptions)
    other = _load(tmp_path, **{"birth date": SHUFFLED})
    assert any("--set 'data.event_time=birth date' takes" in text for text in other.assumptions)


@pytest.mark.parametrize(("name", "said"), [("order_number", False), ("created", True), ("order_ts", True)])
def test_which_names_make_times_of_numbers(name: str, said: bool) -> None:
    assert names_a_time(name) is said
