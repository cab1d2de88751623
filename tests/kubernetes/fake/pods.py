"""Defaults and rules of pods, in Jobs' templates too."""

import copy
import re
from typing import Any

from tests.kubernetes.fake.quantity import quantity

__all__ = ["image_is_valid", "pod_defaults", "pod_problems", "resources", "with_condition"]

Problems = list[tuple[str, str]]

_IMAGE = re.compile(
    r"[a-z0-9][a-z0-9._-]*(:[0-9]+)?(/[a-z0-9._-]+)*(:[\w][\w.-]{0,127})?(@sha256:[0-9a-f]{64})?"
)


def image_is_valid(image: str) -> bool:
    return _IMAGE.fullmatch(image) is not None


def pod_defaults(spec: dict) -> dict:
    """A pod's spec with the API's defaults filled in."""
    spec = copy.deepcopy(spec)
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("schedulerName", "default-scheduler")
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("securityContext", {})
    for container in spec.get("containers") or ():
        container.setdefault("terminationMessagePath", "/dev/termination-log")
        container.setdefault("terminationMessagePolicy", "File")
        tagged = re.search(r":(?!latest$)[\w.-]+$|@sha256:", container.get("image") or "")
        container.setdefault("imagePullPolicy", "IfNotPresent" if tagged else "Always")
        limits = (container.setdefault("resources", {}) or {}).get("limits") or {}
        if limits:
            asked = dict(container["resources"].get("requests") or {})
            container["resources"] = {**container["resources"], "requests": {**limits, **asked}}
    return spec


def pod_problems(spec: dict, path: str) -> Problems:
    """What the API finds wrong with a pod's spec."""
    problems: Problems = []
    containers = spec.get("containers") or []
    if not containers:
        problems.append((f"{path}.containers", "Required value"))
    if len(containers) > 1 or spec.get("initContainers"):
        problems.append((f"{path}.containers", "Invalid value: the fake runs one container a pod"))
    names = {volume.get("name") for volume in spec.get("volumes") or ()}
    for place, container in enumerate(containers):
        problems += _container_problems(container, names, f"{path}.containers[{place}]")
    return problems


def _container_problems(container: dict, volumes: set[Any], path: str) -> Problems:
    problems: Problems = []
    for needed in ("name", "image"):
        if not container.get(needed):
            problems.append((f"{path}.{needed}", "Required value"))
    problems += [
        (f"{path}.volumeMounts[{place}].name", f'Not found: "{mount.get("name")}"')
        for place, mount in enumerate(container.get("volumeMounts") or ())
        if mount.get("name") not in volumes
    ]
    asked = container.get("resources") or {}
    amounts: dict[str, dict] = {}
    for side in ("limits", "requests"):
        amounts[side] = {}
        for resource, amount in (asked.get(side) or {}).items():
            try:
                amounts[side][resource] = quantity(amount)
            except ValueError:
                problems.append((f"{path}.resources.{side}[{resource}]", f"Invalid value: {amount!r}"))
    for resource, amount in amounts["requests"].items():
        limit = amounts["limits"].get(resource)
        if limit is not None and amount > limit:
            where = f"{path}.resources.requests"
            problems.append(
                (where, f"Invalid value: must be less than or equal to {resource} limit of {limit}")
            )
        if "/" in resource and amount != limit:
            problems.append((f"{path}.resources.limits[{resource}]", "Required value: Limit must be set"))
    return problems


def resources(spec: dict, side: str = "requests") -> dict:
    """What a pod's containers ask for together."""
    total: dict = {}
    for container in spec.get("containers") or ():
        for resource, amount in ((container.get("resources") or {}).get(side) or {}).items():
            total[resource] = total.get(resource, 0) + quantity(amount)
    return total


def with_condition(
    status: dict, kind: str, value: str, now: str, reason: str = "", message: str = ""
) -> dict:
    """A status with one condition set."""
    old = [condition for condition in status.get("conditions") or () if condition["type"] != kind]
    condition = {"type": kind, "status": value, "lastProbeTime": None, "lastTransitionTime": now}
    if reason:
        condition["reason"] = reason
    if message:
        condition["message"] = message
    return {**status, "conditions": [*old, condition]}
