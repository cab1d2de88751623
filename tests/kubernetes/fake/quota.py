"""Resource quotas: what is used, and what is refused beyond it."""

from decimal import Decimal

from tests.kubernetes.fake.answers import forbidden
from tests.kubernetes.fake.kinds import Kind, kind_of
from tests.kubernetes.fake.pods import resources
from tests.kubernetes.fake.quantity import plain, quantity
from tests.kubernetes.fake.store import Store

__all__ = ["check_quota", "used"]

_COUNTED = ("pods", "secrets", "configmaps", "services", "persistentvolumeclaims", "resourcequotas")


def check_quota(store: Store, kind: Kind, content: dict) -> None:
    """Refuse an object that does not fit any more.

    Raises:
        ApiError: 403, in the words of the quota admission.
    """
    namespace, name = content["metadata"]["namespace"], content["metadata"]["name"]
    for quota in store.contents(kind_of("resourcequotas"), namespace):
        hard = (quota.get("spec") or {}).get("hard") or {}
        asked = {key: value for key, value in _usage(kind, content).items() if key in hard}
        if kind.plural == "pods":
            _require(kind, name, quota["metadata"]["name"], hard, asked)
        if not asked:
            continue
        current = used(store, namespace, hard)
        beyond = [key for key, value in asked.items() if current[key] + value > quantity(hard[key])]
        if beyond:
            told = (
                ",".join(f"{key}={plain(amounts(key))}" for key in sorted(beyond))
                for amounts in (asked.get, current.get, lambda key, hard=hard: quantity(hard[key]))
            )
            requested, usage, limited = told
            raise forbidden(
                kind,
                name,
                f"exceeded quota: {quota['metadata']['name']}, requested: {requested}, used: {usage}, "
                f"limited: {limited}",
            )


def _require(kind: Kind, name: str, quota: str, hard: dict, asked: dict) -> None:
    """A quota on cpu or memory wants every pod to say how much it needs."""
    computed = {"cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"}
    missing = [key for key in sorted(computed & set(hard)) if key not in asked]
    if missing:
        raise forbidden(kind, name, f"failed quota: {quota}: must specify {','.join(missing)}")


def used(store: Store, namespace: str, hard: dict) -> dict[str, Decimal]:
    """How much of each limited resource a namespace uses. Pods that are over count no longer."""
    total = {key: Decimal(0) for key in hard}
    counted = {key.removeprefix("count/").partition(".")[0] for key in hard}
    for plural in counted | {"pods"}:
        try:
            kind = kind_of(plural)
        except KeyError:
            continue
        for content in store.contents(kind, namespace):
            for key, value in _usage(kind, content).items():
                if key in total:
                    total[key] += value
    return total


def _usage(kind: Kind, content: dict) -> dict[str, Decimal]:
    one = Decimal(1)
    usage = {f"count/{kind.qualified}": one}
    over = (content.get("status") or {}).get("phase") in ("Succeeded", "Failed")
    if kind.plural in _COUNTED and not (kind.plural == "pods" and over):
        usage[kind.plural] = one
    if kind.plural == "pods" and not over:
        for side in ("requests", "limits"):
            for resource, amount in resources(content["spec"], side).items():
                usage[f"{side}.{resource}"] = amount
                if side == "requests" and resource in ("cpu", "memory", "ephemeral-storage"):
                    usage[resource] = amount
    return usage
