"""What every pod of ours is held to: Pod Security ``restricted``, and a root that cannot be written.

Source: https://kubernetes.io/docs/concepts/security/pod-security-standards
"""

from typing import Any

__all__ = ["IMAGE_USER", "container_security", "pod_security"]

#: Numeric user of the images, so that the kubelet can check that it is not root.
IMAGE_USER = 10001


def pod_security(*, user: int | None = None) -> dict[str, Any]:
    """``securityContext`` of a pod.

    Args:
        user: as whom it runs, also the group of its volumes; None: the image's own.
    """
    named = {} if user is None else {"runAsUser": user, "runAsGroup": user, "fsGroup": user}
    return {"runAsNonRoot": True, **named, "seccompProfile": {"type": "RuntimeDefault"}}


def container_security() -> dict[str, Any]:
    """``securityContext`` of a container."""
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
