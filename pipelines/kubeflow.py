"""A Kubeflow Pipelines server: reached, spoken to through kfp's client, its refusals told in plain words."""

import contextlib
import io
import json
import ssl
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import kfp
import kfp_server_api
import urllib3

from minorkey.errors import SpecError, StateError
from minorkey.secret_file import read_secret

__all__ = ["Refused", "Server", "Unreachable", "explained"]

_SECONDS = 10.0
_HEALTH = "/apis/v2beta1/healthz"


class Unreachable(StateError):
    """The server is not reached, or fails: the same call may succeed a little later."""


class Refused(StateError):
    """The server refuses a call.

    Attributes:
        status: its HTTP status.
    """

    status = 0


@dataclass(frozen=True)
class Server:
    """Where Kubeflow Pipelines is and who asks.

    Attributes:
        host: URL of its API, e.g. ``http://localhost:8888`` or ``https://kubeflow.example/pipeline``.
        namespace: namespace of a multi-user installation, "" in a single-user one.
        token_file: file with a bearer token, None for a server that asks for none.
        ca_file: certificates that vouch for the server, None for those of the system.
    """

    host: str
    namespace: str = ""
    token_file: Path | None = None
    ca_file: Path | None = None

    def client(self) -> kfp.Client:
        """A client that has reached the server.

        Raises:
            SpecError: the URL or the certificates cannot be used.
            StateError: the token's file cannot be read; the server is not reached, refuses the token, or is
                no Kubeflow Pipelines.
        """
        if not self.host.startswith(("http://", "https://")):
            raise SpecError(
                "the host is not a URL", key="--host", value=self.host, allowed="http://... or https://..."
            )
        token = self._token()
        self._reach(token)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            authority = None if self.ca_file is None else str(self.ca_file)
            client = kfp.Client(host=self.host, existing_token=token, ssl_ca_cert=authority)
        if self.namespace:
            client._context_setting["namespace"] = self.namespace
        return client

    def _token(self) -> str | None:
        if self.token_file is None:
            return None
        return read_secret(self.token_file, "the token", key="--token-file")

    def _authority(self) -> ssl.SSLContext | bool:
        if self.ca_file is None:
            return True
        try:
            return ssl.create_default_context(cafile=str(self.ca_file))
        except OSError as error:
            raise SpecError(
                "the certificates cannot be read",
                key="--ca-file",
                value=error,
                allowed="a file in PEM format",
            ) from None

    def _reach(self, token: str | None) -> None:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        try:
            answer = httpx.get(
                self.host.rstrip("/") + _HEALTH, headers=headers, timeout=_SECONDS, verify=self._authority()
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _unreachable(self.host, error) from None
        if answer.status_code != 200:
            raise _refused(self.host, answer.status_code, answer.text)
        try:
            known = isinstance(answer.json(), dict)
        except ValueError:
            known = False
        if not known:
            raise StateError(
                "what answers there is not the API of Kubeflow Pipelines, perhaps a login page",
                key=self.host,
                value=answer.headers.get("content-type", ""),
                allowed="the URL of ml-pipeline, port 8888, or Kubeflow's /pipeline",
                remedy="check --host, and give --token-file where the installation asks for a login",
            )


@contextlib.contextmanager
def explained(host: str) -> Iterator[None]:
    """Refusals of the server as an error with its remedy; what kfp prints by the way is dropped.

    Raises:
        StateError: the server refuses, or is not reached any more.
    """
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    except kfp_server_api.ApiException as error:
        raise _refused(host, error.status, error.body or str(error.reason)) from None
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise _unreachable(host, error) from None


def _unreachable(host: str, error: Exception) -> Unreachable:
    return Unreachable(
        "Kubeflow Pipelines is not reached",
        key=host,
        value=f"{type(error).__name__}: {error}",
        remedy="check --host; from outside the cluster: "
        "kubectl -n kubeflow port-forward svc/ml-pipeline 8888, then --host http://localhost:8888",
    )


_REMEDIES = {
    401: "give a fresh token: kubectl create token SERVICEACCOUNT > FILE, then --token-file FILE",
    403: "ask for the right to create and list runs in this namespace, or give another --namespace",
    404: "check --host and the names given; minorkey runs lists what is there",
    409: "what exists already cannot be made again: use it, or give another name",
}


def _refused(host: str, status: int, body: str | bytes) -> StateError:
    what = {
        401: "Kubeflow Pipelines does not accept the token, or asks for one",
        403: "Kubeflow Pipelines forbids this",
        404: "Kubeflow Pipelines does not know this",
        409: "this exists already in Kubeflow Pipelines",
    }.get(status, "Kubeflow Pipelines refuses this" if status < 500 else "Kubeflow Pipelines failed")
    remedy = _REMEDIES.get(
        status, "see the log of the deployment ml-pipeline" if status >= 500 else "check the inputs"
    )
    told: dict[str, Any] = {"key": host, "value": f"{status}: {_message(body)}", "remedy": remedy}
    if status >= 500 or status == 429:
        return Unreachable(what, **told)
    refused = Refused(what, **told)
    refused.status = status
    return refused


def _message(body: str | bytes) -> str:
    """What the server says in its JSON, else the beginning of its text."""
    text = body.decode(errors="replace") if isinstance(body, bytes) else body
    try:
        content: Any = json.loads(text)
        return str(content.get("message") or content.get("error") or text)
    except (ValueError, AttributeError):
        return text[:200]
