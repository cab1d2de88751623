"""The kinds of object that the fake API serves, and how their addresses are written."""

from dataclasses import dataclass

__all__ = ["BUILT_IN", "Kind", "Kinds", "kind_of"]


@dataclass(frozen=True)
class Kind:
    """One kind of object: where it is served and what it is called."""

    group: str
    version: str
    plural: str
    name: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """``v1`` or ``batch/v1``, as manifests write it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """``jobs.batch`` or ``pods``, as messages write it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


_RBAC = "rbac.authorization.k8s.io"

BUILT_IN = (
    Kind("", "v1", "namespaces", "Namespace", namespaced=False),
    Kind("", "v1", "nodes", "Node", namespaced=False),
    Kind("", "v1", "persistentvolumes", "PersistentVolume", namespaced=False),
    Kind("", "v1", "pods", "Pod"),
    Kind("", "v1", "events", "Event"),
    Kind("", "v1", "secrets", "Secret"),
    Kind("", "v1", "configmaps", "ConfigMap"),
    Kind("", "v1", "services", "Service"),
    Kind("", "v1", "serviceaccounts", "ServiceAccount"),
    Kind("", "v1", "resourcequotas", "ResourceQuota"),
    Kind("", "v1", "limitranges", "LimitRange"),
    Kind("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim"),
    Kind("batch", "v1", "jobs", "Job"),
    Kind("batch", "v1", "cronjobs", "CronJob"),
    Kind("apps", "v1", "deployments", "Deployment"),
    Kind("apps", "v1", "statefulsets", "StatefulSet"),
    Kind("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler"),
    Kind("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget"),
    Kind("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy"),
    Kind("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", namespaced=False),
    Kind("storage.k8s.io", "v1", "storageclasses", "StorageClass", namespaced=False),
    Kind(_RBAC, "v1", "roles", "Role"),
    Kind(_RBAC, "v1", "rolebindings", "RoleBinding"),
    Kind(_RBAC, "v1", "clusterroles", "ClusterRole", namespaced=False),
    Kind(_RBAC, "v1", "clusterrolebindings", "ClusterRoleBinding", namespaced=False),
    Kind("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", False),
    Kind(
        "admissionregistration.k8s.io",
        "v1",
        "validatingadmissionpolicies",
        "ValidatingAdmissionPolicy",
        False,
    ),
    Kind(
        "admissionregistration.k8s.io",
        "v1",
        "validatingadmissionpolicybindings",
        "ValidatingAdmissionPolicyBinding",
        False,
    ),
    # Reviews are answered and never stored.
    Kind("authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", False),
    Kind("authorization.k8s.io", "v1", "selfsubjectrulesreviews", "SelfSubjectRulesReview", False),
    Kind("authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview", False),
    Kind("authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview", False),
)

_BY_PLURAL = {kind.plural: kind for kind in BUILT_IN}


def kind_of(plural: str) -> Kind:
    """A built-in kind by its plural name."""
    return _BY_PLURAL[plural]


class Kinds:
    """Built-in kinds and those of custom resource definitions, by address."""

    def __init__(self) -> None:
        self._served = {(kind.group, kind.version, kind.plural): kind for kind in BUILT_IN}

    def find(self, group: str, version: str, plural: str) -> Kind | None:
        """What is served at an address, None if nothing is."""
        return self._served.get((group, version, plural))

    def define(self, definition: dict) -> None:
        """Serve what a CustomResourceDefinition describes."""
        for kind in _defined(definition):
            self._served[kind.group, kind.version, kind.plural] = kind

    def forget(self, definition: dict) -> None:
        """Serve no longer what a CustomResourceDefinition described."""
        for kind in _defined(definition):
            self._served.pop((kind.group, kind.version, kind.plural), None)

    def groups(self) -> dict[str, list[str]]:
        """Versions by group; the core group is named ``""``."""
        found: dict[str, list[str]] = {}
        for group, version, _ in self._served:
            if version not in found.setdefault(group, []):
                found[group].append(version)
        return found

    def of_group(self, group: str, version: str) -> list[Kind]:
        """Every kind of a group's version."""
        return [kind for (g, v, _), kind in self._served.items() if (g, v) == (group, version)]


def _defined(definition: dict) -> list[Kind]:
    spec = definition["spec"]
    names = spec["names"]
    return [
        Kind(spec["group"], version["name"], names["plural"], names["kind"], spec["scope"] == "Namespaced")
        for version in spec["versions"]
        if version.get("served", True)
    ]
