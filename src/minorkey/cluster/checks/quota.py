"""Quotas of the trials' namespace against what the ClusterSpec asks for."""

from collections.abc import Iterator
from decimal import Decimal

from minorkey.cluster.findings import Finding, fine, problem, unseen, warning
from minorkey.cluster.quantities import parse_quantity
from minorkey.cluster.reader import Reader, Refusal
from minorkey.cluster.spec import ClusterSpec, Profile

__all__ = ["check_quota"]

Amounts = dict[str, Decimal]


def check_quota(reader: Reader, spec: ClusterSpec) -> Iterator[Finding]:
    """Compare every quota with one trial pod and with all that may run at a time."""
    namespace = spec.trial_namespace
    try:
        quotas = reader.items(f"/api/v1/namespaces/{namespace}/resourcequotas")
    except Refusal as refusal:
        yield unseen(
            "quota", f"quotas of namespace {namespace}: {refusal}", "ask as somebody who may list them"
        )
        return
    if not quotas:
        yield fine("quota", f"namespace {namespace} has none")
    for quota in quotas:
        yield from _against(quota, spec, namespace)


def _against(quota: dict, spec: ClusterSpec, namespace: str) -> Iterator[Finding]:  # type: ignore[type-arg]
    name = quota["metadata"]["name"]
    hard = quota.get("status", {}).get("hard") or quota.get("spec", {}).get("hard", {})
    used = quota.get("status", {}).get("used", {})
    one = _most(spec)
    for resource, limit in hard.items():
        asked = one.get(resource)
        if not asked:
            continue
        most = parse_quantity(limit, key=f"quota {name}")
        left = most - parse_quantity(used.get(resource, "0"), key=f"quota {name}")
        yield _compared(f"quota {name} in namespace {namespace}, {resource}", limit, asked, most, left, spec)


def _compared(
    what: str, limit: str, asked: Decimal, most: Decimal, left: Decimal, spec: ClusterSpec
) -> Finding:
    slots = spec.trials.slots
    if asked > most:
        return problem(
            "quota",
            f"{what}: {limit} is less than a single trial pod asks for ({_plain(asked)})",
            "raise the quota, or ask for less in trials.cpu and trials.gpu",
        )
    if asked * slots > most:
        fitting = int(most // asked)
        return problem(
            "quota",
            f"{what}: {limit} holds {fitting} trial pods, trials.slots asks for {slots}",
            f"raise the quota to {_plain(asked * slots)}, or set trials.slots to {fitting}",
        )
    if asked * slots > left:
        return warning(
            "quota",
            f"{what}: {limit}, of which {max(int(left // asked), 0)} of {slots} trial pods fit beside others",
            "nothing is lost: the rest waits; free what is not needed, or raise the quota",
        )
    return fine("quota", f"{what}: {limit} holds {slots} trial pods")


def _most(spec: ClusterSpec) -> Amounts:
    """What the larger of the two profiles asks for, by the names that quotas use."""
    amounts = [_amounts(profile) for profile in (spec.trials.cpu, spec.trials.gpu) if profile is not None]
    names = {name for one in amounts for name in one}
    return {name: max(one.get(name, Decimal(0)) for one in amounts) for name in names}


def _amounts(profile: Profile) -> Amounts:
    plain = {
        "cpu": parse_quantity(profile.cpu),
        "memory": parse_quantity(profile.memory),
        "ephemeral-storage": parse_quantity(profile.ephemeral_storage),
    }
    amounts = {f"{kind}.{name}": value for kind in ("requests", "limits") for name, value in plain.items()}
    amounts |= plain | {"pods": Decimal(1), "count/pods": Decimal(1), "count/jobs.batch": Decimal(1)}
    if profile.gpus:
        amounts[f"requests.{profile.gpu_resource}"] = Decimal(profile.gpus)
    return amounts


def _plain(value: Decimal) -> str:
    """A number as a person writes it: 160, or 80Gi."""
    for power, unit in ((4, "Ti"), (3, "Gi"), (2, "Mi")):
        if value >= Decimal(1024) ** power and value % Decimal(1024) ** power == 0:
            return f"{value / Decimal(1024) ** power:f}{unit}"
    return f"{value.normalize():f}"
