"""An overlay in namespaces of its own, with nothing that starts."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from kubernetes import client
from kubernetes.client.exceptions import ApiException

from tests.cluster.applying import apply
from tests.kubernetes.site import Site
from tests.manifests.built import Manifest, build, wave

__all__ = ["Overlay", "overlay_in"]

_MANAGER = "minorkey-test"


@dataclass(frozen=True)
class Overlay:
    """An overlay as this suite applies it.

    Attributes:
        environment: its name in Git.
        manifests: its objects, in Argo CD's order, in namespaces with a random suffix.
        namespaces: by their name in Git, the name that they have here.
        site: the cluster.
    """

    environment: str
    manifests: list[Manifest]
    namespaces: dict[str, str]
    site: Site

    def served(self, manifest: Manifest) -> str | None:
        """The plural by which the cluster serves an object's kind; None: it does not know the kind."""
        return _served(self.site.api, manifest["apiVersion"]).get(manifest["kind"])

    def apply(self, manifest: Manifest) -> dict[str, Any]:
        """Apply an object, server-side, as Argo CD does."""
        return apply(self.site.api, manifest, _MANAGER, plural=self.served(manifest))

    def known(self) -> list[Manifest]:
        """What the cluster can take."""
        return [manifest for manifest in self.manifests if self.served(manifest)]


@contextmanager
def overlay_in(site: Site, environment: str) -> Iterator[Overlay]:
    """An overlay of a cluster, applied by nobody yet; afterwards nothing of it is left."""
    # What is a hook Argo CD starts at its time.
    built = [made for made in build(f"overlays/{environment}") if not _hook(made)]
    theirs = dict.fromkeys(made["metadata"]["namespace"] for made in built if "namespace" in made["metadata"])
    suffix = uuid4().hex[:6]
    names = {name: f"minorkey-test-{place}-{suffix}" for place, name in enumerate(theirs)}
    made_here = {made["metadata"]["name"] for made in built if made["kind"] == "Namespace"}
    manifests = sorted((_stopped(_renamed(made, names)) for made in built), key=wave)
    overlay = Overlay(environment, manifests, names, site)
    try:
        # That of the steps is Kubeflow's.
        for name in names.keys() - made_here:
            labels = {"minorkey.io/test": "true"}
            site.core.create_namespace({"metadata": {"name": names[name], "labels": labels}})
        yield overlay
    finally:
        for manifest in reversed(manifests):
            if "namespace" not in manifest["metadata"] and manifest["kind"] != "Namespace":
                _delete(site.api, manifest, overlay.served(manifest))
        for name in names.values():
            _gone(lambda name=name: site.core.delete_namespace(name))
        site.wait(lambda: not _left(site, names.values()))


@functools.cache
def _served(api: client.ApiClient, version: str) -> dict[str, str]:
    """Plurals of a version's kinds, by kind."""
    base = "/api/v1" if version == "v1" else f"/apis/{version}"
    try:
        found = api.call_api(
            base, "GET", response_type="object", auth_settings=["BearerToken"], _return_http_data_only=True
        )
    except ApiException as error:
        if error.status == 404:
            return {}
        raise
    return {one["kind"]: one["name"] for one in found["resources"] if "/" not in one["name"]}


def _renamed(value: Any, names: dict[str, str]) -> Any:
    """An object with other namespaces, wherever it names them."""
    if isinstance(value, dict):
        return {key: _renamed(inner, names) for key, inner in value.items()}
    if isinstance(value, list):
        return [_renamed(inner, names) for inner in value]
    if isinstance(value, str):
        for old, new in names.items():
            if value == old:
                return new
            value = value.replace(f".{old}.svc", f".{new}.svc")
    return value


def _stopped(manifest: Manifest) -> Manifest:
    """No image is pulled, no volume is made; and all of it can be told from what is not a test's."""
    manifest["metadata"].setdefault("labels", {})["minorkey.io/test"] = "true"
    if manifest["kind"] in ("Deployment", "StatefulSet"):
        manifest["spec"]["replicas"] = 0
    if manifest["kind"] == "CronJob":
        manifest["spec"]["suspend"] = True
    return manifest


def _hook(manifest: Manifest) -> bool:
    return "argocd.argoproj.io/hook" in manifest["metadata"].get("annotations", {})


def _delete(api: client.ApiClient, manifest: Manifest, plural: str | None) -> None:
    if plural is None:
        return
    path = f"/apis/{manifest['apiVersion']}/{plural}/{manifest['metadata']['name']}"
    _gone(lambda: api.call_api(path, "DELETE", auth_settings=["BearerToken"], response_type="object"))


def _gone(call: Any) -> None:
    try:
        call()
    except ApiException as error:
        if error.status != 404:
            raise


def _left(site: Site, names: Any) -> list[str]:
    there = {one.metadata.name for one in site.core.list_namespace().items}
    return sorted(there & set(names))
