"""Target ``gitops``: a model ships by one commit to its file in a Git repository that Argo CD follows."""

from minorkey.deployment.gitops.access import Author, GitAccess
from minorkey.deployment.gitops.change import Patience
from minorkey.deployment.gitops.confirmation import Confirmed, confirm
from minorkey.deployment.gitops.of_cluster import target_of_cluster
from minorkey.deployment.gitops.repository import Repository
from minorkey.deployment.gitops.revert import Reverted, revert
from minorkey.deployment.gitops.target import GitOpsTarget

__all__ = [
    "Author",
    "Confirmed",
    "GitAccess",
    "GitOpsTarget",
    "Patience",
    "Repository",
    "Reverted",
    "confirm",
    "revert",
    "target_of_cluster",
]
