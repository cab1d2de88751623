"""Pods that are played instead of run: thousands of them cost next to nothing."""

import json
import threading
from collections.abc import Callable
from pathlib import Path

from minorkey.trials.executor import Ended, Reported
from minorkey.trials.kubernetes.channel import Channel
from minorkey.trials.study_root import LocalStudyRoot
from minorkey.trials.trial import Outcome
from tests.kubernetes.fake.processes import SimulatedPod

__all__ = ["PlayedPods"]


class PlayedPods:
    """Does what the pods' program does, without a process: looks for tasks, reports once, and ends them.

    Args:
        seconds: how long a task takes.
        reports: steps that each task reports before it ends.
        look: seconds between two looks for the next task or answer.

    Attributes:
        started: how often each Job's pod was started.
        ran: the pods that ran each task, by the task's name.
    """

    def __init__(self, seconds: float = 0.0, *, reports: int = 0, look: float = 0.05) -> None:
        self.seconds = seconds
        self.reports = reports
        self.look = look
        self.started: dict[str, int] = {}
        self.ran: dict[str, list[str]] = {}
        self._lock = threading.Lock()

    def __call__(self, pod: SimulatedPod) -> None:
        """Begin to play a pod."""
        options = dict(zip(pod.command[3::2], pod.command[4::2], strict=True))
        channel = Channel(LocalStudyRoot(Path(pod.environment["MINORKEY_STUDY_ROOT"])))
        with self._lock:
            job = options["--job"]
            self.started[job] = self.started.get(job, 0) + 1
        pod.after(0.0, _Part(self, pod, channel, job, int(options["--tasks"])).next_task)

    def note(self, task: str, pod: str) -> None:
        """Remember that a pod ran a task."""
        with self._lock:
            self.ran.setdefault(task, []).append(pod)


class _Part:
    """One pod's part."""

    def __init__(self, play: PlayedPods, pod: SimulatedPod, channel: Channel, job: str, tasks: int) -> None:
        self._play = play
        self._pod = pod
        self._channel = channel
        self._job = job
        self._tasks = tasks
        self._number = 1

    def next_task(self) -> None:
        if self._number > self._tasks:
            self._pod.finish(0)
            return
        found = self._channel.assignment(self._job, self._number)
        if found is None:
            self._later(self.next_task)
            return
        self._slot, self._task = found
        self._play.note(self._task.name, self._pod.name)
        self._pod.after(self._play.seconds, lambda: self.report(0))

    def report(self, step: int) -> None:
        if self._pod.stopping.is_set():
            return
        if step >= self._play.reports:
            content = json.loads(json.dumps({"value": self._task.arguments}))
            self._channel.end(self._slot, Ended(self._task.name, Outcome.COMPLETE, content))
            self._number += 1
            self._pod.after(0.0, self.next_task)
            return
        self._channel.report(self._slot, Reported(self._task.name, step, 0.5, (0.5,)))
        self._later(lambda: self.answered(step))

    def answered(self, step: int) -> None:
        if self._channel.answered(self._slot, step) is None:
            self._later(lambda: self.answered(step))
        else:
            self.report(step + 1)

    def _later(self, function: Callable[[], None]) -> None:
        if not self._pod.stopping.is_set():
            self._pod.after(self._play.look, function)
