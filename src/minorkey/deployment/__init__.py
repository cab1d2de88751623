"""Where a promoted version serves: one file or folder a target, by the name that ``deploy.target`` has.

A target makes the version serve, verifies that it does, and only then moves the alias ``champion``; after a
failure what served before serves again. Target ``gitops`` hands the version over instead: the alias moves
once what serves has been looked at, by `minorkey.deployment.gitops.confirm`.
"""

from collections.abc import Callable

from minorkey.cluster.spec import ClusterSpec
from minorkey.deployment.local import LocalTarget
from minorkey.deployment.registered import RegisteredTarget
from minorkey.deployment.target import DeployTarget, Release
from minorkey.errors import SpecError
from minorkey.spec import DeploySpec

__all__ = ["DeployTarget", "Release", "target_of"]


def target_of(spec: DeploySpec, cluster: ClusterSpec | None = None) -> DeployTarget:
    """The target that a specification names.

    Args:
        spec: what the run chose.
        cluster: what was compiled in; None: the run is on this machine.

    Raises:
        SpecError: the target needs something that the cluster's specification does not describe.
    """
    if spec.target == "local":
        return LocalTarget(spec.host, spec.port, spec.shadow)
    if spec.target == "none":
        return RegisteredTarget()
    made = _ON_CLUSTERS.get(spec.target)
    if cluster is None or made is None or cluster.serving.target != spec.target:
        raise SpecError(
            "the pipeline was compiled for no such target",
            key="deploy.target",
            value=spec.target,
            allowed="none" if cluster is None else ", ".join(dict.fromkeys((cluster.serving.target, "none"))),
            remedy=f"describe serving.{spec.target} in the cluster specification and compile anew",
        )
    return made(spec, cluster)


def _kserve(spec: DeploySpec, cluster: ClusterSpec) -> DeployTarget:
    # The client of Kubernetes is loaded only where it is needed.
    from minorkey.deployment.kserve import KServeTarget

    return KServeTarget.of(spec, cluster)


def _gitops(spec: DeploySpec, cluster: ClusterSpec) -> DeployTarget:
    from minorkey.deployment.gitops import target_of_cluster

    return target_of_cluster(cluster)


#: How the targets of a cluster are made; each describes itself in ``cluster.serving``.
_ON_CLUSTERS: dict[str, Callable[[DeploySpec, ClusterSpec], DeployTarget]] = {
    "kserve": _kserve,
    "gitops": _gitops,
}
