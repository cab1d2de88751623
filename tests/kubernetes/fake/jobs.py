"""The Job controller: makes pods, counts how they end, and finishes Jobs."""

import random
from collections import defaultdict
from dataclasses import dataclass, field

from tests.kubernetes.fake.answers import ApiError
from tests.kubernetes.fake.deletion import Deleter
from tests.kubernetes.fake.events import Recorder
from tests.kubernetes.fake.failure_policy import judged
from tests.kubernetes.fake.kinds import Kind, kind_of
from tests.kubernetes.fake.loop import Loop, timestamp
from tests.kubernetes.fake.objects import Objects

__all__ = ["JobController"]

_JOBS, _PODS = kind_of("jobs"), kind_of("pods")
_FINALIZER = "batch.kubernetes.io/job-tracking"
_OVER = ("Succeeded", "Failed")
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_LEFT_OUT_WHEN_EMPTY = ("active", "succeeded", "failed", "conditions")
#: Seconds after which a pod that could not be made is tried again, at first and at most.
_RETRY_SECONDS, _LONGEST_RETRY = 0.2, 2.0


@dataclass
class _Count:
    """What the pods of a Job add up to."""

    active: list[dict] = field(default_factory=list)
    terminating: int = 0
    succeeded: int = 0
    failed: int = 0
    verdict: str = ""


class JobController:
    """Brings each Job's pods in line with what the Job asks for."""

    def __init__(self, objects: Objects, deleter: Deleter, loop: Loop, recorder: Recorder) -> None:
        self._objects = objects
        self._store = objects.store
        self._deleter = deleter
        self._loop = loop
        self._recorder = recorder
        self._pods: dict[str, set[tuple[str, str]]] = defaultdict(set)
        self._retries: dict[str, float] = {}
        self._begun: dict[str, float] = {}
        self._store.listen(self._changed)

    def _changed(self, change: str, kind: Kind, content: dict, previous: dict | None) -> None:
        metadata = content["metadata"]
        place = (metadata.get("namespace", ""), metadata["name"])
        if kind is _JOBS:
            uid = metadata["uid"]
            if change == "DELETED":
                self._retries.pop(uid, None)
                self._begun.pop(uid, None)
                for pod in self._pods.pop(uid, ()):
                    self._loop.soon(("release", pod), lambda pod=pod: self._release_at(pod))
            else:
                self._ask(uid, *place)
        elif kind is _PODS:
            owner = _job_of(content)
            if owner is None:
                if _FINALIZER in (metadata.get("finalizers") or ()):
                    self._loop.soon(("release", place), lambda: self._release_at(place))
                return
            if change == "DELETED":
                self._pods[owner["uid"]].discard(place)
            else:
                self._pods[owner["uid"]].add(place)
            self._ask(owner["uid"], place[0], owner["name"])

    def _ask(self, uid: str, namespace: str, name: str) -> None:
        self._loop.soon(("job", uid), lambda: self._sync(uid, namespace, name))

    def _sync(self, uid: str, namespace: str, name: str) -> None:
        with self._store.lock:
            job = self._store.content(_JOBS, namespace, name)
            if job is None or job["metadata"]["uid"] != uid:
                self._release_all(uid)
                return
            if job["metadata"].get("deletionTimestamp"):
                self._release_all(uid)
            elif not _finished(job):
                self._progress(job)

    def _release_all(self, uid: str) -> None:
        for place in list(self._pods.get(uid, ())):
            self._release_at(place)

    def _release_at(self, place: tuple[str, str]) -> None:
        pod = self._store.content(_PODS, *place)
        if pod:
            self._release(pod)

    def _release(self, pod: dict) -> None:
        """The pod has been counted: nothing of the Job's holds it any longer."""
        metadata = pod["metadata"]
        if _FINALIZER not in (metadata.get("finalizers") or ()):
            return
        left = [value for value in metadata["finalizers"] if value != _FINALIZER]
        self._store.put(_PODS, {**pod, "metadata": {**metadata, "finalizers": left}})
        self._objects.finish_deletion(_PODS, metadata["namespace"], metadata["name"])

    def _progress(self, job: dict) -> None:
        spec, now = job["spec"], timestamp(self._objects.clock.now())
        status = dict(job.get("status") or {})
        if spec.get("suspend"):
            self._suspend(job, status, now)
            return
        if "startTime" not in status:
            status["startTime"] = now
            self._time(job)
        status["conditions"] = [
            condition for condition in status.get("conditions") or () if condition["type"] != "Suspended"
        ]
        count = self._count(job, status)
        status.update(succeeded=count.succeeded, failed=count.failed)
        verdict = self._verdict(job, status, count)
        if verdict:
            self._finish(job, status, count, *verdict)
            return
        made = 0
        wanted = min(spec["parallelism"], spec["completions"] - count.succeeded)
        for _ in range(wanted - len(count.active)):
            made += self._make_pod(job)
        status["active"] = len(count.active) + made
        status["terminating"] = count.terminating
        self._write(job, status)

    def _count(self, job: dict, status: dict) -> _Count:
        count = _Count(succeeded=status.get("succeeded", 0), failed=status.get("failed", 0))
        only_failed = job["spec"]["podReplacementPolicy"] == "Failed"
        for place in sorted(self._pods[job["metadata"]["uid"]]):
            pod = self._store.content(_PODS, *place)
            if pod is None:
                continue
            phase = (pod.get("status") or {}).get("phase")
            deleted = "deletionTimestamp" in pod["metadata"]
            tracked = _FINALIZER in (pod["metadata"].get("finalizers") or ())
            count.terminating += deleted and phase not in _OVER
            if phase not in _OVER and (not deleted or only_failed):
                count.active.append(pod)
            elif tracked:
                self._count_end(job, pod, phase, count)
        return count

    def _count_end(self, job: dict, pod: dict, phase: str, count: _Count) -> None:
        self._release(pod)
        if phase == "Succeeded":
            count.succeeded += 1
            return
        action, message = judged(job, pod)
        if action == "Ignore":
            return
        count.failed += 1
        if action == "FailJob":
            count.verdict = message

    def _verdict(self, job: dict, status: dict, count: _Count) -> tuple[str, str, str] | None:
        """How the Job ends: the condition's type, its reason and its message."""
        spec = job["spec"]
        for condition in status["conditions"]:
            if condition["type"] in ("FailureTarget", "SuccessCriteriaMet"):
                ending = "Failed" if condition["type"] == "FailureTarget" else "Complete"
                return ending, condition["reason"], condition["message"]
        if count.verdict:
            return "Failed", "PodFailurePolicy", count.verdict
        if count.failed > spec["backoffLimit"]:
            return "Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit"
        if count.succeeded >= spec["completions"]:
            return "Complete", "CompletionsReached", "Reached expected number of succeeded pods"
        if self._late(job):
            return "Failed", "DeadlineExceeded", "Job was active longer than specified deadline"
        return None

    def _late(self, job: dict) -> bool:
        seconds = job["spec"].get("activeDeadlineSeconds")
        begun = self._begun.get(job["metadata"]["uid"], self._objects.clock.now())
        return bool(seconds) and self._objects.clock.now() >= begun + seconds

    def _finish(self, job: dict, status: dict, count: _Count, ending: str, reason: str, message: str) -> None:
        """End the Job: first its pods, then, when they are gone or over, the Job."""
        now = timestamp(self._objects.clock.now())
        target = "FailureTarget" if ending == "Failed" else "SuccessCriteriaMet"
        conditions = [one for one in status["conditions"] if one["type"] != target]
        told = {
            "status": "True",
            "reason": reason,
            "message": message,
            "lastTransitionTime": now,
            "lastProbeTime": now,
        }
        conditions.append({"type": target, **told})
        for pod in count.active:
            metadata = pod["metadata"]
            if "deletionTimestamp" not in metadata:
                self._deleter.delete(_PODS, metadata["namespace"], metadata["name"], {})
        left = [pod for pod in count.active if self._lives(pod)]
        status.update(active=0, ready=0, terminating=len(left), conditions=conditions)
        if not left and not count.terminating:
            conditions.append({"type": ending, **told})
            if ending == "Complete":
                status["completionTime"] = now
            event = ("Normal", "Completed") if ending == "Complete" else ("Warning", reason)
            self._recorder.record(_JOBS, job, *event, message, "job-controller")
            self._expire(job)
        self._write(job, status)

    def _lives(self, pod: dict) -> bool:
        found = self._store.content(_PODS, pod["metadata"]["namespace"], pod["metadata"]["name"])
        return found is not None and (found.get("status") or {}).get("phase") not in _OVER

    def _suspend(self, job: dict, status: dict, now: str) -> None:
        for place in sorted(self._pods[job["metadata"]["uid"]]):
            pod = self._store.content(_PODS, *place)
            if pod and "deletionTimestamp" not in pod["metadata"]:
                self._deleter.delete(_PODS, *place, {})
            if pod:
                self._release_at(place)
        status.pop("startTime", None)
        suspended = {
            "type": "Suspended",
            "status": "True",
            "reason": "JobSuspended",
            "message": "Job suspended",
        }
        others = [one for one in status.get("conditions") or () if one["type"] != "Suspended"]
        known = [one for one in status.get("conditions") or () if one["type"] == "Suspended"]
        status.update(conditions=[*others, *(known or [{**suspended, "lastTransitionTime": now}])], active=0)
        self._write(job, status)

    def _make_pod(self, job: dict) -> bool:
        """Create one pod; a refusal becomes an event and is tried again."""
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
        uid = metadata["uid"]
        try:
            made = self._objects.create(_PODS, metadata["namespace"], pod)
        except ApiError as error:
            wait = self._retries[uid] = min(_LONGEST_RETRY, 2 * self._retries.get(uid, _RETRY_SECONDS / 2))
            self._loop.after(wait, lambda: self._sync(uid, metadata["namespace"], metadata["name"]))
            message = f"Error creating: {error.message}"
            self._recorder.record(_JOBS, job, "Warning", "FailedCreate", message, "job-controller")
            return False
        message = f"Created pod: {made.content['metadata']['name']}"
        self._recorder.record(_JOBS, job, "Normal", "SuccessfulCreate", message, "job-controller")
        return True

    def _time(self, job: dict) -> None:
        seconds = job["spec"].get("activeDeadlineSeconds")
        metadata = job["metadata"]
        self._begun[metadata["uid"]] = self._objects.clock.now()
        place = (metadata["uid"], metadata["namespace"], metadata["name"])
        if seconds:
            self._loop.after(seconds + 0.01, lambda: self._sync(*place))

    def _expire(self, job: dict) -> None:
        """Delete the finished Job when its time to live is over."""
        seconds = job["spec"].get("ttlSecondsAfterFinished")
        metadata = job["metadata"]
        if seconds is None:
            return

        def delete() -> None:
            try:
                options = {"propagationPolicy": "Foreground", "preconditions": {"uid": metadata["uid"]}}
                self._deleter.delete(_JOBS, metadata["namespace"], metadata["name"], options)
            except ApiError as error:
                if error.code not in (404, 409):
                    raise

        self._loop.after(seconds, delete)

    def _write(self, job: dict, status: dict) -> None:
        told = {key: value for key, value in status.items() if value or key not in _LEFT_OUT_WHEN_EMPTY}
        status = {"ready": 0, "uncountedTerminatedPods": {}, **told}
        self._objects.set_status(_JOBS, job, status)


def _job_of(pod: dict) -> dict | None:
    owners = pod["metadata"].get("ownerReferences") or ()
    return next((owner for owner in owners if owner["kind"] == "Job" and owner.get("controller")), None)


def _finished(job: dict) -> bool:
    conditions = (job.get("status") or {}).get("conditions") or ()
    return any(one["type"] in ("Complete", "Failed") and one["status"] == "True" for one in conditions)
