"""What an earlier driver of the same study left: tasks that run, and ends that nobody has read."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from minorkey.trials.kubernetes.channel import Channel, Slot
from minorkey.trials.kubernetes.fleet import Fleet
from minorkey.trials.kubernetes.outcomes import is_over
from minorkey.trials.trial import Outcome

__all__ = ["Legacy"]


@dataclass
class Legacy:
    """Found once, when a driver starts; taken piece by piece.

    Attributes:
        running: the slot of each task that a live Job has been given and has not ended, by task digest.
        ended: the slots in which a task has ended, by task digest, earlier ones first.
        attempts: how many Jobs began with a task, by the head of the Job's name.
        newest_inbox: the highest number of an inbox in use.
        assigned: how many tasks each Job was ever given.
    """

    running: dict[str, Slot] = field(default_factory=dict)
    ended: dict[str, list[Slot]] = field(default_factory=dict)
    attempts: Counter[str] = field(default_factory=Counter)
    newest_inbox: int = 0
    assigned: dict[str, int] = field(default_factory=dict)

    @classmethod
    def find(cls, channel: Channel, fleet: Fleet) -> "Legacy":
        """Look through the channel and at the Jobs that are there."""
        assigned = channel.assigned()
        if not assigned:
            return cls()
        legacy = cls(assigned=assigned, newest_inbox=channel.newest_inbox())
        for job in assigned:
            legacy.attempts[job.rpartition("-")[0]] += 1
        ended: defaultdict[str, list[Slot]] = defaultdict(list)
        over: set[tuple[str, int]] = set()
        for slot in channel.ends():
            ended[slot.digest].append(slot)
            over.add((slot.job, slot.number))
        legacy.ended = dict(ended)
        for job in fleet.jobs():
            seen = fleet.job(job)
            if seen is None or is_over(seen):
                continue
            for number in range(1, assigned.get(job, 0) + 1):
                found = None if (job, number) in over else channel.assignment(job, number)
                if found is not None:
                    legacy.running[found[0].digest] = found[0]
        return legacy

    def take(self, digest: str, channel: Channel, fleet: Fleet) -> Slot | None:
        """The slot in which a task runs or has ended, None if it is to be started anew.

        An end that nobody can have read counts whatever it is, save an eviction; of one that somebody may
        have read, that is one whose Job is gone, success alone counts.
        """
        slot = self.running.pop(digest, None)
        if slot is not None:
            return slot
        for slot in reversed(self.ended.pop(digest, [])):
            ended = channel.ended(slot)
            if ended is None or ended.outcome is Outcome.EVICTED:
                continue
            if ended.outcome is Outcome.COMPLETE or fleet.job(slot.job) is not None:
                return slot
        return None
