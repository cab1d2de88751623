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
        asked: trials that the specification asks for, over all parts of the study.
        step: the step that runs now.
        phase: what it does, in words.
        running: family of each trial that runs now, by (part, number).
        best: best mean validation score of a complete trial.
        best_family: the family it belongs to.
    """

    asked: int
    step: str = ""
    phase: str = ""
    running: dict[tuple[str, int], str] = field(default_factory=dict)
    best: float | None = None
    best_family: str = ""
    _by_part: dict[str, int] = field(default_factory=dict)
    _finished: set[tuple[str, int]] = field(default_factory=set)
    _since: float | None = None
    _fresh: int = 0

    @property
    def total(self) -> int:
        """Trials to run: what was asked, or more where every part gets at least one."""
        return max(self.asked, sum(self._by_part.values()))

    @property
    def done(self) -> int:
        """Trials finished, also before an interruption."""
        return len(self._finished)

    def take(self, event: Event) -> None:
        """Account for one event. One with ``replayed`` set happened before an interruption."""
        match event["event"]:
            case "step_started":
                self.step, self.phase = str(event["step"]), ""
            case "phase":
                self.phase = str(event.get("text", event.get("phase", "")))
            case "members":
                self.phase = f"fitting models, {event['done']} of {event['total']} done"
            case "study_started":
                part = str(event["part"])
                self._by_part[part] = int(event["trials"])
                self.phase = "searching" if part == "final" else f"searching for {part}"
                self._since = self._since or float(event["time"])
            case "trial_started":
                self.running[str(event["part"]), int(event["number"])] = str(event["family"])
            case "trial_finished":
                self._end_trial(event)

    def seconds_left(self, now: float) -> float | None:
        """Rough seconds until the last trial, from the pace so far; None before three trials."""
        if self._since is None or self._fresh < 3 or self.total <= self.done:
            return None
        return (now - self._since) / self._fresh * (self.total - self.done)

    def _end_trial(self, event: Event) -> None:
        trial = (str(event["part"]), int(event["number"]))
        self.running.pop(trial, None)
        self._finished.add(trial)
        self._fresh += not event.get("replayed", False)
        value = event["value"]
        if event["outcome"] == "complete" and (self.best is None or value > self.best):
            self.best, self.best_family = float(value), str(event["family"])


@contextmanager
def watching(*, quiet: bool, trials: int, stream: TextIO | None = None) -> Iterator[View]:
    """The view that fits: nothing if quiet, live on a terminal, else lines.

    Args:
        quiet: show nothing.
        trials: trials that the specification asks for.
        stream: where to; default: standard error.
    """
    stream = stream or sys.stderr
    if quiet:
        yield lambda event: None
    elif stream.isatty():
        live = _LiveView(Console(file=stream), Progress(trials))
        with live.live:
            yield live
    else:
        yield _LineView(stream, Progress(trials))


class _LiveView:
    def __init__(self, console: Console, progress: Progress) -> None:
        self.progress = progress
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
        if progress.step != "tune":
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

    def __init__(self, stream: TextIO, progress: Progress) -> None:
        self._stream = stream
        self._progress = progress
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
        if event["event"] != "trial_finished" or event.get("replayed"):
            return ""
        tenth = 10 * progress.done // progress.total
        if tenth == self._tenth:
            return ""
        self._tenth = tenth
        best = "none yet" if progress.best is None else f"{progress.best:.4f} ({progress.best_family})"
        return f"  trials {progress.done} of {progress.total}, best AP {best}{_left(progress, ', ')}"


#: Events that carry a text for whoever watches.
_ALOUD = ("assumed", "warned", "waiting")


def _aloud(event: Event) -> str:
    return f"{event['event']}: {event['text']}" if event["event"] in _ALOUD else ""


def _step_line(event: Event) -> str:
    if event["event"] == "step_started":
        return f"{event['step']} ..."
    if event["event"] == "step_finished":
        return f"{event['step']} took {event['seconds']:.1f} s"
    return ""


def _style(event: Event) -> str | None:
    return {"assumed": "cyan", "warned": "yellow", "waiting": "yellow"}.get(event["event"], "dim")


def _left(progress: Progress, before: str = "") -> str:
    seconds = progress.seconds_left(time.time())
    if seconds is None:
        return ""
    left = f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
    return f"{before}about {left} left"
