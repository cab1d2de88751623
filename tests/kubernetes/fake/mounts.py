"""Where the volumes of a pod are on this machine, and how its process is told so.

A process shares the machine's file system, so a mount path means nothing to it. Every path below a mount
path is therefore replaced by the folder behind it, in the command, its arguments and the values of the
environment: ``--root=/study/a`` becomes ``--root=/tmp/.../a``. A path that the program itself has written
down, and that it is not told, is not mapped.
"""

import base64
import re
from collections.abc import Callable
from pathlib import Path

from tests.kubernetes.fake.kinds import kind_of
from tests.kubernetes.fake.store import Store

__all__ = ["TOKEN_PATH", "MountError", "Mounts"]

TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"


class MountError(Exception):
    """A volume cannot be mounted, for now."""


class Mounts:
    """The mapped paths of one pod.

    Args:
        folder: the pod's own folder.
        claim: the folder behind a persistent volume claim.
        token: makes a token of the pod's service account.
    """

    def __init__(
        self,
        store: Store,
        pod: dict,
        folder: Path,
        claim: Callable[[str, str], Path],
        token: Callable[[str, str], str],
    ) -> None:
        self._store = store
        self._pod = pod
        self._folder = folder
        self._claim = claim
        volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes") or ()}
        self.paths: dict[str, Path] = {}
        container = pod["spec"]["containers"][0]
        for mount in container.get("volumeMounts") or ():
            path = self._source(volumes[mount["name"]])
            if mount.get("subPath"):
                path = path / mount["subPath"]
                path.mkdir(parents=True, exist_ok=True)
            self.paths[mount["mountPath"].rstrip("/")] = path
        self.termination = folder / "termination-log"
        self.paths[container["terminationMessagePath"]] = self.termination
        if pod["spec"].get("automountServiceAccountToken") is not False:
            self._mount_token(token)
        longest_first = sorted(self.paths, key=len, reverse=True)
        self._pattern = re.compile(
            r"(?<![\w.\-/])(" + "|".join(map(re.escape, longest_first)) + r")(?=$|[/:;,\"'\s\])}])"
        )

    def replaced(self, text: str) -> str:
        """A text with mount paths replaced by the folders behind them."""
        return self._pattern.sub(lambda match: str(self.paths[match[1]]), text)

    def _source(self, volume: dict) -> Path:
        namespace = self._pod["metadata"]["namespace"]
        if "persistentVolumeClaim" in volume:
            return self._claim(namespace, volume["persistentVolumeClaim"]["claimName"])
        if "hostPath" in volume:
            return Path(volume["hostPath"]["path"])
        path = self._folder / "volumes" / volume["name"]
        path.mkdir(parents=True, exist_ok=True)
        if "secret" in volume:
            self._write(
                path, "secrets", volume["secret"]["secretName"], volume["secret"].get("optional", False)
            )
        elif "configMap" in volume:
            self._write(
                path, "configmaps", volume["configMap"]["name"], volume["configMap"].get("optional", False)
            )
        elif "emptyDir" not in volume:
            raise MountError(f"the fake mounts no volume of the kind of {volume['name']}")
        return path

    def _write(self, path: Path, plural: str, name: str, optional: bool) -> None:
        found = self._store.content(kind_of(plural), self._pod["metadata"]["namespace"], name)
        if found is None:
            if optional:
                return
            raise MountError(f'{plural.removesuffix("s")} "{name}" not found')
        for key, value in (found.get("data") or {}).items():
            content = base64.b64decode(value) if plural == "secrets" else value.encode()
            (path / key).write_bytes(content)

    def _mount_token(self, token: Callable[[str, str], str]) -> None:
        namespace, account = self._pod["metadata"]["namespace"], self._pod["spec"]["serviceAccountName"]
        path = self._folder / "token"
        path.mkdir(parents=True, exist_ok=True)
        (path / "token").write_text(token(namespace, account))
        (path / "namespace").write_text(namespace)
        self.paths[TOKEN_PATH] = path
