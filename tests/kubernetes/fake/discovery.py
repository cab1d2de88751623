"""What the API says of itself: version, health, groups and resources."""

from tests.kubernetes.fake.answers import Answer, ApiError
from tests.kubernetes.fake.kinds import Kind, Kinds
from tests.kubernetes.fake.wire import Request

__all__ = ["VERSION", "discover"]

VERSION = {"major": "1", "minor": "36", "gitVersion": "v1.36.0-fake", "platform": "linux/amd64"}
_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
_SHORT = {
    "namespaces": "ns",
    "nodes": "no",
    "pods": "po",
    "events": "ev",
    "configmaps": "cm",
    "services": "svc",
    "serviceaccounts": "sa",
    "resourcequotas": "quota",
    "persistentvolumes": "pv",
    "persistentvolumeclaims": "pvc",
    "priorityclasses": "pc",
    "poddisruptionbudgets": "pdb",
}
_SUBRESOURCES = {"pods": ("status", "log", "eviction"), "jobs": ("status",), "serviceaccounts": ("token",)}


def discover(kinds: Kinds, request: Request) -> Answer:
    """Answers whatever is no object's address.

    Raises:
        ApiError: 404.
    """
    path = request.path.strip("/")
    if path == "version":
        return Answer.of(VERSION)
    if path.split("/")[0] in ("healthz", "livez", "readyz"):
        return Answer(b"ok", content_type="text/plain")
    if path == "api":
        return Answer.of({"kind": "APIVersions", "versions": ["v1"]})
    if path == "apis":
        groups = [_group(name, versions) for name, versions in kinds.groups().items() if name]
        return Answer.of({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
    group, _, version = path.removeprefix("apis/").rpartition("/") if path != "api/v1" else ("", "", "v1")
    if not group and path.startswith("apis/") and version in kinds.groups():
        return Answer.of({"kind": "APIGroup", "apiVersion": "v1", **_group(version, kinds.groups()[version])})
    served = kinds.of_group(group, version)
    if not served:
        raise ApiError(404, "NotFound", "the server could not find the requested resource")
    resources = [entry for kind in served for entry in _resources(kind)]
    group_version = f"{group}/{version}" if group else version
    return Answer.of({"kind": "APIResourceList", "groupVersion": group_version, "resources": resources})


def _group(name: str, versions: list[str]) -> dict:
    listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def _resources(kind: Kind) -> list[dict]:
    entry = {
        "name": kind.plural,
        "singularName": kind.name.lower(),
        "kind": kind.name,
        "namespaced": kind.namespaced,
        "shortNames": [_SHORT[kind.plural]] if kind.plural in _SHORT else [],
        "verbs": ["create"] if kind.plural.endswith("reviews") else _VERBS,
    }
    entry_below = {**entry, "shortNames": [], "verbs": ["create", "get", "patch", "update"]}
    below = [{**entry_below, "name": f"{kind.plural}/{name}"} for name in _SUBRESOURCES.get(kind.plural, ())]
    return [entry, *below]
