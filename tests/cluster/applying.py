"""Server-side apply of manifests of any kind."""

from typing import Any

from kubernetes import client

__all__ = ["apply"]

_PLURALS = {
    "ServiceAccount": "serviceaccounts",
    "Role": "roles",
    "RoleBinding": "rolebindings",
    "ResourceQuota": "resourcequotas",
    "NetworkPolicy": "networkpolicies",
    "ConfigMap": "configmaps",
}


def apply(
    api: client.ApiClient,
    manifest: dict[str, Any],
    manager: str,
    *,
    force: bool = False,
    plural: str | None = None,
) -> dict[str, Any]:
    """Apply a manifest in the name of a manager; gives the object as it is then.

    Args:
        plural: by which its kind is served; None: it is one of the kinds named here.
    """
    metadata, version = manifest["metadata"], manifest["apiVersion"]
    base = "/api/v1" if version == "v1" else f"/apis/{version}"
    if "namespace" in metadata:
        base += f"/namespaces/{metadata['namespace']}"
    return api.call_api(
        f"{base}/{plural or _PLURALS[manifest['kind']]}/{metadata['name']}",
        "PATCH",
        query_params=[("fieldManager", manager), ("force", str(force).lower())],
        header_params={"Content-Type": "application/apply-patch+yaml", "Accept": "application/json"},
        body=manifest,
        response_type="object",
        auth_settings=["BearerToken"],
        _return_http_data_only=True,
    )
