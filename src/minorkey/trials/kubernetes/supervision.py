"""The driver at work: tasks into pods, what pods say into events, and what becomes of pods that end."""

import time

from minorkey.progress import emit
from minorkey.trials.executor import Ended, Event, Task
from minorkey.trials.kubernetes.adoption import Legacy
from minorkey.trials.kubernetes.channel import Channel
from minorkey.trials.kubernetes.crew import Crew
from minorkey.trials.kubernetes.fleet import Fleet
from minorkey.trials.kubernetes.inboxes import Inboxes
from minorkey.trials.kubernetes.jobs import task_digest
from minorkey.trials.kubernetes.outcomes import outcome_of, over_deadline, terminated
from minorkey.trials.kubernetes.problems import unfit
from minorkey.trials.kubernetes.timing import Timing
from minorkey.trials.kubernetes.trial_pod import Running
from minorkey.trials.kubernetes.waiting import Waiting
from minorkey.trials.trial import Outcome

__all__ = ["Supervision"]

#: Looks at the study root take at most one part in so many of the driver's time.
_LOOK_SHARE = 20
#: Beats in the time after which pods miss them.
_BEATS = 10


class Supervision:
    """Runs tasks while it is asked to `step`.

    Args:
        channel: the way to the pods.
        fleet: Jobs and pods as last seen, already followed.
        crew: starts and deletes pods.
        waiting: tells why pods wait.
        legacy: what an earlier driver has left.
        timing: how often and how long.
    """

    def __init__(
        self,
        channel: Channel,
        fleet: Fleet,
        crew: Crew,
        waiting: Waiting,
        legacy: Legacy,
        timing: Timing,
    ) -> None:
        self._channel = channel
        self._fleet = fleet
        self._crew = crew
        self._waiting = waiting
        self._legacy = legacy
        self._timing = timing
        self.inboxes = Inboxes(channel, legacy.newest_inbox)
        self._beaten = self._looked = float("-inf")
        self._next_poll = 0.0
        #: Whether any pod has shown that it can run a task.
        self._proven = False
        #: Jobs that are over, and since when that is known.
        self._over: dict[str, float] = {}

    def submit(self, task: Task) -> None:
        """Give a task to a pod, or take over the one that has it."""
        self.beat()
        self._crew.tidy()
        slot = self._legacy.take(task_digest(task), self._channel, self._fleet)
        if slot is None:
            self._place(task, alone=False)
            return
        running = Running(task, slot, adopted=True)
        self._crew.adopt(slot.job, self._legacy.assigned[slot.job]).running = running
        self.inboxes.expect(running)
        if self._crew.is_over(slot.job):
            self._over[slot.job] = time.monotonic()

    def step(self, seconds: float) -> list[Event]:
        """Wait for news so long, and act on it.

        Raises:
            InputError: nothing can run, or the API refuses for good.
        """
        self.beat()
        pause = max(0.0, min(seconds, self._next_poll - time.monotonic()))
        for job in self._fleet.follow(pause):
            if self._crew.get(job) is not None and self._crew.is_over(job):
                self._over.setdefault(job, time.monotonic())
        events = self._poll() if time.monotonic() >= self._next_poll else []
        if time.monotonic() - self._looked >= self._timing.look:
            self._waiting.look(self._crew.jobs(), self._crew.start_held())
            self._looked = time.monotonic()
        return events

    def tidy(self) -> None:
        """Delete pods that are no longer needed, now that what was in them has been taken note of."""
        self._crew.tidy()

    def cancel(self) -> None:
        """End every task and every pod of the study."""
        self.inboxes.clear()
        self._over.clear()
        self._legacy.running.clear()
        self._crew.clear()

    def close(self) -> None:
        """Follow the cluster no longer."""
        self._fleet.stop()

    def beat(self) -> None:
        """Say that the driver is alive, often enough."""
        if time.monotonic() - self._beaten >= self._timing.heartbeat / _BEATS:
            self._beaten = time.monotonic()
            self._channel.beat(time.time())

    def _place(self, task: Task, *, alone: bool) -> None:
        """The task is where its pod looks for it before the pod is there."""
        pod = self._crew.choose(task, alone=alone)
        pod.served += 1
        slot = self.inboxes.slot(pod.job, pod.served, task_digest(task))
        pod.running = Running(task, slot, alone=alone)
        self._channel.assign(slot, task)
        self.inboxes.expect(pod.running)
        if self._crew.get(pod.job) is None:
            self._crew.start(pod)

    def _poll(self) -> list[Event]:
        """Read what pods say; a pod that was over before that has said all that it will say."""
        began = time.monotonic()
        events: list[Event] = []
        for running, event in self.inboxes.read():
            self._proven = True
            events.append(self._ended(running, event) if isinstance(event, Ended) else event)
        for job, since in list(self._over.items()):
            if since <= began:
                events += self._settle(job, since)
        now = time.monotonic()
        self._next_poll = now + max(self._timing.poll, _LOOK_SHARE * (now - began))
        return events

    def _ended(self, running: Running, ended: Ended) -> Ended:
        """Take the end of a task that its pod has told."""
        pod = self._crew.get(running.slot.job)
        if ended.outcome is Outcome.EVICTED and self._late(running):
            ended = Ended(
                ended.name, Outcome.TIMED_OUT, seconds=ended.seconds, error="the pod was over its deadline"
            )
        self._dismiss(running)
        if pod is not None and (ended.outcome is Outcome.EVICTED or pod.served >= pod.capacity):
            self._crew.retire(pod.job)
        return ended

    def _late(self, running: Running) -> bool:
        job = running.slot.job
        return over_deadline(self._fleet.pod(job), self._fleet.job(job))

    def _settle(self, job: str, since: float) -> list[Event]:
        """Find out what became of the task of a pod that is over."""
        pod = self._crew.get(job)
        if pod is None or pod.running is None:
            self._part(job)
            return []
        seen = self._fleet.pod(job)
        # One that ended well has said so, on a way that may be slow; how another ended comes by a watch.
        awaited = seen is not None and seen.get("status", {}).get("phase") != "Failed"
        if awaited and time.monotonic() - since < self._timing.late:
            return []
        running = pod.running
        outcome, why = outcome_of(seen, self._fleet.job(job))
        if outcome is Outcome.CRASHED and seen is not None and not self._proven:
            raise unfit(seen["metadata"]["name"], (terminated(seen) or {}).get("message") or why)
        self._part(job)
        self._dismiss(running)
        if outcome is Outcome.OUT_OF_MEMORY and pod.capacity > 1:
            self._run_alone(running.task)
            return []
        taken = time.monotonic() - running.started
        return [Ended(running.task.name, outcome, seconds=taken, error=why)]

    def _run_alone(self, task: Task) -> None:
        emit("warned", text=f"a shared trial pod ran out of memory; {task.name} is run again in its own")
        self._place(task, alone=True)

    def _dismiss(self, running: Running) -> None:
        self.inboxes.dismiss(running)
        pod = self._crew.get(running.slot.job)
        if pod is not None and pod.running is running:
            pod.running = None

    def _part(self, job: str) -> None:
        self._over.pop(job, None)
        self._crew.retire(job)
