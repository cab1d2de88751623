"""Deleting: grace for pods, finalizers, what happens to dependents, and whole namespaces."""

from collections import defaultdict

from tests.kubernetes.fake.answers import Answer, ApiError, bad_request, conflict, not_found, success
from tests.kubernetes.fake.kinds import BUILT_IN, Kind, kind_of
from tests.kubernetes.fake.loop import Loop, timestamp
from tests.kubernetes.fake.objects import Objects

__all__ = ["Deleter"]

_FINALIZERS = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}
_TERMINAL = ("Succeeded", "Failed")

Place = tuple[Kind, str, str]


class Deleter:
    """Deletes objects and collects what they owned."""

    def __init__(self, objects: Objects, loop: Loop) -> None:
        self._objects = objects
        self._store = objects.store
        self._loop = loop
        self._owned: dict[str, set[Place]] = defaultdict(set)
        self._places: dict[str, Place] = {}
        self._store.listen(self._changed)

    def delete(self, kind: Kind, namespace: str, name: str, options: dict) -> Answer:
        """Delete an object, or mark it to be deleted.

        Raises:
            ApiError: 404; 409 if a precondition does not hold.
        """
        with self._store.lock:
            content = self._store.content(kind, namespace, name)
            if content is None:
                raise not_found(kind, name)
            self._check(kind, content, options)
            if "All" in (options.get("dryRun") or ()):
                return success(kind, content)
            if kind.plural == "namespaces":
                return self._delete_namespace(content)
            policy = _policy(kind, options)
            grace = _grace(kind, content, options)
            finalizers = list(content["metadata"].get("finalizers") or ())
            if policy in _FINALIZERS and _FINALIZERS[policy] not in finalizers:
                finalizers.append(_FINALIZERS[policy])
            if not finalizers and not grace:
                self._store.remove(kind, namespace, name)
                return success(kind, content)
            self._mark(kind, content, finalizers, grace)
            answer = success(kind, content)
            stored = self._store.get(kind, namespace, name)
            if stored is not None and (grace or finalizers):
                answer.body = stored.whole()
            self._loop.soon(
                ("collect", content["metadata"]["uid"]), lambda: self._settle(kind, namespace, name)
            )
            return answer

    def _check(self, kind: Kind, content: dict, options: dict) -> None:
        metadata = content["metadata"]
        for field, wanted in (options.get("preconditions") or {}).items():
            if wanted and metadata.get(field) != wanted:
                found = metadata.get(field)
                problem = f"Precondition failed: {field} in precondition: {wanted}, in object: {found}"
                raise conflict(kind, metadata["name"], problem)

    def _mark(self, kind: Kind, content: dict, finalizers: list[str], grace: int) -> None:
        metadata = dict(content["metadata"])
        if finalizers:
            metadata["finalizers"] = finalizers
        if "deletionTimestamp" not in metadata or grace < metadata.get("deletionGracePeriodSeconds", 0):
            metadata["deletionTimestamp"] = timestamp(self._objects.clock.now() + grace)
            metadata["deletionGracePeriodSeconds"] = grace
        self._store.put(kind, {**content, "metadata": metadata})
        self._objects.finish_deletion(kind, metadata.get("namespace", ""), metadata["name"])

    def remove_now(self, kind: Kind, namespace: str, name: str, uid: str) -> None:
        """What the kubelet does once a pod's process has ended: no grace is left."""
        with self._store.lock:
            content = self._store.content(kind, namespace, name)
            if content and content["metadata"]["uid"] == uid:
                metadata = {**content["metadata"], "deletionGracePeriodSeconds": 0}
                metadata.setdefault("deletionTimestamp", timestamp(self._objects.clock.now()))
                self._store.put(kind, {**content, "metadata": metadata})
                self._objects.finish_deletion(kind, namespace, name)

    def _delete_namespace(self, content: dict) -> Answer:
        name = content["metadata"]["name"]
        if name in ("default", "kube-system", "kube-public"):
            raise ApiError(
                403, "Forbidden", f'namespaces "{name}" is forbidden: this namespace may not be deleted'
            )
        if not content["metadata"].get("deletionTimestamp"):
            metadata = {**content["metadata"], "deletionTimestamp": timestamp(self._objects.clock.now())}
            content = {**content, "metadata": metadata, "status": {"phase": "Terminating"}}
            self._store.put(kind_of("namespaces"), content)
        self._loop.soon(("namespace", name), lambda: self._empty(name))
        stored = self._store.get(kind_of("namespaces"), "", name)
        return Answer(stored.whole()) if stored else Answer()

    def _empty(self, namespace: str) -> None:
        left = False
        for kind in BUILT_IN:
            for content in list(self._store.contents(kind, namespace)) if kind.namespaced else ():
                if not content["metadata"].get("deletionTimestamp"):
                    self._quietly(
                        kind, namespace, content["metadata"]["name"], {"propagationPolicy": "Background"}
                    )
                left = left or self._store.get(kind, namespace, content["metadata"]["name"]) is not None
        if left:
            self._loop.after(0.05, lambda: self._empty(namespace))
        else:
            self._store.remove(kind_of("namespaces"), "", namespace)

    def _quietly(self, kind: Kind, namespace: str, name: str, options: dict) -> None:
        try:
            self.delete(kind, namespace, name, options)
        except ApiError as error:
            if error.code not in (404, 409):
                raise

    def _changed(self, change: str, kind: Kind, content: dict, previous: dict | None) -> None:
        metadata = content["metadata"]
        place = (kind, metadata.get("namespace", ""), metadata["name"])
        if change == "ADDED":
            self._places[metadata["uid"]] = place
            for owner in metadata.get("ownerReferences") or ():
                self._owned[owner["uid"]].add(place)
        if change == "DELETED":
            self._places.pop(metadata["uid"], None)
            for owner in metadata.get("ownerReferences") or ():
                self._owned.get(owner["uid"], set()).discard(place)
                self._loop.soon(("collect", owner["uid"]), lambda uid=owner["uid"]: self._settle_owner(uid))
            if self._owned.get(metadata["uid"]):
                self._loop.soon(
                    ("orphans", metadata["uid"]), lambda: self._delete_dependents(metadata["uid"])
                )

    def _dependents(self, uid: str) -> list[Place]:
        with self._store.lock:
            return [
                place
                for place in sorted(self._owned.get(uid, ()), key=lambda place: place[1:])
                if any(
                    owner["uid"] == uid
                    for owner in (self._store.content(*place) or {"metadata": {}})["metadata"].get(
                        "ownerReferences"
                    )
                    or ()
                )
            ]

    def _delete_dependents(self, uid: str) -> None:
        for kind, namespace, name in self._dependents(uid):
            content = self._store.content(kind, namespace, name)
            if content and not content["metadata"].get("deletionTimestamp"):
                self._quietly(kind, namespace, name, {"propagationPolicy": "Background"})

    def _settle_owner(self, uid: str) -> None:
        place = self._places.get(uid)
        if place:
            self._settle(*place)

    def _settle(self, kind: Kind, namespace: str, name: str) -> None:
        """Do what the finalizers of a deleted object ask for, and let go of it when it is done."""
        content = self._store.content(kind, namespace, name)
        if content is None or not content["metadata"].get("deletionTimestamp"):
            return
        uid, finalizers = content["metadata"]["uid"], content["metadata"].get("finalizers") or []
        if "orphan" in finalizers:
            for place in self._dependents(uid):
                self._objects.change(*place, change=lambda old: _disowned(old, uid))
            self._release(kind, namespace, name, "orphan")
        if "foregroundDeletion" in finalizers:
            self._delete_dependents(uid)
            if not self._dependents(uid):
                self._release(kind, namespace, name, "foregroundDeletion")

    def _release(self, kind: Kind, namespace: str, name: str, finalizer: str) -> None:
        def without(old: dict) -> dict:
            left = [value for value in old["metadata"].get("finalizers") or () if value != finalizer]
            return {**old, "metadata": {**old["metadata"], "finalizers": left}}

        self._objects.change(kind, namespace, name, without)


def _disowned(content: dict, uid: str) -> dict:
    left = [owner for owner in content["metadata"].get("ownerReferences") or () if owner["uid"] != uid]
    return {**content, "metadata": {**content["metadata"], "ownerReferences": left}}


def _policy(kind: Kind, options: dict) -> str:
    policy = options.get("propagationPolicy")
    if policy is None and options.get("orphanDependents") is not None:
        policy = "Orphan" if options["orphanDependents"] else "Background"
    if policy not in (None, "Background", "Foreground", "Orphan"):
        raise bad_request(f'invalid propagationPolicy "{policy}"')
    # batch/v1 keeps the pods of a deleted Job unless it is told otherwise.
    return policy or ("Orphan" if kind.plural == "jobs" else "Background")


def _grace(kind: Kind, content: dict, options: dict) -> int:
    """Seconds that a pod's process gets; nothing else has grace."""
    if kind.plural != "pods":
        return 0
    spec = content["spec"]
    if not spec.get("nodeName") or (content.get("status") or {}).get("phase") in _TERMINAL:
        return 0
    asked = options.get("gracePeriodSeconds")
    return int(spec.get("terminationGracePeriodSeconds", 30) if asked is None else asked)
