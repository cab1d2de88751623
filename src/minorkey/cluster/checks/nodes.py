"""Whether there are nodes on which a trial pod fits."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from minorkey.cluster.findings import Finding, fine, problem, unseen
from minorkey.cluster.quantities import parse_quantity
from minorkey.cluster.reader import Reader, Refusal
from minorkey.cluster.spec import ClusterSpec, Profile, Toleration

__all__ = ["check_nodes"]

Node = dict[str, Any]


def check_nodes(reader: Reader, spec: ClusterSpec) -> Iterator[Finding]:
    """Look for nodes for each profile: labels, taints, room and GPUs."""
    try:
        nodes = reader.items("/api/v1/nodes")
    except Refusal as refusal:
        yield unseen("nodes", f"nodes: {refusal}", "ask as somebody who may list nodes")
        return
    yield _for_profile("trials.cpu", spec.trials.cpu, nodes)
    if spec.trials.gpu is not None:
        yield _for_profile("trials.gpu", spec.trials.gpu, nodes)


def _for_profile(key: str, profile: Profile, nodes: list[Node]) -> Finding:
    """The first demand that no node meets, told with its remedy."""
    grows = "; if an autoscaler adds such nodes when they are asked for, this is as it should be"
    left = [node for node in nodes if _is_usable(node)]
    if not left:
        return problem("nodes", f"none of {len(nodes)} nodes is ready and open", "kubectl get nodes" + grows)
    wanted = profile.node_selector
    left = [node for node in left if wanted.items() <= node["metadata"].get("labels", {}).items()]
    if not left:
        return problem(
            "nodes", f"no node has the labels {wanted}", f"label a node, or change {key}.node_selector{grows}"
        )
    if profile.gpus:
        left = [node for node in left if _room(node, profile.gpu_resource) >= profile.gpus]
        if not left:
            return problem(
                "nodes",
                f"no node offers {profile.gpus} {profile.gpu_resource}",
                f"install the GPU's device plugin, add a GPU node, or leave {key} out{grows}",
            )
    asked = {"cpu": profile.cpu, "memory": profile.memory, "ephemeral-storage": profile.ephemeral_storage}
    left = [
        node
        for node in left
        if all(_room(node, name) >= parse_quantity(size) for name, size in asked.items())
    ]
    if not left:
        sizes = ", ".join(f"{size} {name}" for name, size in asked.items())
        return problem(
            "nodes", f"no node is large enough for {key} ({sizes})", f"ask for less in {key}{grows}"
        )
    open_nodes = [node for node in left if not _refusing(node, profile.tolerations)]
    if not open_nodes:
        taints = sorted({_name(taint) for node in left for taint in _refusing(node, profile.tolerations)})
        return problem(
            "nodes",
            f"every node that fits {key} has taints: {', '.join(taints)}",
            f"add them to {key}.tolerations",
        )
    return fine("nodes", f"{len(open_nodes)} of {len(nodes)} nodes take pods of {key}")


def _is_usable(node: Node) -> bool:
    ready = [one["status"] for one in node.get("status", {}).get("conditions", []) if one["type"] == "Ready"]
    return (
        ready != ["False"] and ready != ["Unknown"] and not node.get("spec", {}).get("unschedulable", False)
    )


def _room(node: Node, resource: str) -> Decimal:
    return parse_quantity(node.get("status", {}).get("allocatable", {}).get(resource, "0"))


def _refusing(node: Node, tolerations: tuple[Toleration, ...]) -> list[dict[str, str]]:
    """Taints of a node that keep the pod away."""
    taints = [
        taint for taint in node.get("spec", {}).get("taints", []) if taint["effect"] != "PreferNoSchedule"
    ]
    return [taint for taint in taints if not any(_tolerates(one, taint) for one in tolerations)]


def _tolerates(toleration: Toleration, taint: dict[str, str]) -> bool:
    if toleration.effect and toleration.effect != taint["effect"]:
        return False
    if toleration.operator == "Exists":
        return not toleration.key or toleration.key == taint["key"]
    return toleration.key == taint["key"] and toleration.value == taint.get("value", "")


def _name(taint: dict[str, str]) -> str:
    value = f"={taint['value']}" if taint.get("value") else ""
    return f"{taint['key']}{value}:{taint['effect']}"
