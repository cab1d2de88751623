"""Back to an earlier champion: served and verified before the alias moves, and recorded."""

from dataclasses import dataclass

from minorkey.bundle.bundle import Bundle
from minorkey.cluster.spec import ClusterSpec
from minorkey.deployment import Release, target_of
from minorkey.errors import StateError
from minorkey.registry import (
    bundle_of_version,
    former_champion,
    has_been_champion,
    load_version,
    move_champion,
    note_rollback,
    note_target,
    require_to_leave,
    target_of_version,
)
from minorkey.serving import local
from minorkey.serving.promotion import serve_and_promote
from minorkey.serving.verification import verify_in_process
from minorkey.spec import DeploySpec
from minorkey.tracking import champion_version

__all__ = ["Rollback", "let_serve", "roll_back"]


@dataclass(frozen=True)
class Rollback:
    """What a rollback did.

    Attributes:
        model: name of the registered model.
        left: version that was champion.
        version: version that is champion now, or will be once `commit` has been applied.
        url: where it serves, "" if nothing that is known here serves it.
        commit: the commit that brings it back, "" where none was needed.
        branch: the branch that the commit is on.
    """

    model: str
    left: str
    version: str
    url: str
    commit: str = ""
    branch: str = ""

    def __str__(self) -> str:
        if self.commit:
            return (
                f"commit {self.commit[:12]} on branch {self.branch} takes version {self.left} back; version "
                f"{self.version} is champion once Argo CD has made it serve"
            )
        return f"version {self.version} is champion again, version {self.left} was left"


def roll_back(
    model: str, *, to: str = "", reason: str, expected: str = "", cluster: ClusterSpec | None = None
) -> Rollback:
    """Make an earlier version the champion again.

    Where a cluster serves the model, the earlier version is deployed there as any other, but need not show
    anything first. Else the predictor of this machine, if one runs, is swapped without a failed request;
    predictors that follow the alias ``champion`` elsewhere swap themselves. The version that is left is
    tagged with time, reason and successor, and is passed over by later rollbacks. Where models ship by Git,
    what is made is the commit that reverts, and the alias follows after Argo CD.

    Args:
        model: name of the registered model.
        to: version to go back to, which was champion once; "": the champion before the present one.
        reason: why, for the record.
        expected: the champion that is to be left; "": whichever it is.
        cluster: the cluster that serves it; None: none does.

    Raises:
        StateError: there is no champion, or another than the expected one, nothing to go back to, or the
            version was never champion or does not serve; a cluster serves the model, and none is named. The
            champion is then as before.
        BundleError: the version's bundle is altered or gone.
    """
    if to:
        _require_former(model, to)
    if cluster is not None and cluster.serving.gitops is not None:
        return _by_git(cluster, model, to=to, reason=reason, expected=expected)
    left = champion_version(model)
    if not left:
        raise StateError(
            "the model has no champion to roll back",
            key=f"{model}@champion",
            remedy="see the models in MLflow's page, or check MINORKEY_HOME and MLFLOW_TRACKING_URI",
        )
    require_to_leave(model, left, expected=expected)
    version = to or former_champion(model, left)
    if version == left:
        raise StateError(
            "this version is the champion already", key="--to", value=to, allowed="an earlier version"
        )
    bundle = load_version(model, version)
    verify_in_process(bundle)
    url = let_serve(model, version, bundle, left=left, reason=reason, cluster=cluster, proven=True)
    note_rollback(model, left, to=version, reason=reason)
    return Rollback(model, left, version, url)


def _require_former(model: str, version: str) -> None:
    """Refuse what never proved itself: a rollback asks for no proof, and marks as harmful what it leaves."""
    bundle_of_version(model, version)  # raises where there is no such version
    if version != champion_version(model) and not has_been_champion(model, version):
        raise StateError(
            "this version has never been champion, so that nothing can go back to it",
            key="--to",
            value=version,
            allowed="an earlier champion",
            remedy=f"make it champion with `minorkey promote {model} --version {version}`",
        )


def _by_git(cluster: ClusterSpec, model: str, *, to: str, reason: str, expected: str) -> Rollback:
    from minorkey.deployment.gitops import revert, target_of_cluster

    done = revert(target_of_cluster(cluster), model, to=to, reason=reason, expected=expected)
    note_target(model, done.version, "gitops")
    return Rollback(model, done.left, done.version, "", done.pushed.commit, done.pushed.branch)


def let_serve(
    model: str,
    version: str,
    bundle: Bundle,
    *,
    left: str,
    reason: str,
    cluster: ClusterSpec | None,
    proven: bool,
) -> str:
    """Let a version serve and be champion, wherever the one that is left serves.

    Args:
        model: name of the registered model.
        version: the version.
        bundle: its bundle.
        left: version that is champion, "" for none.
        reason: why.
        cluster: the cluster that serves the model; None: none does.
        proven: whether it has served before, so that it need not show anything.

    Returns:
        Its address, "" if nothing that is known here serves it.

    Raises:
        StateError: the champion is another one by now, the version does not serve, or a cluster serves the
            model and none is named.
    """
    where = target_of_version(model, left) if left else ""
    if cluster is not None and cluster.serving.target != "none":
        spec = DeploySpec(target=cluster.serving.target)
        uri = bundle_of_version(model, version)
        release = Release(model, version, bundle, uri, expected=left, reason=reason, proven=proven)
        url = str(target_of(spec, cluster).deploy(release)["url"])
        note_target(model, version, spec.target)
        return url
    if where not in ("", "local", "none"):
        raise StateError(
            "a cluster serves the model, and the alias alone would change nothing there",
            key=f"{model}, version {left}",
            value=f"deploy.target {where}",
            allowed=f"a cluster specification with serving.{where}",
            remedy="name it with --cluster cluster.yaml",
        )
    running = local.status(model)
    if running is None:
        move_champion(model, version, expected=left)
        return ""
    told = serve_and_promote(model, version, bundle, expected=left, host=running.host, port=running.port)
    return str(told["url"])
