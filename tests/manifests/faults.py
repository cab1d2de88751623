"""What is wrong with a pod template, in the words of whoever would have to mend it."""

from collections.abc import Iterator
from typing import Any

from tests.kubernetes.fake.pod_security import violations

__all__ = ["faults"]

_SERVING = ("Deployment", "StatefulSet", "DaemonSet")


def faults(owner: dict[str, Any], template: dict[str, Any], budgets: list[dict[str, Any]]) -> list[str]:
    """Faults of the pods that an object makes.

    Args:
        owner: the object.
        template: its pods' template.
        budgets: the PodDisruptionBudgets of its namespace.
    """
    return [*_of_pod(template["spec"]), *_of_containers(owner, template["spec"]), *_of_many(owner, budgets)]


def _of_pod(pod: dict[str, Any]) -> Iterator[str]:
    everything = [*pod["containers"], *pod.get("initContainers", ())]
    yield from violations({**pod, "containers": everything}, "restricted")
    if not (pod.get("securityContext") or {}).get("runAsUser"):
        yield "no numeric user: whether it is root is known only when it starts"
    if "automountServiceAccountToken" not in pod:
        yield "does not say whether it gets a token"
    if pod.get("serviceAccountName", "default") == "default":
        yield "runs as the default account"
    if pod.get("enableServiceLinks", True):
        yield "gets every service of the namespace in its environment"
    for volume in pod.get("volumes", ()):
        if "emptyDir" in volume and not volume["emptyDir"].get("sizeLimit"):
            yield f"volume {volume['name']} has no size limit"


def _of_containers(owner: dict[str, Any], pod: dict[str, Any]) -> Iterator[str]:
    for container in [*pod["containers"], *pod.get("initContainers", ())]:
        name = container["name"]
        resources = container.get("resources", {})
        for what in ("requests", "limits"):
            missing = {"cpu", "memory", "ephemeral-storage"} - set(resources.get(what, {}))
            if missing:
                yield f"{name}: {what} lack {', '.join(sorted(missing))}"
        if not (container.get("securityContext") or {}).get("readOnlyRootFilesystem"):
            yield f"{name}: the root file system can be written"
        if any("hostPort" in port for port in container.get("ports", ())):
            yield f"{name}: takes a port of the node"
        for variable in container.get("env", ()):
            named = variable["name"]
            secret = any(word in named for word in ("PASSWORD", "TOKEN", "SECRET"))
            if "value" in variable and secret and not named.endswith("_FILE"):
                yield f"{name}: {named} is a secret in plain text"
        if owner["kind"] in _SERVING:
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                if probe not in container:
                    yield f"{name}: no {probe}"


def _of_many(owner: dict[str, Any], budgets: list[dict[str, Any]]) -> Iterator[str]:
    spec = owner["spec"]
    if owner["kind"] not in _SERVING or spec.get("replicas", 1) < 2:
        return
    pod = spec["template"]["spec"]
    if not (pod.get("affinity", {}).get("podAntiAffinity") or pod.get("topologySpreadConstraints")):
        yield "several pods may lie on one node"
    labels = spec["selector"]["matchLabels"]
    if not any(
        budget["spec"]["selector"].get("matchLabels", {}).items() <= labels.items() for budget in budgets
    ):
        yield "no PodDisruptionBudget keeps any of its pods"
