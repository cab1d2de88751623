"""What runs tasks: local worker processes, pods, and later Ray, behind one protocol."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from minorkey.trials.trial import Outcome

__all__ = ["Ended", "Event", "Executor", "NotANumberError", "Reported", "Task"]


class NotANumberError(Exception):
    """Raised by a task whose value is not a number."""


@dataclass(frozen=True)
class Task:
    """A function call that some worker makes.

    Attributes:
        name: unique among the tasks under way, and the same again after a restart.
        function: ``module:function``, called as ``function(report, threads=..., **arguments)``; it
            returns JSON content. ``report(step, value, folds)`` gives False when it should stop.
        arguments: JSON content.
        seconds: wall-clock limit, without the time that it waits for answers to what it reports.
        memory_mb: limit of the resident memory of the worker and its children, in MiB.
        resource: which kind of worker suits it, where there are several kinds.
    """

    name: str
    function: str
    arguments: dict[str, Any] = field(default_factory=dict)
    seconds: float = 600.0
    memory_mb: int = 4_096
    resource: Literal["cpu", "gpu"] = "cpu"


@dataclass(frozen=True)
class Reported:
    """A task waits to hear whether it should go on (`Executor.answer`)."""

    name: str
    step: int
    value: float
    folds: tuple[float, ...] = ()


@dataclass(frozen=True)
class Ended:
    """A task is over.

    Attributes:
        name: the task's.
        outcome: COMPLETE, CRASHED, OUT_OF_MEMORY, NOT_A_NUMBER, TIMED_OUT or EVICTED.
        content: what the function returned, if the outcome is COMPLETE.
        seconds: wall-clock seconds.
        cpu_seconds: CPU seconds of the worker, all threads, while it ran the task.
        error: why it failed, in one line.
        errno: the operating system's error number behind the failure, 0 if there is none.
    """

    name: str
    outcome: Outcome
    content: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    error: str = ""
    errno: int = 0


Event = Reported | Ended


class Executor(Protocol):
    """Runs at most `slots` tasks at a time; knows nothing of studies.

    An eviction is an outcome like the others: whoever submitted the task submits it again.
    """

    @property
    def slots(self) -> int:
        """How many tasks run at the same time."""
        ...

    @property
    def threads(self) -> int:
        """How many threads each task may use."""
        ...

    @property
    def remote(self) -> bool:
        """Whether tasks run on other machines, which reach nothing but the study root."""
        ...

    def submit(self, task: Task) -> None:
        """Start a task. There must be a free slot."""
        ...

    def answer(self, name: str, go: bool) -> None:
        """Tell a task that has reported whether to go on. Unknown names are ignored: it may have ended."""
        ...

    def wait(self, seconds: float | None = None) -> Sequence[Event]:
        """What happened, in order: at least one event, unless the time is over or nothing runs."""
        ...

    def cancel(self) -> None:
        """End every task under way without an event."""
        ...

    def close(self) -> None:
        """End everything and give back what was used."""
        ...
