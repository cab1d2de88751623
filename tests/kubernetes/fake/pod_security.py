"""The Pod Security Standards ``baseline`` and ``restricted``, in the admission's own words."""

__all__ = ["violations"]

_ALLOWED_VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "projected", "secret",
    "persistentVolumeClaim",
}  # fmt: skip


def violations(spec: dict, level: str) -> list[str]:
    """How a pod's spec breaks a level; nothing breaks ``privileged``.

    Source: kubernetes.io/docs/concepts/security/pod-security-standards.
    """
    if level not in ("baseline", "restricted"):
        return []
    found = _baseline(spec)
    return found + _restricted(spec) if level == "restricted" else found


def _baseline(spec: dict) -> list[str]:
    found = [
        f"host namespaces ({name}=true)" for name in ("hostNetwork", "hostPID", "hostIPC") if spec.get(name)
    ]
    for volume in spec.get("volumes") or ():
        if "hostPath" in volume:
            found.append(f'hostPath volumes (volume "{volume["name"]}")')
    for container in spec["containers"]:
        if (container.get("securityContext") or {}).get("privileged"):
            found.append(
                f'privileged (container "{container["name"]}" must not set securityContext.privileged=true)'
            )
    return found


def _restricted(spec: dict) -> list[str]:
    pod = spec.get("securityContext") or {}
    found = []
    for container in spec["containers"]:
        own = container.get("securityContext") or {}
        told = f'(container "{container["name"]}" must set securityContext.'
        if own.get("allowPrivilegeEscalation") is not False:
            found.append(f"allowPrivilegeEscalation != false {told}allowPrivilegeEscalation=false)")
        if "ALL" not in ((own.get("capabilities") or {}).get("drop") or ()):
            found.append(f'unrestricted capabilities {told}capabilities.drop=["ALL"])')
        if own.get("runAsNonRoot", pod.get("runAsNonRoot")) is not True:
            found.append(f"runAsNonRoot != true {told.replace('(', '(pod or ', 1)}runAsNonRoot=true)")
        if own.get("runAsUser", pod.get("runAsUser")) == 0:
            found.append(f"runAsUser=0 {told.replace('must set', 'must not set')}runAsUser=0)")
        profile = own.get("seccompProfile") or pod.get("seccompProfile") or {}
        if profile.get("type") not in ("RuntimeDefault", "Localhost"):
            where = f"{told.replace('(', '(pod or ', 1)}seccompProfile.type"
            found.append(f'seccompProfile {where} to "RuntimeDefault" or "Localhost")')
    for volume in spec.get("volumes") or ():
        other = set(volume) - {"name"} - _ALLOWED_VOLUMES
        if other:
            used = f'volume "{volume["name"]}" uses restricted volume type "{min(other)}"'
            found.append(f"restricted volume types ({used})")
    return found
