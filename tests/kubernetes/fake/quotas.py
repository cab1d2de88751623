"""Keeps the status of resource quotas."""

from tests.kubernetes.fake.kinds import Kind, kind_of
from tests.kubernetes.fake.loop import Loop
from tests.kubernetes.fake.objects import Objects
from tests.kubernetes.fake.quantity import plain
from tests.kubernetes.fake.quota import used

__all__ = ["QuotaController"]

_QUOTAS = kind_of("resourcequotas")


class QuotaController:
    """Counts again whenever something in a namespace with a quota changes."""

    def __init__(self, objects: Objects, loop: Loop) -> None:
        self._objects = objects
        self._store = objects.store
        self._loop = loop
        self._limited: set[str] = set()
        self._store.listen(self._changed)

    def _changed(self, change: str, kind: Kind, content: dict, previous: dict | None) -> None:
        namespace = content["metadata"].get("namespace", "")
        if kind is _QUOTAS:
            self._limited.add(namespace)
        if namespace in self._limited and kind.plural != "events":
            self._loop.soon(("quota", namespace), lambda: self._count(namespace))

    def _count(self, namespace: str) -> None:
        with self._store.lock:
            for quota in list(self._store.contents(_QUOTAS, namespace)):
                hard = (quota.get("spec") or {}).get("hard") or {}
                counted = {key: plain(value) for key, value in used(self._store, namespace, hard).items()}
                self._objects.set_status(_QUOTAS, quota, {"hard": hard, "used": counted})
