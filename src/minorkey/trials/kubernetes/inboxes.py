"""Which tasks are under way, and what their pods have said since the last look."""

from minorkey.trials.executor import Ended, Event
from minorkey.trials.kubernetes.channel import Channel, Slot
from minorkey.trials.kubernetes.trial_pod import Running

__all__ = ["Inboxes"]

#: Tasks that share an inbox: a look at it lists a few keys for each of them.
_TASKS = 250


class Inboxes:
    """The driver's end of the channel, for the tasks under way.

    Args:
        channel: the channel.
        newest: the highest number of an inbox that an earlier driver has used.
    """

    def __init__(self, channel: Channel, newest: int) -> None:
        self._channel = channel
        self._number, self._used = newest + 1, 0
        self._tasks: dict[str, Running] = {}
        self._slots: dict[tuple[str, int], Running] = {}
        self._seen: dict[int, set[str]] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    def __contains__(self, name: str) -> bool:
        return name in self._tasks

    def slot(self, job: str, number: int, digest: str) -> Slot:
        """A slot for a new task."""
        if self._used >= _TASKS:
            self._number, self._used = self._number + 1, 0
        self._used += 1
        return Slot(job, number, digest, self._number)

    def expect(self, running: Running) -> None:
        """Listen for a task from now on."""
        self._tasks[running.task.name] = running
        self._slots[running.slot.job, running.slot.number] = running
        self._seen.setdefault(running.slot.inbox, set())

    def dismiss(self, running: Running) -> None:
        """Listen for a task no longer; an inbox that nobody writes into any more is forgotten."""
        self._tasks.pop(running.task.name, None)
        self._slots.pop((running.slot.job, running.slot.number), None)
        inbox = running.slot.inbox
        if all(other.slot.inbox != inbox for other in self._tasks.values()):
            self._seen.pop(inbox, None)

    def clear(self) -> None:
        """Listen for nothing."""
        self._tasks.clear()
        self._slots.clear()
        self._seen.clear()

    def answer(self, name: str, go: bool) -> None:
        """Answer what a task has last reported; unknown names are ignored."""
        running = self._tasks.get(name)
        if running is not None:
            self._channel.answer(running.slot, running.step, go)

    def read(self) -> list[tuple[Running, Event]]:
        """What pods have said of tasks under way since the last look, in order for each task.

        A report that an earlier driver has answered is not news, nor is one of a task that has ended.
        """
        news: list[tuple[Running, Event]] = []
        for inbox, seen in list(self._seen.items()):
            for message in self._channel.inbox(inbox, seen):
                running = self._slots.get((message.slot.job, message.slot.number))
                event = message.event
                if running is None or running.slot.digest != message.slot.digest:
                    continue
                if not isinstance(event, Ended):
                    if running.adopted and self._channel.answered(running.slot, event.step) is not None:
                        continue
                    running.step = event.step
                news.append((running, event))
        return news
