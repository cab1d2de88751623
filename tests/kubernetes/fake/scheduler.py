"""Puts pods on nodes that have room for them, or says why none has."""

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

from tests.kubernetes.fake.events import Recorder
from tests.kubernetes.fake.kinds import Kind, kind_of
from tests.kubernetes.fake.loop import Loop, timestamp
from tests.kubernetes.fake.objects import Objects
from tests.kubernetes.fake.pods import resources, with_condition
from tests.kubernetes.fake.quantity import quantity

__all__ = ["Node", "Scheduler"]

_OVER = ("Succeeded", "Failed")


@dataclass(frozen=True)
class Node:
    """A machine of the cluster: what it has room for.

    Attributes:
        taints: as in a Node's spec, such as ``{"key": "gpu", "effect": "NoSchedule"}``.
    """

    name: str = "node-1"
    cpu: str = "2000"
    memory: str = "8Ti"
    pods: int = 5_000
    gpus: int = 0
    labels: dict[str, str] = field(default_factory=dict)
    taints: tuple[dict[str, str], ...] = ()

    def manifest(self) -> dict:
        """The Node object."""
        room = {"cpu": self.cpu, "memory": self.memory, "pods": str(self.pods), "ephemeral-storage": "10Ti"}
        if self.gpus:
            room["nvidia.com/gpu"] = str(self.gpus)
        return {
            "metadata": {"name": self.name, "labels": {"kubernetes.io/hostname": self.name, **self.labels}},
            "spec": {"taints": list(self.taints)} if self.taints else {},
            "status": {
                "capacity": room,
                "allocatable": room,
                "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
                "nodeInfo": {"kubeletVersion": "v1.36.0-fake"},
            },
        }


class Scheduler:
    """Looks at pods without a node whenever something may have changed for them."""

    def __init__(self, objects: Objects, loop: Loop, recorder: Recorder) -> None:
        self._objects = objects
        self._store = objects.store
        self._loop = loop
        self._recorder = recorder
        self._taken: dict[str, Counter] = {}
        self._placed: dict[str, tuple[str, dict]] = {}
        self._waiting: dict[str, tuple[str, str]] = {}
        self._store.listen(self._changed)

    def _changed(self, change: str, kind: Kind, content: dict, previous: dict | None) -> None:
        if kind.plural in ("nodes", "persistentvolumeclaims"):
            self._retry()
        if kind.plural != "pods":
            return
        uid = content["metadata"]["uid"]
        over = change == "DELETED" or (content.get("status") or {}).get("phase") in _OVER
        if over:
            self._waiting.pop(uid, None)
            if uid in self._placed:
                node, asked = self._placed.pop(uid)
                self._taken[node].subtract(asked)
                self._retry()
        elif not content["spec"].get("nodeName"):
            self._waiting[uid] = (content["metadata"]["namespace"], content["metadata"]["name"])
            self._loop.soon(("schedule", uid), lambda: self._place(uid))

    def _retry(self) -> None:
        if self._waiting:
            self._loop.soon("schedule", lambda: [self._place(uid) for uid in list(self._waiting)])

    def _place(self, uid: str) -> None:
        with self._store.lock:
            place = self._waiting.get(uid)
            pod = self._store.content(kind_of("pods"), *place) if place else None
            if pod is None or pod["metadata"]["uid"] != uid or pod["metadata"].get("deletionTimestamp"):
                self._waiting.pop(uid, None)
                return
            asked = {**resources(pod["spec"]), "pods": Decimal(1)}
            reasons: Counter[str] = Counter()
            nodes = list(self._store.contents(kind_of("nodes")))
            problem = self._missing_claim(pod)
            for node in nodes if not problem else ():
                reason = self._refusal(node, pod, asked)
                if not reason:
                    self._bind(pod, node["metadata"]["name"], asked)
                    return
                reasons[reason] += 1
            self._refuse(pod, problem or _told(len(nodes), reasons))

    def _missing_claim(self, pod: dict) -> str:
        for volume in pod["spec"].get("volumes") or ():
            claim = (volume.get("persistentVolumeClaim") or {}).get("claimName")
            if not claim:
                continue
            found = self._store.content(
                kind_of("persistentvolumeclaims"), pod["metadata"]["namespace"], claim
            )
            if found is None:
                return f'persistentvolumeclaim "{claim}" not found'
            if (found.get("status") or {}).get("phase") != "Bound":
                return "pod has unbound immediate PersistentVolumeClaims"
        return ""

    def _refusal(self, node: dict, pod: dict, asked: dict) -> str:
        """Why a pod cannot go to a node, empty if it can."""
        spec, labels = pod["spec"], node["metadata"].get("labels") or {}
        if (node.get("spec") or {}).get("unschedulable"):
            return "node(s) were unschedulable"
        for taint in (node.get("spec") or {}).get("taints") or ():
            if taint["effect"] != "PreferNoSchedule" and not any(
                _tolerates(toleration, taint) for toleration in spec.get("tolerations") or ()
            ):
                return f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value', '')}}}"
        if any(labels.get(key) != value for key, value in (spec.get("nodeSelector") or {}).items()):
            return "node(s) didn't match Pod's node affinity/selector"
        taken = self._taken.setdefault(node["metadata"]["name"], Counter())
        room = node["status"]["allocatable"]
        for resource, amount in asked.items():
            if amount > 0 and taken[resource] + amount > quantity(room.get(resource, 0)):
                return "Too many pods" if resource == "pods" else f"Insufficient {resource}"
        return ""

    def _bind(self, pod: dict, node: str, asked: dict) -> None:
        metadata = pod["metadata"]
        self._waiting.pop(metadata["uid"], None)
        self._taken.setdefault(node, Counter()).update(asked)
        self._placed[metadata["uid"]] = (node, asked)
        now = timestamp(self._objects.clock.now())
        status = with_condition(pod.get("status") or {}, "PodScheduled", "True", now)
        self._store.put(kind_of("pods"), {**pod, "spec": {**pod["spec"], "nodeName": node}, "status": status})

    def _refuse(self, pod: dict, message: str) -> None:
        now = timestamp(self._objects.clock.now())
        known = [
            one for one in (pod.get("status") or {}).get("conditions") or () if one["type"] == "PodScheduled"
        ]
        if known and known[0].get("message") == message:
            return
        status = with_condition(
            pod.get("status") or {}, "PodScheduled", "False", now, "Unschedulable", message
        )
        self._objects.set_status(kind_of("pods"), pod, status)
        self._recorder.record(
            kind_of("pods"), pod, "Warning", "FailedScheduling", message, "default-scheduler"
        )


def _tolerates(toleration: dict, taint: dict) -> bool:
    if toleration.get("effect") not in (None, "", taint["effect"]):
        return False
    if toleration.get("operator") == "Exists":
        return toleration.get("key") in (None, "", taint["key"])
    return toleration.get("key") == taint["key"] and toleration.get("value", "") == taint.get("value", "")


def _told(nodes: int, reasons: Counter[str]) -> str:
    if not nodes:
        return "no nodes available to schedule pods"
    why = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
    return (
        f"0/{nodes} nodes are available: {why}. preemption: 0/{nodes} nodes are available: "
        f"{nodes} Preemption is not helpful for scheduling."
    )
