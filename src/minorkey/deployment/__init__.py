"""Where a promoted version serves: one file a target, by the name that ``deploy.target`` has.

A target makes the version serve, verifies that it does, and only then moves the alias ``champion``; after a
failure what served before serves again.
"""

from minorkey.deployment.local import LocalTarget
from minorkey.deployment.registered import RegisteredTarget
from minorkey.deployment.target import DeployTarget, Release
from minorkey.spec import DeploySpec

__all__ = ["DeployTarget", "Release", "target_of"]


def target_of(spec: DeploySpec) -> DeployTarget:
    """The target that a specification names."""
    targets: dict[str, DeployTarget] = {
        "local": LocalTarget(spec.host, spec.port),
        "none": RegisteredTarget(),
    }
    return targets[spec.target]
