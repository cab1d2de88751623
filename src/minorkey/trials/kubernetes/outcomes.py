"""How a task ended whose pod is over and has not said so, from the status of the pod and its Job."""

import calendar
import time
from typing import Any

from minorkey.trials.kubernetes.serving import EXIT_EVICTED, EXIT_NO_DRIVER
from minorkey.trials.trial import Outcome

__all__ = ["is_over", "outcome_of", "over_deadline", "seconds_since", "terminated"]

Manifest = dict[str, Any]

#: Reasons in a pod's status by which the platform says that it took the pod away.
_TAKEN = (
    "Evicted",
    "NodeLost",
    "NodeShutdown",
    "Preempting",
    "Shutdown",
    "Terminated",
    "UnexpectedAdmissionError",
)
_KILLED = 137


def is_over(job: Manifest) -> bool:
    """Whether a Job will run nothing more.

    A pod that was taken away is no end yet: the Job replaces it, and its successor takes up the task.
    """
    return bool(_condition(job, "Failed") or _condition(job, "Complete"))


def outcome_of(pod: Manifest | None, job: Manifest | None) -> tuple[Outcome, str]:
    """The outcome of the task that such a pod left unfinished, and why, in one line."""
    ran = terminated(pod)
    if over_deadline(pod, job):
        if pod is None or (ran is None and not pod.get("status", {}).get("startTime")):
            return Outcome.EVICTED, "the job waited so long that its deadline came before its pod"
        return Outcome.TIMED_OUT, "the pod was over its deadline"
    if ran is not None and ran.get("reason") == "OOMKilled":
        return Outcome.OUT_OF_MEMORY, "the pod was ended for want of memory"
    if pod is None or "deletionTimestamp" in pod["metadata"]:
        return Outcome.EVICTED, "the pod was deleted"
    status = pod.get("status", {})
    disrupted = _condition(pod, "DisruptionTarget")
    if disrupted or status.get("reason") in _TAKEN:
        told = disrupted.get("reason") if disrupted else status.get("reason")
        return Outcome.EVICTED, f"the pod was taken away: {told or 'no reason given'}"
    if ran is None:
        told = status.get("message") or status.get("reason") or "no reason given"
        return Outcome.EVICTED, _line(f"the pod was not run to its end: {told}")
    return _by_exit(ran)


def over_deadline(pod: Manifest | None, job: Manifest | None) -> bool:
    """Whether the platform ended the pod, or its Job, for its time limit."""
    if pod is not None and pod.get("status", {}).get("reason") == "DeadlineExceeded":
        return True
    ends = [_condition(job, kind) for kind in ("Failed", "FailureTarget")] if job is not None else []
    return any(end.get("reason") == "DeadlineExceeded" for end in ends)


def terminated(pod: Manifest | None) -> Manifest | None:
    """How the pod's container ended, None if it has not."""
    statuses = (pod or {}).get("status", {}).get("containerStatuses") or []
    found: Manifest | None = statuses[0].get("state", {}).get("terminated") if statuses else None
    return found


def seconds_since(timestamp: str, now: float | None = None) -> float:
    """Seconds since a time that the API wrote."""
    then = calendar.timegm(time.strptime(timestamp[:19], "%Y-%m-%dT%H:%M:%S"))
    return (time.time() if now is None else now) - then


def _by_exit(ran: Manifest) -> tuple[Outcome, str]:
    code = ran.get("exitCode", 0)
    if code in (EXIT_EVICTED, _KILLED):
        return Outcome.EVICTED, f"the pod was ended from outside (exit status {code})"
    if code == EXIT_NO_DRIVER:
        return Outcome.EVICTED, "the pod had not heard of the driver for too long and ended itself"
    lines = [line.strip() for line in (ran.get("message") or "").splitlines() if line.strip()]
    last = lines[-1] if lines else ran.get("reason", "")
    return Outcome.CRASHED, _line(f"the pod ended with exit status {code}: {last}")


def _condition(manifest: Manifest, kind: str) -> Manifest:
    """The condition of that kind if it is true, else an empty one."""
    for condition in manifest.get("status", {}).get("conditions") or []:
        if condition.get("type") == kind and condition.get("status") == "True":
            found: Manifest = condition
            return found
    return {}


def _line(text: str) -> str:
    return " ".join(text.split())[:500].removesuffix(":")
