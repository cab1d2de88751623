"""The overlays as kubectl builds them."""

import copy
import functools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

__all__ = ["MANIFESTS", "OVERLAYS", "Manifest", "build", "one", "pods", "selects", "wave"]

Manifest = dict[str, Any]

MANIFESTS = Path(__file__).parents[2] / "manifests"
#: Everything that builds by itself.
OVERLAYS = ("base", "overlays/dev", "overlays/prod", "argocd", "argocd/models")


class _Loader(yaml.CSafeLoader):
    """As Kubernetes reads: a bare ``=`` is text."""


_Loader.add_constructor("tag:yaml.org,2002:value", lambda loader, node: loader.construct_scalar(node))


@functools.cache
def _text(folder: str) -> str:
    kubectl = Path(sys.executable).parent / "kubectl"
    done = subprocess.run(
        [kubectl, "kustomize", MANIFESTS / folder], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", "kubectl warns"
    return done.stdout


@functools.cache
def _objects(folder: str) -> list[Manifest]:
    return [manifest for manifest in yaml.load_all(_text(folder), _Loader) if manifest]


def build(folder: str) -> list[Manifest]:
    """Every object of an overlay; changing them changes nothing for others."""
    return copy.deepcopy(_objects(folder))


def one(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    """The object of a kind and name; a generated name is told by what stands before its hash."""
    found = [
        manifest for manifest in manifests if manifest["kind"] == kind and _plain(manifest, name) == name
    ]
    assert len(found) == 1, f"{len(found)} of {kind} {name}"
    return found[0]


def _plain(manifest: Manifest, wanted: str) -> str:
    name = str(manifest["metadata"]["name"])
    head, _, tail = name.rpartition("-")
    return head if head == wanted and len(tail) == 10 else name


def pods(manifests: list[Manifest]) -> Iterator[tuple[Manifest, Manifest]]:
    """Each object that makes pods, with their template."""
    for manifest in manifests:
        spec = manifest.get("spec", {})
        if manifest["kind"] in ("Deployment", "StatefulSet", "DaemonSet", "Job"):
            yield manifest, spec["template"]
        elif manifest["kind"] == "CronJob":
            yield manifest, spec["jobTemplate"]["spec"]["template"]


def selects(selector: Manifest, labels: dict[str, str]) -> bool:
    """Whether a label selector selects these labels."""
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    for wanted in selector.get("matchExpressions", ()):
        value, values = labels.get(wanted["key"]), wanted.get("values", ())
        holds = {
            "In": value in values,
            "NotIn": value not in values,
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }
        if not holds[wanted["operator"]]:
            return False
    return True


def wave(manifest: Manifest) -> int:
    """When Argo CD applies an object: in ascending order."""
    return int(manifest["metadata"].get("annotations", {}).get("argocd.argoproj.io/sync-wave", "0"))
