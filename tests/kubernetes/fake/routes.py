"""From an address to what is asked: the verb, the kind, the namespace, the name and the subresource."""

from dataclasses import dataclass

from tests.kubernetes.fake.answers import ApiError
from tests.kubernetes.fake.kinds import Kind, Kinds
from tests.kubernetes.fake.wire import Request

__all__ = ["Call", "route"]


_PROXY_VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@dataclass(frozen=True)
class Call:
    """What a request asks of an object or a collection."""

    verb: str
    kind: Kind
    namespace: str
    name: str
    subresource: str

    @property
    def resource(self) -> str:
        """``pods`` or ``pods/log``, as roles and counters write it."""
        return f"{self.kind.plural}/{self.subresource}" if self.subresource else self.kind.plural


def route(kinds: Kinds, request: Request) -> Call | None:
    """What a request asks; None if its address is no object's.

    Raises:
        ApiError: 404, nothing of that name is served; 405, the method does not fit.
    """
    parts = request.path.strip("/").split("/")
    if parts[0] == "api" and len(parts) > 2:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) > 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in ("status", "finalize"):
        namespace, rest = rest[1], rest[2:]
    kind = kinds.find(group, version, rest[0])
    if rest[0] == "pods" and len(rest) > 3 and rest[2] == "proxy":
        # What comes after it is the pod's own path.
        return Call(_PROXY_VERBS.get(request.method, ""), kind, namespace, rest[1], "proxy")
    if kind is None or len(rest) > 3:
        raise ApiError(404, "NotFound", "the server could not find the requested resource")
    name = rest[1] if len(rest) > 1 else ""
    subresource = rest[2] if len(rest) > 2 else ""
    return Call(_verb(request, name), kind, namespace, name, subresource)


def _verb(request: Request, name: str) -> str:
    watching = request.query.get("watch", "").lower() in ("true", "1")
    verbs = {
        "GET": ("watch" if watching else "list", "get"),
        "POST": ("create", "create"),
        "PUT": ("", "update"),
        "PATCH": ("", "patch"),
        "DELETE": ("deletecollection", "delete"),
    }
    verb = verbs.get(request.method, ("", ""))[bool(name)]
    if not verb:
        raise ApiError(
            405, "MethodNotAllowed", "the server does not allow this method on the requested resource"
        )
    return verb
