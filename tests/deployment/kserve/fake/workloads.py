"""The Deployment controller: pods of the newest template replace older ones, none missing meanwhile."""

import copy
import hashlib
import json

from tests.kubernetes.fake.answers import ApiError
from tests.kubernetes.fake.deletion import Deleter
from tests.kubernetes.fake.kinds import Kind, kind_of
from tests.kubernetes.fake.loop import Loop
from tests.kubernetes.fake.objects import Objects

__all__ = ["DeploymentController"]

_PODS, _DEPLOYMENTS = kind_of("pods"), kind_of("deployments")
_HASH = "pod-template-hash"


class DeploymentController:
    """Rolling updates with maxSurge 1 and maxUnavailable 0; ReplicaSets are left out."""

    def __init__(self, objects: Objects, deleter: Deleter, loop: Loop) -> None:
        self._objects = objects
        self._store = objects.store
        self._deleter = deleter
        self._loop = loop
        self._store.listen(self._changed)

    def _changed(self, change: str, kind: Kind, content: dict, previous: dict | None) -> None:
        metadata = content["metadata"]
        if kind is _DEPLOYMENTS and change != "DELETED":
            self._later(metadata["namespace"], metadata["name"])
        if kind is _PODS:
            for owner in metadata.get("ownerReferences") or ():
                if owner["kind"] == "Deployment":
                    self._later(metadata["namespace"], owner["name"])

    def _later(self, namespace: str, name: str) -> None:
        self._loop.soon(("deployment", namespace, name), lambda: self._reconcile(namespace, name))

    def _reconcile(self, namespace: str, name: str) -> None:
        deployment = self._store.content(_DEPLOYMENTS, namespace, name)
        if deployment is None:
            return
        uid, spec = deployment["metadata"]["uid"], deployment["spec"]
        template = hashlib.sha256(json.dumps(spec["template"], sort_keys=True).encode()).hexdigest()[:10]
        pods = [
            pod
            for pod in self._store.contents(_PODS, namespace)
            if any(owner["uid"] == uid for owner in pod["metadata"].get("ownerReferences") or ())
            and not pod["metadata"].get("deletionTimestamp")
        ]
        new = [pod for pod in pods if pod["metadata"]["labels"][_HASH] == template]
        old = [pod for pod in pods if pod["metadata"]["labels"][_HASH] != template]
        wanted = spec["replicas"]
        if len(new) < wanted and len(pods) < wanted + bool(old):
            self._create(deployment, template)
        elif len(new) > wanted:
            self._delete(sorted(new, key=_is_ready)[0])
        elif old:
            idle = [pod for pod in old if not _is_ready(pod)]
            if idle:
                self._delete(idle[0])
            elif sum(map(_is_ready, pods)) > wanted or (len(new) >= wanted and all(map(_is_ready, new))):
                self._delete(old[0])
        ready = sum(map(_is_ready, pods))
        status = {
            "observedGeneration": deployment["metadata"]["generation"],
            "replicas": len(pods),
            "updatedReplicas": len(new),
            "readyReplicas": ready,
            "availableReplicas": ready,
        }
        if status != deployment.get("status"):
            self._objects.set_status(_DEPLOYMENTS, deployment, status)

    def _create(self, deployment: dict, template: str) -> None:
        metadata, spec = deployment["metadata"], deployment["spec"]
        content = copy.deepcopy(spec["template"])
        content["metadata"]["labels"][_HASH] = template
        content["metadata"]["generateName"] = f"{metadata['name']}-{template}-"
        content["metadata"]["ownerReferences"] = [
            {
                "apiVersion": "apps/v1", "kind": "Deployment", "name": metadata["name"],
                "uid": metadata["uid"], "controller": True,
            }
        ]  # fmt: skip
        try:
            self._objects.create(_PODS, metadata["namespace"], content)
        except ApiError as error:
            self._objects.set_status(
                _DEPLOYMENTS,
                deployment,
                {"conditions": [{"type": "ReplicaFailure", "status": "True", "message": error.message}]},
            )
            return
        self._later(metadata["namespace"], metadata["name"])

    def _delete(self, pod: dict) -> None:
        metadata = pod["metadata"]
        self._deleter.delete(_PODS, metadata["namespace"], metadata["name"], {})


def _is_ready(pod: dict) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
