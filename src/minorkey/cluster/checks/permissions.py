"""Whether who asks may do what the tune step does, by SelfSubjectAccessReview."""

from collections.abc import Iterator

from minorkey.cluster.findings import Finding, fine, problem
from minorkey.cluster.reader import Reader
from minorkey.cluster.spec import ClusterSpec

__all__ = ["NEEDED", "check_permissions"]

#: What the tune step does in the trials' namespace: group, resource, verbs.
NEEDED = (
    ("batch", "jobs", ("create", "list", "watch", "delete")),
    ("", "pods", ("list", "watch")),
    ("", "events", ("list",)),
)


def check_permissions(reader: Reader, spec: ClusterSpec) -> Iterator[Finding]:
    """Look at every right that driving trials takes."""
    namespace = spec.trial_namespace
    for group, resource, verbs in NEEDED:
        missing = [verb for verb in verbs if not reader.allowed(namespace, verb, resource, group)]
        qualified = f"{resource}.{group}" if group else resource
        if missing:
            yield problem(
                "permissions",
                f"may not {', '.join(missing)} {qualified} in namespace {namespace}",
                f"bind a Role with these verbs to ServiceAccount {spec.service_accounts.tune}; "
                "to ask as that account: kubectl create token, then --token-file",
            )
        else:
            yield fine("permissions", f"may {', '.join(verbs)} {qualified} in namespace {namespace}")
