"""Binds persistent volume claims, and knows the folder behind each."""

from collections.abc import Mapping
from pathlib import Path

from tests.kubernetes.fake.kinds import Kind, kind_of
from tests.kubernetes.fake.objects import Objects

__all__ = ["Claims"]

_CLAIMS, _VOLUMES = kind_of("persistentvolumeclaims"), kind_of("persistentvolumes")


class Claims:
    """What provides volumes, and what a new namespace begins with.

    A claim that names a volume is bound to it and shares its folder of the node; any other gets a folder
    of its own. Each namespace begins with the claims in `given`.
    """

    def __init__(self, objects: Objects, folder: Path, given: Mapping[str, Path | str]) -> None:
        self._objects = objects
        self._store = objects.store
        self._folder = folder
        self._given = {name: Path(path) for name, path in given.items()}
        self._store.listen(self._changed)

    def folder(self, namespace: str, claim: str) -> Path:
        """The folder behind a claim."""
        found = self._store.content(_CLAIMS, namespace, claim) or {}
        volume = self._store.content(_VOLUMES, "", (found.get("spec") or {}).get("volumeName", "")) or {}
        source = (volume.get("spec") or {}).get("hostPath") or (volume.get("spec") or {}).get("local")
        if source:
            return Path(source["path"])
        path = self._given.get(claim, self._folder / namespace / claim)
        path.mkdir(parents=True, exist_ok=True)
        return path

    def _changed(self, change: str, kind: Kind, content: dict, previous: dict | None) -> None:
        if kind.plural == "namespaces" and change == "ADDED":
            self._furnish(content["metadata"]["name"])
        elif kind is _VOLUMES and change == "ADDED":
            for claim in list(self._store.contents(_CLAIMS)):
                self._bind(claim)
        elif kind is _CLAIMS and change == "ADDED":
            self._bind(content)

    def _furnish(self, namespace: str) -> None:
        self._objects.create(kind_of("serviceaccounts"), namespace, {"metadata": {"name": "default"}})
        self._objects.create(
            kind_of("configmaps"),
            namespace,
            {"metadata": {"name": "kube-root-ca.crt"}, "data": {"ca.crt": ""}},
        )
        for name in self._given:
            spec = {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}}
            self._objects.create(_CLAIMS, namespace, {"metadata": {"name": name}, "spec": spec})

    def _bind(self, claim: dict) -> None:
        volume = claim["spec"].get("volumeName")
        if volume and self._store.get(_VOLUMES, "", volume) is None:
            self._objects.set_status(_CLAIMS, claim, {"phase": "Pending"})
            return
        self._objects.set_status(_CLAIMS, claim, {"phase": "Bound"})
