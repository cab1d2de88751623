"""Retunes by the clock: each tick once, in the time zone that is named, and missed ones made up for once."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from minorkey.errors import SpecError
from minorkey.retune.launcher import Seen
from minorkey.retune.schedules import Schedules, newest_tick, next_tick
from minorkey.retune.spec import RetuneSpec, ScheduleSpec
from minorkey.retune.trigger import Trigger
from minorkey.retune.views import page
from tests.retune.surroundings import Runs, World, trigger_of

NIGHTLY = ScheduleSpec(model="cards", cron="0 3 * * *", reason="every night")


def at(text: str, zone: str = "UTC") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'retune.db'}"


class Clock:
    """A wall clock that a test sets, and triggers that look at it."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.runs, self.time = url, Runs(folder / "runs"), at("2026-06-01 12:00")

    def trigger(self, schedule: ScheduleSpec = NIGHTLY) -> Trigger:
        trigger = trigger_of(self.url, self.runs, World(), schedules=(schedule,), cool_down="1s")
        trigger._schedules = Schedules(trigger.ledger, trigger.spec.schedules, lambda: self.time)
        return trigger

    def wishes(self, trigger: Trigger) -> list[str]:
        return [event["summary"] for event in page(trigger.ledger, 99).events][::-1]


@pytest.fixture
def clock(url: str, tmp_path: Path) -> Clock:
    return Clock(url, tmp_path)


def test_a_tick_starts_one_run_by_the_path_of_the_alerts(clock: Clock) -> None:
    trigger = clock.trigger()
    trigger.look()
    assert clock.wishes(trigger) == [], "what was before the schedule existed is not made up for"
    clock.time = at("2026-06-02 02:59:59")
    trigger.look()
    assert clock.wishes(trigger) == []
    for second in ("03:00:00", "03:00:01", "03:01:00", "12:00:00"):
        clock.time = at(f"2026-06-02 {second}")
        trigger.look()
    assert clock.wishes(trigger) == ["every night (due 2026-06-02 03:00 UTC)"]
    (action,) = page(trigger.ledger, 9).actions
    assert (action.kind, action.source, action.status) == ("schedule", "schedule", "running")
    assert clock.runs.keys == [action.run_key]


def test_a_trigger_that_was_away_makes_up_once_and_not_for_what_is_too_late(clock: Clock) -> None:
    clock.trigger().look()
    clock.time = at("2026-06-09 10:00")
    trigger = clock.trigger()
    trigger.look()
    assert clock.wishes(trigger) == ["every night (due 2026-06-09 03:00 UTC)"]
    clock.time = at("2026-06-12 10:00")
    strict = ScheduleSpec(**{**NIGHTLY.model_dump(), "starting_deadline": "1h"})
    for _ in range(2):
        trigger = clock.trigger(strict)
        trigger.look()
        assert len(clock.wishes(trigger)) == 1
    clock.time = at("2026-06-13 03:30")
    trigger.look()
    assert clock.wishes(trigger)[1:] == ["every night (due 2026-06-13 03:00 UTC)"]


def test_two_triggers_and_one_that_was_killed_in_between_make_one_run(clock: Clock) -> None:
    first, second = clock.trigger(), clock.trigger()
    first.look()
    second.look()
    clock.time = at("2026-06-02 03:00")
    ((event, _),) = first._schedules.due()  # seen by the first, which is killed before it says so
    ((same, _),) = second._schedules.due()
    assert event == same
    for trigger in (second, first, clock.trigger()):
        trigger.look()
        trigger.look()
    assert len(clock.wishes(first)) == len(clock.runs.keys) == len(page(first.ledger, 9).actions) == 1


@pytest.mark.parametrize("days", [-0.5, -400.0, 400.0])
def test_a_clock_that_is_set_repeats_nothing_and_goes_on(clock: Clock, days: float) -> None:
    trigger = clock.trigger()
    trigger.look()
    clock.time = at("2026-06-02 03:00")
    trigger.look()
    clock.runs.ended[clock.runs.keys[0]] = Seen("failed", "no")
    clock.time += days * 86_400
    trigger.look()
    clock.time = at("2026-06-02 03:10")
    trigger.look()
    trigger.look()
    assert clock.wishes(trigger).count("every night (due 2026-06-02 03:00 UTC)") == 1
    clock.time = at("2026-06-03 03:00")
    trigger.look()
    assert clock.wishes(trigger)[-1] == "every night (due 2026-06-03 03:00 UTC)"


def test_a_tick_that_comes_while_the_one_before_waits_joins_it(clock: Clock) -> None:
    trigger = clock.trigger(ScheduleSpec(model="cards", cron="*/10 * * * *"))
    trigger.look()
    clock.time = at("2026-06-01 12:10")
    trigger.look()
    for minute in (20, 30):
        clock.time = at(f"2026-06-01 12:{minute}")
        trigger.look()
    told = [event["disposition"] for event in page(trigger.ledger, 9).events]
    assert sorted(told) == ["joined", "opened", "opened"] and len(clock.runs.keys) == 1


def test_ticks_are_those_of_the_zone_through_summer_time() -> None:
    berlin = ScheduleSpec(model="cards", cron="30 3 * * *", time_zone="Europe/Berlin")
    assert next_tick(berlin, at("2026-01-10 00:00")) == at("2026-01-10 02:30")
    assert next_tick(berlin, at("2026-07-10 00:00")) == at("2026-07-10 01:30")
    gap = ScheduleSpec(model="cards", cron="30 2 * * *", time_zone="Europe/Berlin")
    twice = [next_tick(gap, at("2026-10-25 00:00", "Europe/Berlin"))]
    twice.append(next_tick(gap, twice[0]))
    assert twice[1] - twice[0] == 25 * 3_600, "the hour that comes twice has one tick"
    lost = [next_tick(gap, at("2026-03-28 03:00", "Europe/Berlin"))]
    lost.append(next_tick(gap, lost[0]))
    days = {datetime.fromtimestamp(tick, ZoneInfo("Europe/Berlin")).day for tick in lost}
    assert days == {29, 30}, "the hour that does not come is made up for"
    for moment in (lost[0], lost[0] + 1, lost[1] - 1):
        assert newest_tick(gap, moment) == lost[0]


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"cron": "every night"}, "schedules.cron"),
        ({"cron": "0 0 3 * * *"}, "schedules.cron"),
        ({"cron": "61 3 * * *"}, "schedules.cron"),
        ({"cron": "0 3 31 2 *"}, "schedules.cron"),
        ({"time_zone": "Berlin"}, "schedules.time_zone"),
        ({"time_zone": "../../etc/passwd"}, "schedules.time_zone"),
        ({"starting_deadline": "soon"}, "schedules.starting_deadline"),
        ({"model": "loans"}, "schedules.model"),
    ],
)
def test_a_schedule_that_makes_no_sense_is_refused(changes: dict[str, str], key: str) -> None:
    content = {"model": "cards", "cron": "0 3 * * *", **changes}
    with pytest.raises(SpecError) as caught:
        RetuneSpec.model_validate({"models": {"cards": {"spec": "x"}}, "schedules": [content]})
    assert caught.value.key == key


def test_next_is_after_and_newest_is_not_after() -> None:
    moment = at("2026-06-01 03:00")
    assert next_tick(NIGHTLY, moment) == moment + 86_400
    assert newest_tick(NIGHTLY, moment) == moment
    assert datetime.fromtimestamp(newest_tick(NIGHTLY, moment - 0.5), UTC).day == 31
