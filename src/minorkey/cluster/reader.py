"""Questions to a Kubernetes API, answered as plain JSON."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import urllib3
from kubernetes import client

from minorkey.cluster.credentials import configuration
from minorkey.errors import StateError
from minorkey.secret_file import read_secret

__all__ = ["Reader", "Refusal"]

#: Seconds for a connection and for an answer.
_TIMEOUT = (5.0, 15.0)
_PAGE = 500


class Refusal(Exception):
    """The API does not answer a question.

    Attributes:
        status: 403 no right, 404 no such object, else another code of HTTP.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Reader:
    """Asks the API, as whoever the kubeconfig or a token says.

    Args:
        kubeconfig: path of a kubeconfig; None: the pod's ServiceAccount, elsewhere the default kubeconfig.
        context: its context.
        token_file: file with the bearer token of another identity, for the same server.

    Raises:
        StateError: there is no usable kubeconfig, or the token cannot be read.
    """

    def __init__(
        self,
        kubeconfig: Path | None = None,
        *,
        context: str | None = None,
        token_file: Path | None = None,
    ) -> None:
        made = configuration(kubeconfig, context=context)
        made.retries = False
        if token_file is not None:
            made.api_key = {"authorization": f"Bearer {_token(token_file)}"}
            made.refresh_api_key_hook = None
            made.cert_file = made.key_file = made.username = made.password = None
        self._client = client.ApiClient(made)

    @property
    def server(self) -> str:
        """Address of the API."""
        return str(self._client.configuration.host)

    def get(self, path: str) -> dict[str, Any]:
        """One object.

        Raises:
            Refusal: the API refuses.
            StateError: it is not reached, or does not accept who asks.
        """
        return self._ask("GET", path)

    def definition(self, name: str) -> dict[str, Any]:
        """A custom resource definition, by its name: plural and group.

        Raises:
            Refusal: the API refuses.
            StateError: it is not reached, or does not accept who asks.
        """
        return self.get(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}")

    def items(self, path: str) -> list[dict[str, Any]]:
        """Every object of a list, page by page.

        Raises:
            Refusal: the API refuses.
            StateError: it is not reached, or does not accept who asks.
        """
        found, more = [], ""
        while True:
            query = {"limit": _PAGE} | ({"continue": more} if more else {})
            page = self._ask("GET", f"{path}?{urlencode(query)}")
            found += page["items"]
            more = page.get("metadata", {}).get("continue", "")
            if not more:
                return found

    def allowed(self, namespace: str, verb: str, resource: str, group: str = "") -> bool:
        """Whether who asks may do this, by SelfSubjectAccessReview.

        Raises:
            Refusal: the API refuses the question itself.
            StateError: it is not reached, or does not accept who asks.
        """
        asked = {"namespace": namespace, "verb": verb, "resource": resource, "group": group}
        kind = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview"}
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        answer = self._ask("POST", path, {**kind, "spec": {"resourceAttributes": asked}})
        return bool(answer.get("status", {}).get("allowed", False))

    def allowed_to(
        self, account: str, of: str, namespace: str, verb: str, resource: str, group: str = ""
    ) -> bool:
        """Whether a ServiceAccount may do this, by SubjectAccessReview.

        Args:
            account: its name.
            of: its own namespace.
            namespace: where it would do this.
            verb: what it would do.
            resource: to what.
            group: of the resource.

        Raises:
            Refusal: the API refuses the question itself.
            StateError: it is not reached, or does not accept who asks.
        """
        asked = {"namespace": namespace, "verb": verb, "resource": resource, "group": group}
        spec = {
            "user": f"system:serviceaccount:{of}:{account}",
            "groups": [f"system:serviceaccounts:{of}", "system:serviceaccounts", "system:authenticated"],
            "resourceAttributes": asked,
        }
        kind = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview"}
        path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
        answer = self._ask("POST", path, {**kind, "spec": spec})
        return bool(answer.get("status", {}).get("allowed", False))

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        self._client.update_params_for_auth(headers, [], ["BearerToken"])
        try:
            answer = self._client.rest_client.pool_manager.request(
                method,
                self.server + path,
                headers=headers,
                body=None if body is None else json.dumps(body),
                timeout=urllib3.Timeout(*_TIMEOUT),
                retries=False,
            )
        except urllib3.exceptions.HTTPError as error:
            raise StateError(
                "the Kubernetes API is not reached",
                key=self.server,
                value=f"{type(error).__name__}: {error}",
                remedy="check the server of the kubeconfig's context, and the network or VPN on the way",
            ) from None
        content = _content(answer.data)
        if answer.status == 401:
            raise StateError(
                "the Kubernetes API does not accept these credentials",
                key=self.server,
                value=content.get("message", "401"),
                remedy="log in again, or write a fresh token: kubectl create token SERVICEACCOUNT > FILE",
            )
        if answer.status >= 300:
            raise Refusal(answer.status, str(content.get("message", answer.status)))
        return content


def _content(data: bytes) -> dict[str, Any]:
    try:
        content = json.loads(data)
    except ValueError:
        return {"message": data[:200].decode(errors="replace")}
    return content if isinstance(content, dict) else {}


def _token(path: Path) -> str:
    remedy = "check the path, or write a token: kubectl create token SERVICEACCOUNT > FILE"
    return read_secret(path, "the token", key=str(path), remedy=remedy)
