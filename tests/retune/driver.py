"""A trigger that takes one alert to the end of its run, for a process of its own.

With a step it kills itself there, as ``kill -9`` would: before or after a method of ledger or launcher, or
within the transaction that records.
"""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from minorkey.retune import entries
from minorkey.retune.launcher import Launch
from minorkey.retune.ledger import Ledger
from minorkey.retune.local_runs import LocalRuns
from minorkey.retune.trigger import Trigger
from minorkey.retune.views import page
from tests.retune.surroundings import World, alert, delivery, spec_of

STEPS = (
    "within record", "after record", "before consider", "within consider", "after consider",
    "after claim_launches", "before launch", "after launch", "before launched", "after launched",
    "before finish", "after finish",
)  # fmt: skip


def main(folder: Path, step: str) -> None:
    runs = LocalRuns(folder / "runs", lambda launch, out: command(folder, launch))
    book = Ledger(f"sqlite:///{folder / 'retune.db'}")
    plant(book, runs, step)
    trigger = Trigger(spec_of(poll_seconds=0.05, claim_seconds=0.4), book, runs, World().surroundings())
    if not (folder / "answered").exists():
        trigger.receive(delivery(alert()))
        (folder / "answered").touch()
    while not all(action.ended for action in page(book, 10).actions):
        trigger.look()
        time.sleep(0.02)


def command(folder: Path, launch: Launch) -> list[str]:
    return ["sh", "-c", f"echo {launch.key} >> {folder / 'ran'}; sleep 0.3"]


def plant(book: Ledger, runs: LocalRuns, step: str) -> None:
    """Put the end into the way of one step."""
    when, _, name = step.partition(" ")
    if when == "within":
        inner = {"record": "write_event", "consider": "begin"}[name]
        setattr(entries, inner, ending(getattr(entries, inner), after=True))
    elif name:
        place: Any = runs if name == "launch" else book
        setattr(place, name, ending(getattr(place, name), after=when == "after"))


def ending(method: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
    def ended(*arguments: Any, **named: Any) -> Any:
        if after:
            method(*arguments, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    return ended
