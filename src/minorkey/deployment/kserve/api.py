"""The few objects that a rollout reads and writes; a call survives what API servers and networks do."""

import json
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import urllib3
from kubernetes import client

from minorkey.cluster.credentials import configuration
from minorkey.errors import StateError
from minorkey.serving.verification import CHECK_HEADER

__all__ = ["RIGHTS", "Missing", "NoKind", "ServingApi"]

Manifest = dict[str, Any]

_SERVICES = "inferenceservices"
_PATHS = {
    _SERVICES: "/apis/serving.kserve.io/v1beta1/namespaces/{}/inferenceservices",
    "servingruntimes": "/apis/serving.kserve.io/v1alpha1/namespaces/{}/servingruntimes",
    "httproutes": "/apis/gateway.networking.k8s.io/v1/namespaces/{}/httproutes",
    "poddisruptionbudgets": "/apis/policy/v1/namespaces/{}/poddisruptionbudgets",
    "pods": "/api/v1/namespaces/{}/pods",
}
#: What the deploy step may have to do in the serving namespace: group, resource, verbs.
RIGHTS = (
    ("serving.kserve.io", "inferenceservices", ("get", "create", "update", "delete")),
    ("serving.kserve.io", "servingruntimes", ("create",)),
    ("policy", "poddisruptionbudgets", ("create",)),
    ("gateway.networking.k8s.io", "httproutes", ("get",)),
    ("", "pods", ("list",)),
)
#: Seconds for a connection and for an answer.
_TIMEOUT = (5.0, 30.0)
_LONGEST_PAUSE = 10.0


class NoKind(StateError):
    """The cluster does not know the kind: what brings it is not installed."""


class Missing(Exception):
    """There is no object of that name."""


class ServingApi:
    """A client for one namespace.

    Args:
        namespace: where the predictors are.
        kubeconfig: path of a kubeconfig; None: the account whose token is mounted, elsewhere the default.
        patience: seconds that the API may be away before that is an error.
    """

    def __init__(
        self, namespace: str, kubeconfig: Path | str | None = None, *, patience: float = 120.0
    ) -> None:
        self.namespace = namespace
        self._kubeconfig = kubeconfig
        self._patience = patience
        self._client = self._log_in()

    def get(self, kind: str, name: str) -> Manifest:
        """An object.

        Raises:
            Missing: there is none of this name.
            StateError: the API refuses, does not know the kind, or has been away for too long.
        """
        return self._ask("GET", kind, name)

    def find(self, kind: str, name: str) -> Manifest | None:
        """An object, None if there is none of this name.

        Raises:
            StateError: the API refuses, does not know the kind, or has been away for too long.
        """
        try:
            return self.get(kind, name)
        except Missing:
            return None

    def create(self, kind: str, manifest: Manifest) -> bool:
        """Create an object; False if there is one of this name, which stays as it is.

        Raises:
            StateError: the API refuses, does not know the kind, or has been away for too long.
        """
        try:
            self._ask("POST", kind, body=manifest)
        except _Exists:
            return False
        return True

    def update(self, kind: str, name: str, change: Callable[[Manifest], Manifest]) -> Manifest:
        """Write what a function makes of the object as it is now; asked again if somebody was faster.

        Raises:
            Missing: there is none of this name.
            StateError: the API refuses, or has been away for too long.
        """
        until = time.monotonic() + self._patience
        while True:
            current = self.get(kind, name)
            changed = change(current)
            if changed == current:
                return current
            try:
                return self._ask("PUT", kind, name, body=changed)
            except _Conflict:
                if time.monotonic() > until:
                    raise StateError(
                        "somebody else changes the object all the time",
                        key=f"{kind} {name} in namespace {self.namespace}",
                        remedy="see what changes it (kubectl get --show-managed-fields), and run again",
                    ) from None

    def delete(self, kind: str, name: str) -> None:
        """Delete an object, if it is there.

        Raises:
            StateError: the API refuses, or has been away for too long.
        """
        try:
            self._ask("DELETE", kind, name)
        except Missing:
            return

    def pods(self, service: str) -> list[Manifest]:
        """The pods of an InferenceService's predictors.

        Raises:
            StateError: the API refuses, or has been away for too long.
        """
        query = {"labelSelector": f"serving.kserve.io/inferenceservice={service},component=predictor"}
        found: list[Manifest] = self._ask("GET", "pods", query=query).get("items") or []
        return found

    def proxied(self, method: str, pod: str, port: int, path: str, body: bytes | None) -> tuple[int, bytes]:
        """What a pod answers through the API server: status and body; 0 where the API is not reached."""
        address = f"{_PATHS['pods'].format(self.namespace)}/{pod}:{port}/proxy{path}"
        try:
            answer = self._send(method, address, body, {CHECK_HEADER: "1"})
        except urllib3.exceptions.HTTPError as error:
            return 0, f"{type(error).__name__}: {error}".encode()
        return answer.status, answer.data

    def _ask(
        self,
        method: str,
        kind: str,
        name: str = "",
        *,
        query: dict[str, str] | None = None,
        body: Manifest | None = None,
    ) -> Manifest:
        path = _PATHS[kind].format(self.namespace) + (f"/{name}" if name else "")
        path += f"?{urlencode(query)}" if query else ""
        content = None if body is None else json.dumps(body).encode()
        began, pause, asked = time.monotonic(), 0.1, 0
        while True:
            asked += 1
            try:
                answer = self._send(method, path, content)
                status, told = answer.status, _content(answer.data)
            except urllib3.exceptions.HTTPError as error:
                status, told = 0, {"message": f"{type(error).__name__}: {error}"}
            if 200 <= status < 300:
                return told
            # An answer that got lost on its way: the first attempt may have done it.
            self._raise(status, told, method, kind, name)
            if time.monotonic() - began + pause > self._patience:
                raise self._away(str(told.get("message", status)))
            if status == 401:
                self._client = self._log_in()
            time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _raise(self, status: int, told: Manifest, method: str, kind: str, name: str) -> None:
        """Turn what asking again does not change into an exception."""
        if status == 404 and (told.get("details") or {}).get("name", "") == name and name:
            raise Missing(name)
        if status == 409:
            raise _Exists if method == "POST" else _Conflict
        if status in (0, 401, 408, 429) or status >= 500:
            return
        message = str(told.get("message", status))
        if status == 404 and (told.get("details") or {}).get("kind") == "namespaces":
            raise StateError(
                "the cluster does not have the namespace in which models serve",
                key="serving.namespace",
                value=self.namespace,
                allowed="a namespace of the cluster",
                remedy="apply the environment's overlay, which makes it, or correct the name in the cluster "
                "specification",
            )
        if status == 404:
            raise _no_kind(kind, message)
        raise StateError(
            "the Kubernetes API refuses the deployment",
            key=f"{kind} {name}".strip() + f" in namespace {self.namespace}",
            value=message,
            remedy=_remedy(status, kind, self.namespace),
        )

    def _away(self, message: str) -> StateError:
        return StateError(
            "the Kubernetes API is not reached",
            key=str(self._client.configuration.host),
            value=message,
            remedy="check the network and the kubeconfig, and run the step again: it goes on where it was",
        )

    def _send(
        self, method: str, path: str, body: bytes | None, more: dict[str, str] | None = None
    ) -> urllib3.BaseHTTPResponse:
        headers = {"Accept": "application/json", "Content-Type": "application/json", **(more or {})}
        kube = self._client
        kube.update_params_for_auth(headers, [], ["BearerToken"])
        answer: urllib3.BaseHTTPResponse = kube.rest_client.pool_manager.request(
            method,
            kube.configuration.host + path,
            headers=headers,
            body=body,
            timeout=urllib3.Timeout(*_TIMEOUT),
            retries=False,
        )
        return answer

    def _log_in(self) -> client.ApiClient:
        made = configuration(self._kubeconfig)
        made.retries = False
        return client.ApiClient(made)


class _Exists(Exception):
    """An object of that name is there already."""


class _Conflict(Exception):
    """The object is not as it was when it was read."""


def _content(data: bytes) -> Manifest:
    try:
        content = json.loads(data)
    except ValueError:
        return {"message": data[:200].decode(errors="replace")}
    return content if isinstance(content, dict) else {}


def _no_kind(kind: str, message: str) -> NoKind:
    if kind == "httproutes":
        what, remedy = "the Gateway API", "install it, or set serving.kserve.gateway to false"
    else:
        what, remedy = "KServe", "install KServe 0.20 or later, Standard mode is enough"
    return NoKind(
        f"the cluster does not have {what}: its custom resource definitions are missing",
        key=kind,
        value=message,
        remedy=f"{remedy}; `minorkey doctor --cluster` looks for it",
    )


def _remedy(status: int, kind: str, namespace: str) -> str:
    if status == 403:
        verbs = {name: wanted for _, name, wanted in RIGHTS}[kind]
        return (
            f"bind a Role that allows {', '.join(verbs)} on {kind} in namespace {namespace} to the account "
            "of the deploy step; `minorkey doctor --cluster` lists every right"
        )
    return "change what the message names in serving.kserve of the cluster specification"
