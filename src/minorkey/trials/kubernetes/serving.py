"""What a trial pod does: it serves the tasks of its Job.

It runs them, one after the other, in a worker process of its own, and passes on through the study root
what they report, what they are answered and how they end. It ends itself when it has run as many tasks as
it may, when it is told to (its task is reported as evicted), and when the driver has not been heard of for
too long. It talks to no Kubernetes API.
"""

import sys
import threading
import time
from dataclasses import dataclass

from minorkey.trials.executor import Ended, Reported, Task
from minorkey.trials.kubernetes.channel import Channel, Slot
from minorkey.trials.local import LocalExecutor
from minorkey.trials.trial import Outcome

__all__ = ["EXIT_EVICTED", "EXIT_NO_DRIVER", "Pod"]

EXIT_EVICTED = 143
#: The driver's heartbeat has stopped.
EXIT_NO_DRIVER = 75
#: Looks for the next task and for answers: soon at first, rarer when nothing comes.
_SOONEST, _LATEST = 0.05, 1.0
#: The share of the patience after which the heartbeat is looked at again.
_LOOK_SHARE = 10


class _Over(Exception):
    """The pod is to end now."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass
class _Heartbeat:
    """Whether the driver is alive, by this machine's clock alone: its newest beat has to change."""

    channel: Channel
    patience: float
    newest: int | None = None
    changed: float = 0.0
    looked: float = float("-inf")

    def check(self) -> None:
        """Look at it when it is time to.

        Raises:
            _Over: the driver has not been heard of for too long.
        """
        now = time.monotonic()
        if now - self.looked < self.patience / _LOOK_SHARE:
            return
        first = self.looked == float("-inf")
        self.looked = now
        newest = self.channel.newest_beat()
        if first or newest != self.newest:
            self.newest, self.changed = newest, now
        elif now - self.changed > self.patience:
            raise _Over(EXIT_NO_DRIVER, f"no heartbeat of the driver for {self.patience:g} s")


class Pod:
    """Serves the tasks of one Job.

    Args:
        channel: the way to the driver.
        job: name of the Job.
        tasks: how many tasks to run at most.
        cores: cores to use.
        patience: seconds without a heartbeat after which to end.
        told: set when the platform wants the pod to go.
    """

    def __init__(
        self,
        channel: Channel,
        job: str,
        *,
        tasks: int,
        cores: int,
        patience: float,
        told: threading.Event,
    ) -> None:
        self._channel = channel
        self._job = job
        self._tasks = tasks
        self._cores = cores
        self._heartbeat = _Heartbeat(channel, patience)
        self._told = told

    def serve(self) -> int:
        """Run tasks until there is nothing more to do here.

        Returns:
            The exit status.
        """
        try:
            with LocalExecutor(1, cores=self._cores) as worker:
                for number in range(1, self._tasks + 1):
                    slot, task = self._next(number)
                    ended = self._channel.ended(slot)
                    if ended is None:
                        self._run(worker, slot, task)
                    elif ended.outcome is Outcome.EVICTED:
                        break  # a pod before this one was evicted, and the driver runs the task elsewhere
        except _Over as over:
            print(f"{self._job}: {over}", file=sys.stderr, flush=True)
            return over.code
        return 0

    def _next(self, number: int) -> tuple[Slot, Task]:
        """The next task; also one that the pod has no time for any more, so that it is told of."""
        pause = _SOONEST
        while True:
            found = self._channel.assignment(self._job, number)
            if found is not None:
                return found
            self._check()
            time.sleep(pause)
            pause = min(2 * pause, _LATEST)

    def _run(self, worker: LocalExecutor, slot: Slot, task: Task) -> None:
        """Run a task and say how it ended; where the pod has to go first, say that."""
        started = time.monotonic()
        try:
            self._check()
            worker.submit(task)
            while True:
                for event in worker.wait(_LATEST / 5):
                    if isinstance(event, Ended):
                        self._channel.end(slot, event)
                        return
                    self._channel.report(slot, event)
                    worker.answer(task.name, self._answer(slot, event))
                self._check()
        except _Over as over:
            taken = time.monotonic() - started
            self._channel.end(slot, Ended(task.name, Outcome.EVICTED, seconds=taken, error=str(over)))
            raise

    def _answer(self, slot: Slot, reported: Reported) -> bool:
        pause = _SOONEST
        while True:
            self._check()
            answer = self._channel.answered(slot, reported.step)
            if answer is not None:
                return answer
            time.sleep(pause)
            pause = min(2 * pause, _LATEST)

    def _check(self) -> None:
        if self._told.is_set():
            raise _Over(EXIT_EVICTED, "the platform ended the pod")
        self._heartbeat.check()
