"""A namespace of some cluster that a suite works in, and how it waits for what the cluster does."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar
from uuid import uuid4

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException

__all__ = ["NonRoot", "Site", "refused"]

T = TypeVar("T")

#: What Pod Security ``restricted`` asks of a container.
NonRoot: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "runAsUser": 65_532,
    "runAsGroup": 65_532,
    "seccompProfile": {"type": "RuntimeDefault"},
}
_LABELS = {"pod-security.kubernetes.io/enforce": "restricted", "minorkey.io/test": "true"}


@dataclass
class Site:
    """A namespace, and the rights of whoever holds `api`.

    Attributes:
        api: a client with an administrator's rights.
        namespace: where pods must be ``restricted``.
        image: has Python, and is on the node already.
        python: how a pod starts Python.
        patience: seconds after which something that did not happen counts as missing.
    """

    api: client.ApiClient
    namespace: str
    image: str = "minorkey.test/python:1"
    python: str = "python"
    patience: float = 20.0

    @cached_property
    def core(self) -> client.CoreV1Api:
        return client.CoreV1Api(self.api)

    @cached_property
    def batch(self) -> client.BatchV1Api:
        return client.BatchV1Api(self.api)

    @cached_property
    def rbac(self) -> client.RbacAuthorizationV1Api:
        return client.RbacAuthorizationV1Api(self.api)

    @contextmanager
    def own_namespace(self, purpose: str) -> Iterator["Site"]:
        """The same cluster, in a new namespace that is gone at the end."""
        name = f"minorkey-test-{purpose}-{uuid4().hex[:6]}"
        self.core.create_namespace({"metadata": {"name": name, "labels": _LABELS}})
        site = Site(self.api, name, self.image, self.python, self.patience)
        try:
            site.wait(lambda: site.has_account("default"))
            yield site
        finally:
            self.core.delete_namespace(name)
            site.wait(lambda: not self._has_namespace(name))

    def _has_namespace(self, name: str) -> bool:
        found = self.core.list_namespace(field_selector=f"metadata.name={name}")
        return bool(found.items)

    def has_account(self, name: str) -> bool:
        """Whether a service account exists; the ``default`` one comes a little after its namespace."""
        accounts = self.core.list_namespaced_service_account(self.namespace).items
        return name in {account.metadata.name for account in accounts}

    def wait(self, look: Callable[[], T | None], every: float = 0.02) -> T:
        """What `look` gives once it is true.

        Raises:
            AssertionError: it never was, within `patience`.
        """
        until = time.monotonic() + self.patience
        while True:
            found = look()
            if found:
                return found
            assert time.monotonic() < until, "it did not happen in time"
            time.sleep(every)
            every = min(0.5, every * 1.2)

    def job(
        self, name: str, script: str, *, container: dict | None = None, pod: dict | None = None, **spec: Any
    ) -> dict:
        """A manifest of a Job that runs a Python script."""
        return {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": name, "labels": {"suite": name}},
            "spec": {
                "backoffLimit": 0,
                **spec,
                "template": {
                    "metadata": {"labels": {"suite": name}},
                    "spec": {
                        "restartPolicy": "Never",
                        "automountServiceAccountToken": False,
                        "terminationGracePeriodSeconds": 2,
                        **(pod or {}),
                        "containers": [self._container(script, container or {})],
                    },
                },
            },
        }

    def _container(self, script: str, changes: dict) -> dict:
        return {
            "name": "main",
            "image": self.image,
            "imagePullPolicy": "IfNotPresent",
            "command": [self.python, "-I", "-S", "-u", "-c", script],
            "securityContext": NonRoot,
            "terminationMessagePolicy": "FallbackToLogsOnError",
            "resources": {
                "requests": {"cpu": "10m", "memory": "32Mi"},
                "limits": {"cpu": "1", "memory": "128Mi"},
            },
            **changes,
        }

    def start(self, name: str, script: str, **details: Any) -> Any:
        """Create a Job."""
        return self.batch.create_namespaced_job(self.namespace, self.job(name, script, **details))

    def pods(self, name: str) -> list[Any]:
        """The pods of a Job."""
        return self.core.list_namespaced_pod(self.namespace, label_selector=f"suite={name}").items

    def pod(self, name: str, phase: str) -> Any:
        """A pod of a Job, once it is in a phase."""
        return self.wait(lambda: next((pod for pod in self.pods(name) if pod.status.phase == phase), None))

    def waiting(self, name: str, *reasons: str) -> Any:
        """Why a Job's container waits, once it is for one of these reasons."""

        def look() -> Any:
            for pod in self.pods(name):
                for container in pod.status.container_statuses or ():
                    if container.state.waiting and container.state.waiting.reason in reasons:
                        return container.state.waiting
            return None

        return self.wait(look)

    def ended(self, name: str, condition: str) -> Any:
        """A Job, once it is Complete or Failed; gives that condition."""

        def look() -> Any:
            job = self.batch.read_namespaced_job(name, self.namespace)
            conditions = {one.type: one for one in job.status.conditions or () if one.status == "True"}
            other = {"Complete": "Failed", "Failed": "Complete"}[condition]
            assert other not in conditions, conditions[other].message
            return conditions.get(condition)

        return self.wait(look)

    def event(self, name: str, reason: str) -> Any:
        """An event about an object, once there is one for this reason."""

        def look() -> Any:
            selector = f"involvedObject.name={name},reason={reason}"
            found = self.core.list_namespaced_event(self.namespace, field_selector=selector).items
            return found[0] if found else None

        return self.wait(look)

    def quota(self, hard: dict[str, str]) -> None:
        """Limit the namespace by a quota named ``limits``, and wait until it is counted."""
        self.core.create_namespaced_resource_quota(
            self.namespace, {"metadata": {"name": "limits"}, "spec": {"hard": hard}}
        )

        def counted() -> bool:
            status = self.core.read_namespaced_resource_quota("limits", self.namespace).status
            return bool(status and status.used)

        self.wait(counted)

    def delete(self, name: str, policy: str | None = "Background") -> Any:
        """Delete a Job."""
        options = {"propagation_policy": policy} if policy else {}
        return self.batch.delete_namespaced_job(name, self.namespace, **options)

    def account(self, name: str, rules: list[dict]) -> client.ApiClient:
        """A service account with a role of these rules; gives a client that holds its token."""
        self.core.create_namespaced_service_account(self.namespace, {"metadata": {"name": name}})
        self.rbac.create_namespaced_role(self.namespace, {"metadata": {"name": name}, "rules": rules})
        binding = {
            "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": self.namespace}],
        }
        self.rbac.create_namespaced_role_binding(self.namespace, binding)
        return self.as_account(name)

    def as_account(self, name: str) -> client.ApiClient:
        """A client that holds a new token of a service account."""
        request = {"spec": {"expirationSeconds": 3_600, "audiences": []}}
        made = self.core.create_namespaced_service_account_token(name, self.namespace, request)
        return self.with_token(made.status.token)

    def with_token(self, token: str) -> client.ApiClient:
        """A client of the same cluster that holds another token and nothing else."""
        other = client.Configuration()
        other.host = self.api.configuration.host
        other.ssl_ca_cert = self.api.configuration.ssl_ca_cert
        other.verify_ssl = self.api.configuration.verify_ssl
        other.api_key = {"authorization": f"Bearer {token}"}
        return client.ApiClient(other)

    @classmethod
    def of(cls, kubeconfig: str | None, **details: Any) -> "Site":
        """The cluster of a kubeconfig file, or of the current one."""
        return cls(config.new_client_from_config(kubeconfig), **details)


def refused(status: int, call: Callable[..., Any], *arguments: Any, **keywords: Any) -> dict:
    """The Status object with which the API refuses a call.

    Raises:
        AssertionError: it does not, or with another status.
    """
    try:
        call(*arguments, **keywords)
    except ApiException as error:
        assert error.status == status, (error.status, error.body)
        return json.loads(error.body)
    raise AssertionError(f"status {status} was expected, and the call went through")
