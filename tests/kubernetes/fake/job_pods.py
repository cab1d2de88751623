"""The pods of Jobs: which they are, how they are made, counted and let go."""

import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.kubernetes.fake.answers import ApiError
from tests.kubernetes.fake.events import Recorder
from tests.kubernetes.fake.failure_policy import judged
from tests.kubernetes.fake.kinds import kind_of
from tests.kubernetes.fake.objects import Objects

__all__ = ["Count", "JobPods", "owning_job"]

_JOBS, _PODS = kind_of("jobs"), kind_of("pods")
_FINALIZER = "batch.kubernetes.io/job-tracking"
_OVER = ("Succeeded", "Failed")
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"

Place = tuple[str, str]


@dataclass
class Count:
    """What the pods of a Job add up to.

    Attributes:
        active: pods that are not over and that the Job still counts on.
        verdict: why the Job is to fail at once, if one of its pods ended so.
    """

    active: list[dict] = field(default_factory=list)
    terminating: int = 0
    succeeded: int = 0
    failed: int = 0
    verdict: str = ""


def owning_job(pod: dict) -> dict | None:
    """The reference to the Job that a pod belongs to."""
    owners = pod["metadata"].get("ownerReferences") or ()
    return next((owner for owner in owners if owner["kind"] == "Job" and owner.get("controller")), None)


class JobPods:
    """The pods of every Job, by the Job's uid."""

    def __init__(self, objects: Objects, recorder: Recorder) -> None:
        self._objects = objects
        self._store = objects.store
        self._recorder = recorder
        self._places: dict[str, set[Place]] = defaultdict(set)

    def add(self, uid: str, place: Place) -> None:
        """A Job has this pod."""
        self._places[uid].add(place)

    def discard(self, uid: str, place: Place) -> None:
        """A Job has this pod no longer."""
        if uid in self._places:
            self._places[uid].discard(place)

    def forget(self, uid: str) -> set[Place]:
        """The Job is gone; gives the pods that it had."""
        return self._places.pop(uid, set())

    def of(self, uid: str) -> list[dict]:
        """The pods of a Job that are there, by name."""
        found = (self._store.content(_PODS, *place) for place in sorted(self._places.get(uid, ())))
        return [pod for pod in found if pod is not None]

    def held(self, pod: dict) -> bool:
        """Whether a pod still waits to be counted."""
        return _FINALIZER in (pod["metadata"].get("finalizers") or ())

    def lives(self, pod: dict) -> bool:
        """Whether a pod is there and not over."""
        found = self._store.content(_PODS, pod["metadata"]["namespace"], pod["metadata"]["name"])
        return found is not None and (found.get("status") or {}).get("phase") not in _OVER

    def release_at(self, place: Place) -> None:
        """As `release`, by name."""
        pod = self._store.content(_PODS, *place)
        if pod:
            self.release(pod)

    def release_all(self, uid: str) -> None:
        """Let go of every pod of a Job."""
        for pod in self.of(uid):
            self.release(pod)

    def release(self, pod: dict) -> None:
        """Let a pod go: it has been counted, or nobody counts it any more."""
        metadata = pod["metadata"]
        if not self.held(pod):
            return
        left = [value for value in metadata["finalizers"] if value != _FINALIZER]
        self._store.put(_PODS, {**pod, "metadata": {**metadata, "finalizers": left}})
        self._objects.finish_deletion(_PODS, metadata["namespace"], metadata["name"])

    def count(self, job: dict, status: dict) -> Count:
        """Count a Job's pods; those that are over are let go."""
        count = Count(succeeded=status.get("succeeded", 0), failed=status.get("failed", 0))
        only_failed = job["spec"]["podReplacementPolicy"] == "Failed"
        for pod in self.of(job["metadata"]["uid"]):
            phase = (pod.get("status") or {}).get("phase")
            deleted = "deletionTimestamp" in pod["metadata"]
            held = self.held(pod)
            count.terminating += deleted and phase not in _OVER
            if phase not in _OVER and (not deleted or only_failed):
                count.active.append(pod)
            elif held:
                self._count_end(job, pod, phase, count)
        return count

    def _count_end(self, job: dict, pod: dict, phase: str, count: Count) -> None:
        self.release(pod)
        if phase == "Succeeded":
            count.succeeded += 1
            return
        action, message = judged(job, pod)
        if action == "Ignore":
            return
        count.failed += 1
        if action == "FailJob":
            count.verdict = message

    def make(self, job: dict, refused: Callable[[], None]) -> bool:
        """Create one pod; a refusal becomes an event, and `refused` sees to another attempt."""
        metadata, template = job["metadata"], job["spec"]["template"]
        owner = {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "name": metadata["name"],
            "uid": metadata["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }
        pod = {
            "metadata": {
                **(template.get("metadata") or {}),
                "name": f"{metadata['name'][:57]}-{''.join(random.choices(_LETTERS, k=5))}",
                "ownerReferences": [owner],
                "finalizers": [_FINALIZER],
            },
            "spec": template["spec"],
        }
        try:
            made = self._objects.create(_PODS, metadata["namespace"], pod)
        except ApiError as error:
            refused()
            message = f"Error creating: {error.message}"
            self._recorder.record(_JOBS, job, "Warning", "FailedCreate", message, "job-controller")
            return False
        message = f"Created pod: {made.content['metadata']['name']}"
        self._recorder.record(_JOBS, job, "Normal", "SuccessfulCreate", message, "job-controller")
        return True
