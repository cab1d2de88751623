"""Who does what on a cluster: the driver's role, and trial pods' lack of one."""

from typing import Any

from minorkey.cluster.checks.permissions import NEEDED

__all__ = ["DRIVER_ACCOUNT", "DRIVER_RULES", "TRIAL_ACCOUNT", "driver_objects"]

TRIAL_ACCOUNT = "minorkey-trial"
DRIVER_ACCOUNT = "minorkey-tune"
#: All that a driver needs of the API, in the namespace of its trials: what `minorkey doctor` looks for.
DRIVER_RULES = [
    {"apiGroups": [group], "resources": [resource], "verbs": list(verbs)} for group, resource, verbs in NEEDED
]


def driver_objects(namespace: str) -> list[dict[str, Any]]:
    """The manifests of both service accounts, the driver's role and its binding."""
    named = {"namespace": namespace, "labels": {"app.kubernetes.io/name": "minorkey"}}
    return [
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {**named, "name": TRIAL_ACCOUNT},
            "automountServiceAccountToken": False,
        },
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {**named, "name": DRIVER_ACCOUNT}},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            "metadata": {**named, "name": DRIVER_ACCOUNT},
            "rules": DRIVER_RULES,
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {**named, "name": DRIVER_ACCOUNT},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": DRIVER_ACCOUNT},
            "subjects": [{"kind": "ServiceAccount", "name": DRIVER_ACCOUNT, "namespace": namespace}],
        },
    ]
