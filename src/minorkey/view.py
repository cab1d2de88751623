"""Progress as people see it: a live view on a terminal, plain lines elsewhere, silence on request."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

__all__ = ["Progress", "View", "watching"]

Event = dict[str, Any]


class View(Protocol):
    """Whatever is told of each event."""

    def __call__(self, event: Event) -> None:
        """Take note of one event of the run."""
        ...


@dataclass
class Progress:
    """What is known of a run from its events.

    Attributes:
        step: the step that runs now.
        phase: what it does, in words.
        total: trials asked for, over all parts of the study.
        done: trials finished.
        running: numbers of the trials that run now, with their families.
        best: best mean validation score of a complete trial.
        best_family: the family it belongs to.
    """

    step: str = ""
    phase: str = ""
    total: int = 0
    done: int = 0
    running: dict[int, str] = field(default_factory=dict)
    best: float | None = None
    best_family: str = ""
    _searching_since: float | None = None
    _done_before: int = 0

    def take(self, event: Event) -> None:
        """Account for one event."""
        match event["event"]:
            case "step_started":
                self.step, self.phase = str(event["step"]), ""
            case "phase":
                self.phase = str(event.get("text", event.get("phase", "")))
            case "study_started":
                self._begin_study(event)
            case "trial_started":
                self.running[event.get("number", -1)] = event.get("family", "")
            case "trial_finished":
                self._end_trial(event)

    def seconds_left(self, now: float) -> float | None:
        """Rough time until the last trial, from the pace so far; None before three trials."""
        fresh = self.done - self._done_before
        if self._searching_since is None or fresh < 3 or self.total <= self.done:
            return None
        return (now - self._searching_since) / fresh * (self.total - self.done)

    def _begin_study(self, event: Event) -> None:
        resumed = int(event.get("done", 0))
        self.total += int(event.get("trials", 0))
        self.done += resumed
        self._done_before += resumed
        self.phase = f"searching {event['part']}" if event.get("part", "final") != "final" else "searching"
        if self._searching_since is None:
            self._searching_since = float(event["time"])

    def _end_trial(self, event: Event) -> None:
        family = self.running.pop(event.get("number", -1), "") or event.get("family", "")
        self.done += 1
        value = event.get("value")
        if event.get("outcome") != "complete" or value is None:
            return
        if self.best is None or value > self.best:
            self.best, self.best_family = float(value), family


@contextmanager
def watching(*, quiet: bool, stream: TextIO | None = None) -> Iterator[View]:
    """The view that fits: nothing if quiet, live on a terminal, else lines."""
    stream = stream or sys.stderr
    if quiet:
        yield lambda event: None
    elif stream.isatty():
        live = _LiveView(Console(file=stream))
        with live.live:
            yield live
    else:
        yield _LineView(stream)


class _LiveView:
    def __init__(self, console: Console) -> None:
        self.progress = Progress()
        self.live = Live(
            console=console,
            get_renderable=self._draw,
            refresh_per_second=4,
            transient=True,
            redirect_stdout=False,
        )

    def __call__(self, event: Event) -> None:
        self.progress.take(event)
        line = _aloud(event) or _step_line(event)
        if line:
            self.live.console.print(line, highlight=False, markup=False, style=_style(event))

    def _draw(self) -> Group:
        progress = self.progress
        heading = Text(progress.step or "starting", style="bold")
        if progress.phase:
            heading.append(f"  {progress.phase}", style="not bold dim")
        if not progress.total or progress.step != "tune":
            return Group(heading)
        table = Table.grid(padding=(0, 2))
        best = "-" if progress.best is None else f"{progress.best:.4f} ({progress.best_family})"
        running = ", ".join(family or "?" for family in progress.running.values()) or "-"
        table.add_row("trials", f"{progress.done} of {progress.total}", _left(progress))
        table.add_row("best AP", best, "")
        table.add_row("running", running, "")
        return Group(heading, ProgressBar(total=progress.total, completed=progress.done, width=60), table)


class _LineView:
    """One line for what changed; trials at every tenth of the way, not one by one."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._progress = Progress()
        self._tenth = 0

    def __call__(self, event: Event) -> None:
        self._progress.take(event)
        line = _aloud(event) or _step_line(event) or self._trial_line(event)
        if line:
            print(line, file=self._stream, flush=True)

    def _trial_line(self, event: Event) -> str:
        progress = self._progress
        if event["event"] == "phase":
            return f"  {progress.phase}"
        if event["event"] != "trial_finished" or not progress.total:
            return ""
        tenth = 10 * progress.done // progress.total
        if tenth == self._tenth:
            return ""
        self._tenth = tenth
        best = "none yet" if progress.best is None else f"{progress.best:.4f} ({progress.best_family})"
        return f"  trials {progress.done} of {progress.total}, best AP {best}{_left(progress, ', ')}"


def _aloud(event: Event) -> str:
    return f"{event['event']}: {event['text']}" if event["event"] in ("assumed", "warned") else ""


def _step_line(event: Event) -> str:
    if event["event"] == "step_started":
        return f"{event['step']} ..."
    if event["event"] == "step_finished":
        return f"{event['step']} took {event['seconds']:.1f} s"
    return ""


def _style(event: Event) -> str | None:
    return {"assumed": "cyan", "warned": "yellow"}.get(event["event"], "dim")


def _left(progress: Progress, before: str = "") -> str:
    seconds = progress.seconds_left(time.time())
    if seconds is None:
        return ""
    left = f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
    return f"{before}about {left} left"
