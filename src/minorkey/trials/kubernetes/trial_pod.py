"""What the driver knows of a pod that it has asked for, and of the task in it."""

import time
from dataclasses import dataclass, field

from minorkey.trials.executor import Task
from minorkey.trials.kubernetes.channel import Slot
from minorkey.trials.kubernetes.problems import Problem

__all__ = ["Running", "TrialPod"]


@dataclass
class Running:
    """A task under way.

    Attributes:
        task: the task.
        slot: where it runs.
        adopted: whether an earlier driver started it.
        alone: whether it has a pod to itself since a shared one ran out of memory.
        step: the step that it last reported.
        started: by the monotonic clock.
    """

    task: Task
    slot: Slot
    adopted: bool = False
    alone: bool = False
    step: int = 0
    started: float = field(default_factory=time.monotonic)


@dataclass
class TrialPod:
    """A Job with its pod.

    Attributes:
        job: name of the Job.
        resource: resource class of its tasks.
        capacity: tasks that it runs at most.
        seconds: wall-clock limit of its tasks together.
        served: tasks that it was given.
        running: the task in it.
        held: why the Job could not be created yet.
        evicted: whether its pod was taken away.
        began: when it was asked for, by the monotonic clock.
    """

    job: str
    resource: str
    capacity: int
    seconds: float
    served: int = 0
    running: Running | None = None
    held: Problem | None = None
    evicted: bool = False
    began: float = field(default_factory=time.monotonic)

    def takes(self, task: Task) -> bool:
        """Whether it is free for another task of that kind, and has the time for it."""
        left = self.seconds - (time.monotonic() - self.began)
        return (
            self.running is None
            and not self.evicted
            and self.held is None
            and self.served < self.capacity
            and self.resource == task.resource
            and left >= task.seconds
        )
