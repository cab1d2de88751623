"""How the driver and the pods of a study talk: small immutable objects under the study root.

::

    channel/to/<job>/0001.json                              the pod's first task
    channel/to/<job>/0001-0000.json                         answer to that task's report of step 0
    channel/from/<inbox>/<job>.0001.<digest>.0000.json      that report
    channel/from/<inbox>/<job>.0001.<digest>.ended.json     how the task ended
    heartbeat/<seconds since 1970>.json                     the driver is alive

A pod knows the key that it waits for, so it asks for that one alone. The driver lists an inbox, which is
shared by some hundreds of tasks and abandoned with them: however long a study, a look stays cheap.
"""

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from minorkey.trials.executor import Ended, Reported, Task
from minorkey.trials.study_root import StudyRoot
from minorkey.trials.trial import Outcome

__all__ = ["Channel", "Message", "Slot", "read_slot"]

_TO = "channel/to/"
_FROM = "channel/from/"
_BEATS = "heartbeat/"
_END = "ended"


@dataclass(frozen=True)
class Slot:
    """Where a task runs: the so manieth task of a Job's pod.

    Attributes:
        job: name of the Job.
        number: 1 for the first task of the pod.
        digest: the task's.
        inbox: where the pod leaves what it says of this task.
    """

    job: str
    number: int
    digest: str
    inbox: int

    def key(self, what: str) -> str:
        """Key of a message from the pod: a step or the end."""
        return f"{_FROM}{self.inbox:06d}/{self.job}.{self.number:04d}.{self.digest}.{what}.json"


@dataclass(frozen=True)
class Message:
    """What a pod says of a task."""

    slot: Slot
    event: Reported | Ended


class Channel:
    """Both ends of the channel.

    Args:
        root: the study root.
    """

    def __init__(self, root: StudyRoot) -> None:
        self._root = root

    def assign(self, slot: Slot, task: Task) -> None:
        """Give a pod its next task, which it takes when it is through with those before."""
        content = {"digest": slot.digest, "inbox": slot.inbox, "task": dataclasses.asdict(task)}
        self._put(f"{_TO}{slot.job}/{slot.number:04d}.json", content)

    def assignment(self, job: str, number: int) -> tuple[Slot, Task] | None:
        """The so manieth task of a Job's pod, None if it has none yet."""
        content = self._get(f"{_TO}{job}/{number:04d}.json")
        if content is None:
            return None
        return Slot(job, number, content["digest"], content["inbox"]), Task(**content["task"])

    def answer(self, slot: Slot, step: int, go: bool) -> None:
        """Tell a task that has reported a step whether to go on; the first answer stays."""
        self._put(f"{_TO}{slot.job}/{slot.number:04d}-{step:04d}.json", {"go": go})

    def answered(self, slot: Slot, step: int) -> bool | None:
        """The answer to the report of a step, None if there is none yet."""
        content = self._get(f"{_TO}{slot.job}/{slot.number:04d}-{step:04d}.json")
        return None if content is None else bool(content["go"])

    def report(self, slot: Slot, reported: Reported) -> None:
        """Say what value a task has reached."""
        self._put(slot.key(f"{reported.step:04d}"), dataclasses.asdict(reported))

    def end(self, slot: Slot, ended: Ended) -> None:
        """Say how a task has ended."""
        self._put(slot.key(_END), dataclasses.asdict(ended))

    def ended(self, slot: Slot) -> Ended | None:
        """How a task has ended, None if it has not."""
        content = self._get(slot.key(_END))
        return None if content is None else Ended(**{**content, "outcome": Outcome(content["outcome"])})

    def inbox(self, number: int, seen: set[str]) -> Iterator[Message]:
        """What has come into an inbox since, the reports of a task before its end.

        Args:
            number: the inbox.
            seen: keys that have been read; grows.
        """
        for key in self._root.list(f"{_FROM}{number:06d}/"):
            if key in seen:
                continue
            seen.add(key)
            slot, what = read_slot(key)
            if what == _END:
                ended = self.ended(slot)
                if ended is not None:
                    yield Message(slot, ended)
            else:
                content = self._get(key) or {}
                yield Message(slot, Reported(**{**content, "folds": tuple(content["folds"])}))

    def assigned(self) -> dict[str, int]:
        """The number of tasks that each Job's pod was ever given."""
        counts: dict[str, int] = {}
        for key in self._root.list(_TO):
            job, _, rest = key.removeprefix(_TO).partition("/")
            number = rest.removesuffix(".json")
            if number.isdigit():
                counts[job] = max(counts.get(job, 0), int(number))
        return counts

    def ends(self) -> list[Slot]:
        """Every task that has said that it ended, earlier inboxes first."""
        parsed = map(read_slot, self._root.list(_FROM))
        return [slot for slot, what in parsed if what == _END]

    def newest_inbox(self) -> int:
        """The highest number of an inbox in use, 0 if none is."""
        keys = self._root.list(_FROM)
        return read_slot(keys[-1])[0].inbox if keys else 0

    def beat(self, now: float) -> None:
        """Say that the driver is alive.

        Args:
            now: seconds since 1970.
        """
        self._put(f"{_BEATS}{int(now):012d}.json", {})

    def newest_beat(self) -> int | None:
        """When the driver last said that it is alive, in seconds since 1970 by its own clock."""
        keys = self._root.list(_BEATS)
        return int(keys[-1].removeprefix(_BEATS).removesuffix(".json")) if keys else None

    def _put(self, key: str, content: dict[str, Any]) -> None:
        self._root.put_if_absent(key, json.dumps(content).encode())

    def _get(self, key: str) -> dict[str, Any] | None:
        content = self._root.get(key)
        return None if content is None else json.loads(content)


def read_slot(key: str) -> tuple[Slot, str]:
    """The slot that a message's key names, and what it says: a step or ``ended``."""
    inbox, _, name = key.removeprefix(_FROM).partition("/")
    job, number, digest, what, _ = name.rsplit(".", 4)
    return Slot(job, int(number), digest, int(inbox)), what
