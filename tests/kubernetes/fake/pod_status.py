"""What a pod's status says as it waits, runs and ends."""

from tests.kubernetes.fake.pods import with_condition

__all__ = ["running", "terminated", "waiting", "words"]


def words(pod: dict) -> str:
    """Why a pod's container waits: reason and message."""
    for container in (pod.get("status") or {}).get("containerStatuses") or ():
        why = container["state"].get("waiting")
        if why:
            return ": ".join(filter(None, (why["reason"], why.get("message"))))
    return "ContainerCreating"


def _container(pod: dict, state: dict, ready: bool) -> list[dict]:
    container = pod["spec"]["containers"][0]
    return [
        {
            "name": container["name"],
            "image": container["image"],
            "imageID": "",
            "ready": ready,
            "started": ready,
            "restartCount": 0,
            "lastState": {},
            "state": state,
        }
    ]


def waiting(pod: dict, reason: str, message: str) -> dict:
    """The container waits for something."""
    state = {"waiting": {"reason": reason, **({"message": message} if message else {})}}
    return {
        **(pod.get("status") or {}),
        "phase": "Pending",
        "containerStatuses": _container(pod, state, False),
    }


def running(pod: dict, now: str, address: str, ready: bool = True) -> dict:
    """The container runs, and answers its readiness probe or not."""
    status = with_condition(pod.get("status") or {}, "Ready", str(ready), now)
    states = _container(pod, {"running": {"startedAt": now}}, ready)
    addresses = {"hostIP": "127.0.0.1", "podIP": address, "startTime": now}
    return {**status, **addresses, "phase": "Running", "containerStatuses": states}


def terminated(pod: dict, code: int, reason: str, last_words: str, log: bytes, now: str) -> dict:
    """The container has ended."""
    status = pod.get("status") or {}
    began = status.get("startTime", now)
    state = {
        "exitCode": code,
        "reason": reason if reason and reason != "DeadlineExceeded" else "Error" if code else "Completed",
        "startedAt": began,
        "finishedAt": now,
    }
    container = pod["spec"]["containers"][0]
    if not last_words and code and container["terminationMessagePolicy"] == "FallbackToLogsOnError":
        last_words = log[-2_048:].decode(errors="replace")
    if last_words:
        state["message"] = last_words
    status = with_condition(status, "Ready", "False", now, "PodFailed" if code else "PodCompleted")
    status = {
        **status,
        "startTime": began,
        "phase": "Failed" if code else "Succeeded",
        "containerStatuses": _container(pod, {"terminated": state}, False),
    }
    if reason == "DeadlineExceeded":
        message = "Pod was active on the node longer than the specified deadline"
        status.update(phase="Failed", reason="DeadlineExceeded", message=message)
    return status
