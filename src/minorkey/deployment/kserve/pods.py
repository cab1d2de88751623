"""A predictor's pod, as far as a rollout looks at it."""

from dataclasses import dataclass
from typing import Any, Self

from minorkey.deployment.kserve.naming import LABELS

__all__ = ["PredictorPod"]

_INITIALIZER = "storage-initializer"


@dataclass(frozen=True)
class PredictorPod:
    """One pod.

    Attributes:
        name: its name.
        address: its IP, "" while it has none.
        version: the version that it serves.
        digest: beginning of the digest of its bundle.
        ready: whether it answers.
        leaving: whether it has been asked to end.
        cause: what keeps it from answering: ``node``, ``bundle`` or ``container``; "" if nothing is known.
        trouble: that in words.
    """

    name: str
    address: str
    version: str
    digest: str
    ready: bool
    leaving: bool
    cause: str = ""
    trouble: str = ""

    @classmethod
    def of(cls, pod: dict[str, Any]) -> Self:
        """From the Pod object."""
        metadata, status = pod["metadata"], pod.get("status") or {}
        labels = metadata.get("labels") or {}
        conditions = {one["type"]: one["status"] for one in status.get("conditions") or ()}
        return cls(
            metadata["name"],
            status.get("podIP", ""),
            labels.get(LABELS["version"], ""),
            labels.get(LABELS["digest"], ""),
            conditions.get("Ready") == "True",
            "deletionTimestamp" in metadata,
            *_trouble(status),
        )


def _trouble(status: dict[str, Any]) -> tuple[str, str]:
    """What the kubelet or the scheduler says of a pod that does not run: cause and words."""
    for condition in status.get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return "node", f"it is not scheduled: {condition.get('message', '')}"
    for group in ("initContainerStatuses", "containerStatuses"):
        for container in status.get(group) or ():
            told = _container_trouble(container)
            if told and container["name"] == _INITIALIZER:
                return "bundle", f"the bundle is not read: {told}"
            if told:
                return "container", f"{container['name']}: {told}"
    return "", ""


def _container_trouble(container: dict[str, Any]) -> str:
    waiting = (container.get("state") or {}).get("waiting") or {}
    ended = (container.get("lastState") or {}).get("terminated") or {}
    ended = ended or (container.get("state") or {}).get("terminated") or {}
    reason = waiting.get("reason", "")
    if reason in ("", "ContainerCreating", "PodInitializing") and not ended.get("exitCode"):
        return ""
    last = str(ended.get("message") or waiting.get("message") or "").strip().splitlines()
    return ": ".join(part for part in (reason or ended.get("reason", ""), last[-1] if last else "") if part)
