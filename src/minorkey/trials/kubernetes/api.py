"""The few calls that the executor makes, each of which survives what API servers and networks do."""

import contextlib
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import urllib3
from kubernetes import client

from minorkey.cluster.credentials import configuration
from minorkey.trials.kubernetes.answers import Exists, Missing, is_passing, raise_if_told, retry_after, said
from minorkey.trials.kubernetes.problems import Problem
from minorkey.trials.kubernetes.refusals import refusal, unreachable

__all__ = ["Gone", "KubernetesApi", "Refused"]

Manifest = dict[str, Any]

_PATHS = {
    "jobs": "/apis/batch/v1/namespaces/{}/jobs",
    "pods": "/api/v1/namespaces/{}/pods",
    "events": "/api/v1/namespaces/{}/events",
}
_NAMES = {"jobs": "jobs.batch", "pods": "pods", "events": "events"}
#: Seconds for a connection and for an answer.
_TIMEOUT = (5.0, 30.0)
_LONGEST_PAUSE = 15.0
#: Times that credentials are read anew before a 401 is believed.
_LOGINS = 3


class Refused(Exception):
    """The API refused a call for a reason that asking again does not change at once."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


class Gone(Exception):
    """What a watch wants to resume from is no longer there: list again."""


class KubernetesApi:
    """A client that asks again, with back-off, what is worth asking again.

    Args:
        kubeconfig: path of a kubeconfig; None: inside a cluster the pod's own ServiceAccount, elsewhere
            the default kubeconfig.
        context: its context; None: the current one.
        patience: seconds that the API may be away before that is an error.
        pause: seconds before the first repetition of a call; doubled for each further one.
    """

    def __init__(
        self,
        kubeconfig: Path | str | None = None,
        *,
        context: str | None = None,
        patience: float = 300.0,
        pause: float = 0.1,
    ) -> None:
        self._kubeconfig = str(kubeconfig) if kubeconfig is not None else None
        self._context = context
        self._patience = patience
        self._pause = pause
        self._lock = threading.Lock()
        self._client = self._log_in()
        #: Calls made, by verb and kind, every attempt counted.
        self.calls: Counter[tuple[str, str]] = Counter()

    @property
    def server(self) -> str:
        """Address of the API."""
        return str(self._client.configuration.host)

    def create_job(self, namespace: str, manifest: Manifest) -> bool:
        """Create a Job; False if one of that name is there already.

        Raises:
            Refused: quota, admission, permission or namespace.
            StateError: the API has been away for too long.
        """
        try:
            self._call("POST", "create", "jobs", namespace, body=manifest)
        except Exists:
            return False
        return True

    def delete_job(self, namespace: str, name: str) -> bool:
        """Delete a Job, its pod after it; False if it is not there.

        Raises:
            Refused: permission.
            StateError: the API has been away for too long.
        """
        body = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
        try:
            self._call("DELETE", "delete", "jobs", namespace, name=name, body=body)
        except Missing:
            return False
        return True

    def list(self, kind: str, namespace: str, **selectors: str) -> tuple[list[Manifest], str]:
        """Objects, and the resourceVersion from which a watch goes on.

        Args:
            kind: ``jobs``, ``pods`` or ``events``.
            namespace: where.
            selectors: ``labelSelector``, ``fieldSelector``.

        Raises:
            Refused: permission or namespace.
            StateError: the API has been away for too long.
        """
        found = json.loads(self._call("GET", "list", kind, namespace, query=selectors))
        return found.get("items") or [], found["metadata"].get("resourceVersion", "")

    @contextlib.contextmanager
    def watch(
        self, kind: str, namespace: str, *, version: str, seconds: int, **selectors: str
    ) -> Iterator[tuple[Iterator[Manifest], Callable[[], None]]]:
        """Events after a resourceVersion, and a function that ends the watch from another thread.

        Raises:
            Gone: that version is too old.
            OSError, urllib3.exceptions.HTTPError, client.ApiException: the connection, or the API.
        """
        query = {
            **selectors,
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(seconds),
        }
        self.calls["watch", kind] += 1
        try:
            response = self._send(
                "GET", _PATHS[kind].format(namespace), query, None, (_TIMEOUT[0], seconds + 15.0)
            )
        except client.ApiException as error:
            if error.status == 410:
                raise Gone from None
            raise
        try:
            yield _lines(response), lambda: _shut(response)
        finally:
            response.close()

    def log_in_again(self) -> None:
        """Read the credentials anew: tokens are renewed in their files."""
        with self._lock:
            self._client = self._log_in()

    def problem(self, error: Exception, verb: str, kind: str, namespace: str) -> Problem:
        """What an exception of a call means."""
        status, message = said(error)
        return refusal(status, message, verb=verb, what=_NAMES[kind], namespace=namespace, server=self.server)

    def _call(
        self,
        method: str,
        verb: str,
        kind: str,
        namespace: str,
        *,
        name: str = "",
        query: dict[str, str] | None = None,
        body: Manifest | None = None,
    ) -> bytes:
        path = _PATHS[kind].format(namespace) + (f"/{name}" if name else "")
        began, pause, logins = time.monotonic(), self._pause, 0
        while True:
            self.calls[verb, kind] += 1
            try:
                response = self._send(method, path, query, body, _TIMEOUT)
                return bytes(response.read())
            except (OSError, urllib3.exceptions.HTTPError, client.ApiException) as error:
                status, message = said(error)
                raise_if_told(error, status, verb)
                if status == 401 and logins < _LOGINS:
                    logins += 1
                    self.log_in_again()
                elif not is_passing(status):
                    raise Refused(self.problem(error, verb, kind, namespace)) from error
                if time.monotonic() - began + pause > self._patience:
                    raise unreachable(self.server, message, self._patience) from error
                time.sleep(max(retry_after(error), pause * random.uniform(0.5, 1.0)))  # noqa: S311
                pause = min(2 * pause, _LONGEST_PAUSE)

    def _send(
        self,
        method: str,
        path: str,
        query: dict[str, str] | None,
        body: Manifest | None,
        timeout: tuple[float, float],
    ) -> Any:
        headers: dict[str, str] = {"Accept": "application/json", "Content-Type": "application/json"}
        kube = self._client
        kube.update_params_for_auth(headers, [], ["BearerToken"])
        url = kube.configuration.host + path + (f"?{urlencode(query)}" if query else "")
        return kube.rest_client.request(
            method, url, headers=headers, body=body, _preload_content=False, _request_timeout=timeout
        )

    def _log_in(self) -> client.ApiClient:
        settings = configuration(self._kubeconfig, context=self._context)
        # Retries are ours: urllib3's know nothing of Retry-After of creations, nor of when to give up.
        settings.retries = False
        settings.connection_pool_maxsize = 8
        return client.ApiClient(settings)


def _lines(response: Any) -> Iterator[Manifest]:
    """One JSON object a line; a line that the end of the connection cut off is dropped."""
    rest = b""
    for chunk in response.stream(1 << 16, decode_content=False):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.strip():
                yield json.loads(line)


def _shut(response: Any) -> None:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        response.shutdown()
