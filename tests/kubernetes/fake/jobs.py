"""The Job controller: makes pods, counts how they end, and finishes Jobs."""

from tests.kubernetes.fake.answers import ApiError
from tests.kubernetes.fake.deletion import Deleter
from tests.kubernetes.fake.events import Recorder
from tests.kubernetes.fake.job_pods import Count, JobPods, owning_job
from tests.kubernetes.fake.kinds import Kind, kind_of
from tests.kubernetes.fake.loop import Loop, timestamp
from tests.kubernetes.fake.objects import Objects

__all__ = ["JobController"]

_JOBS, _PODS = kind_of("jobs"), kind_of("pods")
_LEFT_OUT_WHEN_EMPTY = ("active", "succeeded", "failed", "conditions")
#: Seconds after which a pod that could not be made is tried again, at first and at most.
_RETRY_SECONDS, _LONGEST_RETRY = 0.2, 2.0


class JobController:
    """Brings each Job's pods in line with what the Job asks for."""

    def __init__(self, objects: Objects, deleter: Deleter, loop: Loop, recorder: Recorder) -> None:
        self._objects = objects
        self._store = objects.store
        self._deleter = deleter
        self._loop = loop
        self._recorder = recorder
        self._pods = JobPods(objects, recorder)
        self._retries: dict[str, float] = {}
        self._begun: dict[str, float] = {}
        self._store.listen(self._changed)

    def _changed(self, change: str, kind: Kind, content: dict, previous: dict | None) -> None:
        if kind is _JOBS:
            self._job_changed(change, content)
        elif kind is _PODS:
            self._pod_changed(change, content)

    def _job_changed(self, change: str, job: dict) -> None:
        metadata = job["metadata"]
        uid = metadata["uid"]
        if change != "DELETED":
            self._ask(uid, metadata["namespace"], metadata["name"])
            return
        self._retries.pop(uid, None)
        self._begun.pop(uid, None)
        for place in self._pods.forget(uid):
            self._loop.soon(("release", place), lambda place=place: self._pods.release_at(place))

    def _pod_changed(self, change: str, pod: dict) -> None:
        place = (pod["metadata"]["namespace"], pod["metadata"]["name"])
        owner = owning_job(pod)
        if owner is None:
            if self._pods.held(pod):
                self._loop.soon(("release", place), lambda: self._pods.release_at(place))
            return
        if change == "DELETED":
            self._pods.discard(owner["uid"], place)
        else:
            self._pods.add(owner["uid"], place)
        self._ask(owner["uid"], place[0], owner["name"])

    def _ask(self, uid: str, namespace: str, name: str) -> None:
        self._loop.soon(("job", uid), lambda: self._sync(uid, namespace, name))

    def _sync(self, uid: str, namespace: str, name: str) -> None:
        with self._store.lock:
            job = self._store.content(_JOBS, namespace, name)
            if job is None or job["metadata"]["uid"] != uid:
                self._pods.release_all(uid)
                return
            if job["metadata"].get("deletionTimestamp"):
                self._pods.release_all(uid)
            elif not _finished(job):
                self._progress(job)

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
        count = self._pods.count(job, status)
        status.update(succeeded=count.succeeded, failed=count.failed)
        verdict = self._verdict(job, status, count)
        if verdict:
            self._finish(job, status, count, *verdict)
            return
        made = 0
        wanted = min(spec["parallelism"], spec["completions"] - count.succeeded)
        for _ in range(wanted - len(count.active)):
            made += self._pods.make(job, lambda: self._retry(job))
        status["active"] = len(count.active) + made
        status["terminating"] = count.terminating
        self._write(job, status)

    def _verdict(self, job: dict, status: dict, count: Count) -> tuple[str, str, str] | None:
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

    def _finish(self, job: dict, status: dict, count: Count, ending: str, reason: str, message: str) -> None:
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
        left = [pod for pod in count.active if self._pods.lives(pod)]
        status.update(active=0, ready=0, terminating=len(left), conditions=conditions)
        if not left and not count.terminating:
            conditions.append({"type": ending, **told})
            if ending == "Complete":
                status["completionTime"] = now
            event = ("Normal", "Completed") if ending == "Complete" else ("Warning", reason)
            self._recorder.record(_JOBS, job, *event, message, "job-controller")
            self._expire(job)
        self._write(job, status)

    def _suspend(self, job: dict, status: dict, now: str) -> None:
        for pod in self._pods.of(job["metadata"]["uid"]):
            if "deletionTimestamp" not in pod["metadata"]:
                self._deleter.delete(_PODS, pod["metadata"]["namespace"], pod["metadata"]["name"], {})
            self._pods.release_at((pod["metadata"]["namespace"], pod["metadata"]["name"]))
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

    def _retry(self, job: dict) -> None:
        """Try again later, each time a little later, what was refused."""
        metadata = job["metadata"]
        place = (metadata["uid"], metadata["namespace"], metadata["name"])
        wait = min(_LONGEST_RETRY, 2 * self._retries.get(metadata["uid"], _RETRY_SECONDS / 2))
        self._retries[metadata["uid"]] = wait
        self._loop.after(wait, lambda: self._sync(*place))

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


def _finished(job: dict) -> bool:
    conditions = (job.get("status") or {}).get("conditions") or ()
    return any(one["type"] in ("Complete", "Failed") and one["status"] == "True" for one in conditions)
