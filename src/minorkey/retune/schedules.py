"""Retunes by the clock: ticks of cron expressions become wishes in the ledger, each once."""

import functools
import hashlib
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog
from cronsim import CronSim

from minorkey.retune.ledger import Ledger
from minorkey.retune.spec import ScheduleSpec
from minorkey.retune.webhook import Event

__all__ = ["Schedules", "newest_tick", "next_tick"]

#: A schedule that is dealt with until so far in the future was read by a clock that has been set since.
_CLOCK_ERROR_SECONDS = 86_400.0

_log = structlog.get_logger("minorkey.retune")


def next_tick(schedule: ScheduleSpec, after: float) -> float:
    """The first tick after a moment, both in seconds since 1970; infinity if there is none.

    Around a change to or from summer time ticks are those of Debian's cron.
    """
    return _tick(schedule, after, reverse=False)


def newest_tick(schedule: ScheduleSpec, until: float) -> float:
    """The last tick at or before a moment, both in seconds since 1970; minus infinity if there is none."""
    return _tick(schedule, until + 1.0, reverse=True)


class Schedules:
    """What the clock asks for.

    Until when a schedule has been dealt with lies in the ledger, so that a trigger that comes back makes up
    for what it missed: once, however many ticks that were, and not at all beyond the starting deadline. Of
    two triggers that see a tick one opens the action: to the ledger it is one event.

    Args:
        ledger: the trigger's.
        wanted: the schedules.
        wall: seconds since 1970 by the clock that people read.
    """

    def __init__(
        self, ledger: Ledger, wanted: Sequence[ScheduleSpec], wall: Callable[[], float] = time.time
    ) -> None:
        self._ledger, self._wanted, self._wall = ledger, wanted, wall
        self._next: dict[str, float] = {}
        self._looked = wall()

    def due(self) -> list[tuple[Event, Callable[[], None]]]:
        """The ticks that have come, each with what is to be called once it is in the ledger.

        Raises:
            StateError: the ledger does not answer.
        """
        found: list[tuple[Event, Callable[[], None]]] = []
        now = self._wall()
        if now < self._looked:
            self._next.clear()
        self._looked = now
        for schedule in self._wanted:
            name = _name(schedule)
            if now < self._next.get(name, now):
                continue
            until = self._until(name, now)
            newest = newest_tick(schedule, now)
            if newest <= until:
                self._next[name] = next_tick(schedule, max(until, now))
                continue

            done = functools.partial(self._dealt_with, name, newest)
            if now - newest > schedule.starting_deadline_seconds:
                _log.warning("tick_missed", model=schedule.model, cron=schedule.cron, late=now - newest)
                done()
            else:
                found.append((_event(schedule, newest), done))
        return found

    def _until(self, name: str, now: float) -> float:
        """Until when a schedule has been dealt with; one that is new until now."""
        with self._ledger.transaction() as (made, _):
            made.change(
                "INSERT INTO minorkey_retune_schedules (name, until) VALUES (%s, %s) "
                "ON CONFLICT (name) DO NOTHING",
                name,
                now,
            )
            ((until,),) = made.rows("SELECT until FROM minorkey_retune_schedules WHERE name = %s", name)
            if until > now + _CLOCK_ERROR_SECONDS:
                _log.warning("clock_set_back", schedule=name, seconds=until - now)
                made.change("UPDATE minorkey_retune_schedules SET until = %s WHERE name = %s", now, name)
                return now
        return float(until)

    def _dealt_with(self, name: str, tick: float) -> None:
        with self._ledger.transaction() as (made, _):
            made.change(
                "UPDATE minorkey_retune_schedules SET until = %s WHERE name = %s AND until < %s",
                tick,
                name,
                tick,
            )


def _tick(schedule: ScheduleSpec, moment: float, *, reverse: bool) -> float:
    place = ZoneInfo(schedule.time_zone)
    ticks = CronSim(schedule.cron, datetime.fromtimestamp(int(moment // 1), place), reverse=reverse)
    tick = next(ticks, None)
    if tick is None:
        return float("-inf" if reverse else "inf")
    return tick.timestamp()


def _name(schedule: ScheduleSpec) -> str:
    return f"{schedule.model} {schedule.time_zone} {' '.join(schedule.cron.split())}"


def _event(schedule: ScheduleSpec, tick: float) -> Event:
    due = datetime.fromtimestamp(tick, ZoneInfo(schedule.time_zone))
    reason = schedule.reason or f"schedule {schedule.cron}"
    return Event(
        fingerprint=f"schedule-{hashlib.sha256(_name(schedule).encode()).hexdigest()[:24]}",
        starts_at=round(tick * 1_000),
        model=schedule.model,
        kind="schedule",
        name=f"{schedule.cron} ({schedule.time_zone})"[:200],
        summary=f"{reason} (due {due:%Y-%m-%d %H:%M %Z})"[:200],
        source="schedule",
    )
