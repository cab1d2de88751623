"""The container of a manifest as a process of this machine: its arguments, environment and volumes."""

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.manifests.built import Manifest, one

__all__ = ["Process", "process_of"]


@dataclass(frozen=True)
class Process:
    """What to run.

    Attributes:
        command: its words.
        environment: all of its environment.
        folder: where its volumes lie.
    """

    command: list[str]
    environment: dict[str, str]
    folder: Path


def process_of(
    manifests: list[Manifest],
    pod: Manifest,
    folder: Path,
    *,
    secrets: dict[str, dict[str, str]],
    instead: dict[str, str],
) -> Process:
    """The only container of a pod.

    Args:
        manifests: the overlay; its ConfigMaps are mounted.
        pod: the pod's spec.
        folder: an empty folder for its volumes.
        secrets: content of Secrets, by name and key.
        instead: what stands in for addresses of the cluster, in arguments, environment and files.
    """
    (container,) = pod["containers"]
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    mounts = {}
    for mount in sorted(container["volumeMounts"], key=lambda one: len(one["mountPath"]), reverse=True):
        place = folder / mount["name"]
        place.mkdir()
        mounts[mount["mountPath"]] = str(place)
        for name, text in _files(volumes[mount["name"]], manifests, secrets).items():
            (place / name).write_text(text)
    replaced = {**mounts, **instead}
    for place in map(Path, mounts.values()):
        for path in place.iterdir():
            path.write_text(_with(path.read_text(), replaced))
    environment = _environment(container, manifests, secrets)
    words = [word for argument in container["args"][1:] if (word := _expanded(argument, environment))]
    return Process(
        command=[sys.executable, "-m", container["args"][0], *(_with(word, replaced) for word in words)],
        environment={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(sys.path),
            "HOME": mounts["/tmp"],
            "MINORKEY_HOME": mounts["/var/lib/minorkey"],
            **{name: _with(value, replaced) for name, value in environment.items()},
        },
        folder=folder,
    )


def _files(volume: Manifest, manifests: list[Manifest], secrets: dict[str, dict[str, str]]) -> dict[str, str]:
    if "configMap" in volume:
        return one(manifests, "ConfigMap", volume["configMap"]["name"].rpartition("-")[0])["data"]
    if "secret" in volume:
        return secrets[volume["secret"]["secretName"]]
    if "projected" in volume:
        return {
            source["serviceAccountToken"]["path"]: "service-account"
            for source in volume["projected"]["sources"]
        }
    return {}


def _environment(
    container: Manifest, manifests: list[Manifest], secrets: dict[str, dict[str, str]]
) -> dict[str, str]:
    found: dict[str, str] = {}
    for source in container.get("envFrom", ()):
        found |= one(manifests, "ConfigMap", source["configMapRef"]["name"].rpartition("-")[0])["data"]
    for variable in container.get("env", ()):
        if "value" in variable:
            found[variable["name"]] = variable["value"]
            continue
        wanted: dict[str, Any] = variable["valueFrom"]["secretKeyRef"]
        value = secrets[wanted["name"]].get(wanted["key"])
        if value is None:
            assert wanted.get("optional"), wanted
        else:
            found[variable["name"]] = value
    return found


def _expanded(word: str, environment: dict[str, str]) -> str:
    for name, value in environment.items():
        word = word.replace(f"$({name})", value)
    return word


def _with(text: str, replaced: dict[str, str]) -> str:
    """In one go: what was put in is not replaced again."""
    theirs = "|".join(re.escape(one) for one in sorted(replaced, key=len, reverse=True))
    return re.sub(theirs, lambda found: replaced[found[0]], text)
