"""The doctor: every check, in order, each on its own feet."""

from collections.abc import Iterator
from pathlib import Path

from minorkey.cluster.checks.machine import check_machine
from minorkey.cluster.findings import Finding, problem, unseen
from minorkey.cluster.spec import ClusterSpec
from minorkey.errors import InputError

__all__ = ["cluster_findings", "diagnose", "local_findings"]


def diagnose(
    spec: ClusterSpec | None = None,
    *,
    kubeconfig: Path | None = None,
    context: str | None = None,
    token_file: Path | None = None,
    host: str = "",
) -> list[Finding]:
    """Findings about this machine and, where there is a ClusterSpec, about the cluster.

    Args:
        spec: what the cluster has to offer.
        kubeconfig: whom to ask, and as whom.
        context: its context.
        token_file: a token to ask with instead, e.g. that of the tune step's ServiceAccount.
        host: URL of Kubeflow Pipelines' API, "" to leave it out.
    """
    found = list(local_findings())
    if spec is not None:
        found += cluster_findings(spec, kubeconfig=kubeconfig, context=context, token_file=token_file)
    if host:
        from minorkey.cluster.checks.versions import check_kubeflow

        found += check_kubeflow(host) if spec is None else check_kubeflow(host, spec.kubeflow_version)
    elif spec is not None:
        found.append(unseen("kubeflow", "its version is not looked at", "add --host URL"))
    return found


def local_findings() -> Iterator[Finding]:
    """Findings about this machine."""
    yield from check_machine()


def cluster_findings(
    spec: ClusterSpec,
    *,
    kubeconfig: Path | None = None,
    context: str | None = None,
    token_file: Path | None = None,
) -> Iterator[Finding]:
    """Findings about a cluster; where its API is not reached, that one and those about stores and Git."""
    from minorkey.cluster.checks.git import check_git
    from minorkey.cluster.checks.kserve import check_kserve
    from minorkey.cluster.checks.monitoring import check_monitoring
    from minorkey.cluster.checks.nodes import check_nodes
    from minorkey.cluster.checks.objects import check_objects
    from minorkey.cluster.checks.permissions import check_permissions
    from minorkey.cluster.checks.quota import check_quota
    from minorkey.cluster.checks.stores import check_stores
    from minorkey.cluster.checks.versions import check_kubernetes
    from minorkey.cluster.reader import Reader, Refusal

    try:
        reader = Reader(kubeconfig, context=context, token_file=token_file)
        yield from check_kubernetes(reader)
        yield from check_monitoring(reader)
        for check in (check_objects, check_permissions, check_quota, check_nodes, check_kserve):
            yield from check(reader, spec)
    except InputError as error:
        where = f"{error.key}: " if error.key else ""
        yield problem("kubernetes", f"{where}{error.problem} ({error.value})", error.remedy)
    except Refusal as refusal:
        yield problem(
            "kubernetes", f"the API refuses: {refusal}", "ask as somebody with rights in the cluster"
        )
    yield from check_stores(spec)
    yield from check_git(spec)
