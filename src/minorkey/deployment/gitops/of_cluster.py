"""The Git repository that a cluster's specification names, as a deploy target."""

from functools import partial
from pathlib import Path

from minorkey.cluster.spec import ClusterSpec
from minorkey.deployment.gitops.access import Author, GitAccess
from minorkey.deployment.gitops.change import Patience
from minorkey.deployment.gitops.repository import Repository
from minorkey.deployment.gitops.target import GitOpsTarget
from minorkey.errors import SpecError
from minorkey.settings import settings

__all__ = ["target_of_cluster"]


def target_of_cluster(cluster: ClusterSpec) -> GitOpsTarget:
    """The target.

    Raises:
        SpecError: models of this cluster are not shipped by Git.
    """
    spec = cluster.serving.gitops
    if spec is None:
        raise SpecError(
            "models of this cluster are not shipped by Git",
            key="serving.gitops",
            value=f"deploy.target {cluster.serving.target}",
            allowed="a cluster specification with serving.gitops",
            remedy="describe serving.gitops in it, or leave --cluster out",
        )
    from minorkey.deployment.gitops.folder import model_folder
    from minorkey.deployment.kserve.storage import storage_uri

    folder = settings().git_credentials
    access = GitAccess(Path(folder) if folder else None)
    repository = Repository(spec.repository, access, Author(spec.author, spec.email))
    return GitOpsTarget(
        repository,
        branch=spec.branch,
        folder=spec.folder,
        by_merge_request=spec.mode == "merge-request",
        first=None if spec.predictor is None else partial(model_folder, cluster, spec.predictor),
        storage=partial(storage_uri, stores=cluster.stores),
        patience=Patience(float(spec.patience_seconds)),
    )
