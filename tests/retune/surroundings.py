"""A trigger with everything around it: runs are files, champion and lease are what the test says."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from minorkey.errors import StateError
from minorkey.retune.clock import LedgerClock
from minorkey.retune.launcher import Launch, Seen
from minorkey.retune.ledger import Ledger
from minorkey.retune.spec import ModelSpec, RetuneSpec
from minorkey.retune.trigger import Surroundings, Trigger
from minorkey.retune.webhook import Delivery, Event, parse_webhook

START = "2026-03-01T00:00:00Z"


@dataclass
class Runs:
    """A place for runs: one file a key, written once, so that a second run of a key would be seen.

    Attributes:
        folder: of the files.
        away: whether it refuses to answer.
        ended: how runs have ended, by key.
        cancelled: why, of those that are to end.
        broken: models whose runs end every question in an error that nobody expects.
    """

    folder: Path
    away: bool = False
    ended: dict[str, Seen] = field(default_factory=dict)
    cancelled: dict[str, str] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)

    def launch(self, launch: Launch) -> str:
        self.require(launch.model)
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / launch.key).open("a") as stream:
            stream.write(json.dumps({"model": launch.model, "kind": launch.kind}) + "\n")
        return launch.key

    def look(self, run_id: str) -> Seen:
        self.require(json.loads((self.folder / run_id).read_text().splitlines()[0])["model"])
        return self.ended.get(run_id, Seen("running"))

    def cancel(self, launch: Launch, run_id: str, why: str) -> None:
        self.require()
        self.cancelled[launch.key] = why

    def forget(self, key: str) -> None:
        (self.folder / key).unlink(missing_ok=True)

    def require(self, model: str = "") -> None:
        if self.away:
            raise StateError("nobody answers", key="runs")
        if model in self.broken:
            raise RuntimeError("a defect")

    @property
    def keys(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir()) if self.folder.exists() else []


class Time:
    """A machine's clocks: the wall clock can be set, the steady one only goes on."""

    def __init__(self) -> None:
        self.wall_time, self.steady_time = 1_800_000_000.0, 1_000.0

    def clock(self) -> LedgerClock:
        return LedgerClock(wall=lambda: self.wall_time, steady=lambda: self.steady_time, boot="boot")

    def go_on(self, seconds: float) -> None:
        self.wall_time += seconds
        self.steady_time += seconds


@dataclass
class World:
    """What the trigger asks for."""

    champions: dict[str, str] = field(default_factory=lambda: {"cards": "3"})
    holders: dict[str, str] = field(default_factory=dict)
    ready: tuple[bool | None, str] = (None, "unknown")
    away: bool = False
    broken: set[str] = field(default_factory=set)

    def surroundings(self) -> Surroundings:
        return Surroundings(self.champion, lambda model: self.holders.get(model, ""), lambda *_: self.ready)

    def champion(self, model: str) -> str:
        if self.away:
            raise StateError("the registry does not answer")
        if model in self.broken:
            raise RuntimeError("a defect")
        return self.champions.get(model, "")


def spec_of(**changes: Any) -> RetuneSpec:
    """A specification for the models cards and claims."""
    models = {name: ModelSpec(spec="unused.yaml") for name in ("cards", "claims")}
    return RetuneSpec(**{"models": models, "cool_down": "1h", "poll_seconds": 1.0, **changes})


def alert(number: int = 1, **changes: Any) -> dict[str, Any]:
    """An alert as Alertmanager sends it."""
    labels = {"alertname": "MinorkeyPerformanceDown", "model": "cards", "version": "3"}
    labels |= {"kind": "performance_down"} | changes.pop("labels", {})
    base = {
        "status": "firing",
        "labels": labels,
        "annotations": {"summary": "performance is down"},
        "startsAt": START,
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus",
        "fingerprint": f"{number:016x}",
    }
    return base | changes


def webhook(*alerts: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A delivery as Alertmanager sends it."""
    base = {
        "version": "4",
        "groupKey": "{}:{}",
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "retune",
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager",
        "alerts": list(alerts),
    }
    return base | changes


def delivery(*alerts: dict[str, Any]) -> Delivery:
    return parse_webhook(webhook(*alerts))


def wish(kind: str = "manual") -> Delivery:
    return Delivery([Event(f"{kind}-{time.time_ns()}", 0, "cards", kind, summary="by hand", source=kind)])


def trigger_of(
    url: str, runs: Runs, world: World, clock: LedgerClock | None = None, **changes: Any
) -> Trigger:
    return Trigger(spec_of(**changes), Ledger(url, clock), runs, world.surroundings())


def wait_until(condition: Callable[[], bool], *, seconds: float = 30.0, every: float = 0.02) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(every)
