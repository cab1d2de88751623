"""Who asks, and what they may do: bearer tokens, roles and reviews."""

import hmac
import secrets
import threading
from dataclasses import dataclass

from tests.kubernetes.fake.answers import ApiError
from tests.kubernetes.fake.kinds import kind_of
from tests.kubernetes.fake.loop import Clock
from tests.kubernetes.fake.routes import Call
from tests.kubernetes.fake.store import Store

__all__ = ["ADMIN", "Access", "User"]


@dataclass(frozen=True)
class User:
    """Somebody who asks."""

    name: str
    groups: tuple[str, ...] = ()


ADMIN = User("kubernetes-admin", ("system:masters", "system:authenticated"))


class Access:
    """Tokens and roles.

    Attributes:
        admin_token: for whoever may do everything.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self.admin_token = secrets.token_urlsafe(24)
        self._tokens: dict[str, tuple[User, float]] = {self.admin_token: (ADMIN, float("inf"))}

    def issue(self, namespace: str, account: str, seconds: float = 3_600) -> str:
        """A token of a service account."""
        token = secrets.token_urlsafe(24)
        user = User(
            f"system:serviceaccount:{namespace}:{account}",
            ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"),
        )
        with self._lock:
            self._tokens[token] = (user, self._clock.now() + seconds)
        return token

    def revoke(self, token: str) -> None:
        """A token is worth nothing from now on."""
        with self._lock:
            self._tokens.pop(token, None)

    def user(self, header: str) -> User:
        """Who carries this ``Authorization`` header.

        Raises:
            ApiError: 401, nobody, or a token that has expired.
        """
        token = header.removeprefix("Bearer ")
        with self._lock:
            for known, (user, until) in self._tokens.items():
                if hmac.compare_digest(known, token) and until > self._clock.now():
                    return user
        raise ApiError(401, "Unauthorized", "Unauthorized")

    def check(self, user: User, call: Call) -> None:
        """Refuse what a user may not do.

        Raises:
            ApiError: 403.
        """
        group, resource = call.kind.group, call.resource
        if self.allowed(user, call.verb, group, resource, call.namespace, call.name):
            return
        if call.kind.group == "authorization.k8s.io" and call.kind.plural.startswith("self"):
            return
        where = f' in the namespace "{call.namespace}"' if call.namespace else " at the cluster scope"
        named = f' "{call.name}"' if call.name else ""
        raise ApiError(
            403,
            "Forbidden",
            f'{call.kind.qualified}{named} is forbidden: User "{user.name}" cannot {call.verb} resource '
            f'"{resource}" in API group "{group}"{where}',
            {"name": call.name, "group": group, "kind": call.kind.plural},
        )

    def allowed(
        self, user: User, verb: str, group: str, resource: str, namespace: str, name: str = ""
    ) -> bool:
        """Whether some role lets a user do this."""
        if "system:masters" in user.groups:
            return True
        return any(_fits(rule, verb, group, resource, name) for rule in self.rules(user, namespace))

    def rules(self, user: User, namespace: str) -> list[dict]:
        """Every rule that applies to a user in a namespace."""
        if "system:masters" in user.groups:
            return [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]
        with self._store.lock:
            bindings = list(self._store.contents(kind_of("clusterrolebindings")))
            if namespace:
                bindings += list(self._store.contents(kind_of("rolebindings"), namespace))
            rules: list[dict] = []
            for binding in bindings:
                if any(_is(subject, user, binding) for subject in binding.get("subjects") or ()):
                    rules += self._role(binding)
            return rules

    def _role(self, binding: dict) -> list[dict]:
        reference = binding["roleRef"]
        if reference["kind"] == "ClusterRole":
            role = self._store.content(kind_of("clusterroles"), "", reference["name"])
        else:
            role = self._store.content(kind_of("roles"), binding["metadata"]["namespace"], reference["name"])
        return list((role or {}).get("rules") or ())

    def review(self, user: User, plural: str, content: dict) -> dict:
        """The answer to a review of access."""
        spec = content.get("spec") or {}
        if plural == "selfsubjectreviews":
            return {**content, "status": {"userInfo": {"username": user.name, "groups": list(user.groups)}}}
        if plural == "selfsubjectrulesreviews":
            rules = self.rules(user, spec.get("namespace", ""))
            status = {"resourceRules": rules, "nonResourceRules": [], "incomplete": False}
            return {**content, "status": status}
        if plural == "subjectaccessreviews":
            user = User(spec.get("user", ""), tuple(spec.get("groups") or ()))
        asked = spec.get("resourceAttributes") or {}
        resource = asked.get("resource", "")
        if asked.get("subresource"):
            resource += f"/{asked['subresource']}"
        allowed = self.allowed(
            user,
            asked.get("verb", ""),
            asked.get("group", ""),
            resource,
            asked.get("namespace", ""),
            asked.get("name", ""),
        )
        return {**content, "status": {"allowed": allowed}}


def _is(subject: dict, user: User, binding: dict) -> bool:
    if subject["kind"] == "ServiceAccount":
        namespace = subject.get("namespace") or binding["metadata"].get("namespace", "")
        return user.name == f"system:serviceaccount:{namespace}:{subject['name']}"
    return subject["name"] in (user.groups if subject["kind"] == "Group" else (user.name,))


def _fits(rule: dict, verb: str, group: str, resource: str, name: str) -> bool:
    names = rule.get("resourceNames") or ()
    return (
        _listed(verb, rule.get("verbs"))
        and _listed(group, rule.get("apiGroups"))
        and (
            _listed(resource, rule.get("resources")) or f"*/{resource.partition('/')[2]}" in rule["resources"]
        )
        and (not names or name in names)
    )


def _listed(value: str, values: list[str] | None) -> bool:
    return "*" in (values or ()) or value in (values or ())
