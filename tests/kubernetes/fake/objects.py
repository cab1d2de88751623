"""Creating, changing and deleting objects: what every kind has in common."""

import random
import re
import uuid
from collections.abc import Callable
from typing import Any

from tests.kubernetes.fake.answers import ApiError, already_exists, bad_request, conflict, invalid, not_found
from tests.kubernetes.fake.kinds import BUILT_IN, Kind, Kinds, kind_of
from tests.kubernetes.fake.loop import Clock, timestamp
from tests.kubernetes.fake.store import Store, Stored

__all__ = ["Objects"]

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_LABEL = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_LOOSE_NAMES = {"roles", "rolebindings", "clusterroles", "clusterrolebindings"}
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"

Admit = Callable[["Objects", Kind, dict, dict | None], None]


class Objects:
    """Writes objects as the API does, for clients and controllers alike.

    Args:
        admit: fills in defaults and refuses what is not allowed; may change the object it is given.
    """

    def __init__(self, store: Store, kinds: Kinds, clock: Clock, admit: Admit) -> None:
        self.store = store
        self.kinds = kinds
        self.clock = clock
        self._admit = admit

    def admit_too(self, admit: Admit) -> None:
        """Ask a webhook too, after everything else."""
        first = self._admit

        def both(objects: "Objects", kind: Kind, content: dict, old: dict | None) -> None:
            first(objects, kind, content, old)
            admit(objects, kind, content, old)

        self._admit = both

    def create(self, kind: Kind, namespace: str, content: dict, *, dry_run: bool = False) -> Stored:
        """Store a new object.

        Raises:
            ApiError: 409 on an existing name, 404 without its namespace, 403 and 422 from admission.
        """
        with self.store.lock:
            content = self._named(kind, namespace, content)
            metadata = content["metadata"]
            if kind.namespaced:
                self._check_namespace(namespace)
            if self.store.get(kind, namespace, metadata["name"]):
                raise already_exists(kind, metadata["name"])
            self._admit(self, kind, content, None)
            if dry_run:
                return Stored(kind, content, 0)
            return self.store.put(kind, content)

    def _named(self, kind: Kind, namespace: str, content: dict) -> dict:
        content = {key: value for key, value in content.items() if key not in ("kind", "apiVersion")}
        metadata = content["metadata"] = dict(content.get("metadata") or {})
        if metadata.get("namespace", namespace) != namespace:
            raise bad_request(
                "the namespace of the provided object does not match the namespace sent on the request"
            )
        if not metadata.get("name") and metadata.get("generateName"):
            suffix = "".join(random.choices(_LETTERS, k=5))
            metadata["name"] = metadata["generateName"] + suffix
        name = metadata.get("name") or ""
        if not name:
            raise invalid(kind, "", ("metadata.name", "Required value: name or generateName is required"))
        if kind.plural not in _LOOSE_NAMES and not _NAME.fullmatch(name):
            raise invalid(
                kind,
                name,
                ("metadata.name", f'Invalid value: "{name}": a lowercase RFC 1123 subdomain is needed'),
            )
        for key, value in (metadata.get("labels") or {}).items():
            if not _LABEL.fullmatch(value):
                problem = f'Invalid value: "{value}": of {key}: must be no more than 63 bytes'
                raise invalid(kind, name, ("metadata.labels", problem))
        for server_made in ("resourceVersion", "uid", "deletionTimestamp", "managedFields", "selfLink"):
            metadata.pop(server_made, None)
        if kind.namespaced:
            metadata["namespace"] = namespace
        metadata["uid"] = str(uuid.uuid4())
        metadata["creationTimestamp"] = timestamp(self.clock.now())
        if kind.plural in ("jobs", "deployments") or kind not in BUILT_IN:
            metadata["generation"] = 1
        return content

    def _check_namespace(self, namespace: str) -> None:
        found = self.store.content(kind_of("namespaces"), "", namespace)
        if found is None:
            raise not_found(kind_of("namespaces"), namespace)
        if found["metadata"].get("deletionTimestamp"):
            problem = f"unable to create new content in namespace {namespace} because it is being terminated"
            raise ApiError(403, "Forbidden", problem, {"causes": [{"reason": "NamespaceTerminating"}]})

    def change(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        change: Callable[[dict], dict],
        *,
        status: bool = False,
        dry_run: bool = False,
    ) -> Stored:
        """Replace an object by what a function makes of it: its status only, or all but its status.

        Raises:
            ApiError: 404; 409 if the new content carries another resourceVersion; from admission.
        """
        with self.store.lock:
            old = self.store.get(kind, namespace, name)
            if old is None:
                raise not_found(kind, name)
            content = change(old.content)
            version = content["metadata"].get("resourceVersion")
            if version and version != old.content["metadata"]["resourceVersion"]:
                raise conflict(kind, name)
            if content["metadata"].get("uid", "") not in ("", old.content["metadata"]["uid"]):
                raise conflict(kind, name, "Precondition failed: UID in object meta does not fit")
            content = _merged(old.content, content, status)
            if not status:
                self._admit(self, kind, content, old.content)
            if dry_run:
                return Stored(kind, content, old.version)
            stored = self.store.put(kind, content)
            self.finish_deletion(kind, namespace, name)
            return stored

    def finish_deletion(self, kind: Kind, namespace: str, name: str) -> None:
        """Remove an object that was deleted once nothing holds it any longer."""
        content = self.store.content(kind, namespace, name)
        if content is None:
            return
        metadata = content["metadata"]
        held = metadata.get("finalizers") or metadata.get("deletionGracePeriodSeconds")
        if metadata.get("deletionTimestamp") and not held and kind.plural != "namespaces":
            self.store.remove(kind, namespace, name)

    def set_status(self, kind: Kind, content: dict, status: dict[str, Any]) -> Stored | None:
        """A controller's write: what it says of the status, if the object is still there."""
        metadata = content["metadata"]
        with self.store.lock:
            current = self.store.get(kind, metadata.get("namespace", ""), metadata["name"])
            if current is None or current.content["metadata"]["uid"] != metadata["uid"]:
                return None
            return self.store.put(kind, {**current.content, "status": status})


def _merged(old: dict, new: dict, status: bool) -> dict:
    """The new content with what a client cannot change taken from the old."""
    new = {key: value for key, value in new.items() if key not in ("kind", "apiVersion")}
    if status:
        return {**old, "status": new.get("status", {})}
    kept = {
        key: old["metadata"][key]
        for key in (
            "uid", "creationTimestamp", "namespace", "name", "generation",
            "deletionTimestamp", "deletionGracePeriodSeconds", "resourceVersion",
        )
        if key in old["metadata"]
    }  # fmt: skip
    content = {**new, "metadata": {**new["metadata"], **kept}}
    if "status" in old:
        content["status"] = old["status"]
    if "generation" in kept and content.get("spec") != old.get("spec"):
        content["metadata"]["generation"] = kept["generation"] + 1
    return content
