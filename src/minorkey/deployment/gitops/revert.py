"""Back to an earlier version: by the commit that reverts, and by nothing else."""

from dataclasses import dataclass

from minorkey.deployment.gitops.messages import release_line, revert_message
from minorkey.deployment.gitops.owned import Shipped, path_of
from minorkey.deployment.gitops.repository import Branch, Pushed
from minorkey.deployment.gitops.target import GitOpsTarget
from minorkey.errors import StateError
from minorkey.registry import (
    Pending,
    bundle_of_version,
    clear_pending,
    digest_of_version,
    former_champion,
    load_version,
    note_withdrawal,
    pending_of,
    require_to_leave,
)
from minorkey.serving.verification import verify_in_process
from minorkey.tracking import champion_version

__all__ = ["Reverted", "revert"]


@dataclass(frozen=True)
class Reverted:
    """What a revert did.

    Attributes:
        left: version that Git held before.
        version: version that Git holds now.
        withdrawn: whether the one that is left never was champion, so that no alias has to move.
        pushed: the commit.
    """

    left: str
    version: str
    withdrawn: bool
    pushed: Pushed


def revert(target: GitOpsTarget, model: str, *, to: str = "", reason: str, expected: str = "") -> Reverted:
    """Commit an earlier version in place of the one that Git holds.

    A version that is in Git and not champion yet is taken back, and the champion stays. Otherwise the
    champion before comes back; the alias follows once Argo CD has made it serve.

    Args:
        target: the repository.
        model: name of the registered model.
        to: version to go back to; "": the champion, or the one before it.
        reason: why, for the commit and the registry.
        expected: the champion that is to be left; "": whichever it is.

    Raises:
        StateError: there is nothing to go back to, the file does not fit, the champion is another one, or the
            repository does not take the commit. Nothing was changed then.
        BundleError: the earlier version's bundle is altered or gone.
    """
    path = path_of(target.folder, model)
    held, champion = target.read(model), champion_version(model)
    if held is None or not held.digest or not champion:
        raise StateError(
            "there is nothing to go back from or to",
            key=path,
            value="no champion" if not champion else "no version in Git",
            allowed="a model with a champion that is shipped by Git",
            remedy="see the versions with `mlflow models`; to take a model's first version back, remove its "
            "folder in Git",
        )
    require_to_leave(model, champion, expected=expected)

    def allowed(found: Shipped) -> None:
        if found != held:
            raise StateError(
                "the model's file was changed meanwhile",
                key=path,
                value=f"version {found.version}",
                allowed=f"version {held.version}",
                remedy="look at it, then go back again",
            )

    waits = pending_of(model, held.version)
    if waits is not None and waits.rollback and waits.expected == champion and to in ("", held.version):
        pushed = Pushed(waits.commit, waits.branch)
        if not waits.commit:
            # the try that made it was cut off before it knew the commit
            pushed = target.ship(model, held, lambda branch: "", allowed=allowed)
        return Reverted(champion, held.version, False, pushed)
    withdrawn = held.digest != digest_of_version(model, champion)
    if withdrawn and expected:
        raise StateError(
            "another version is in Git already and about to take the champion's place",
            key=path,
            value=f"version {held.version}",
            allowed=f"the bundle of version {champion}, which is champion",
            remedy="wait until Argo CD has made it serve, or take it back by hand with `minorkey rollback`",
        )
    version = to or (champion if withdrawn else former_champion(model, champion))
    if version == held.version:
        raise StateError("Git holds this version already", key="--to", value=to, allowed="another version")
    bundle = load_version(model, version)
    verify_in_process(bundle)
    wanted = Shipped(target.storage(bundle_of_version(model, version)), bundle.digest, version)

    def message(branch: Branch) -> str:
        return revert_message(model, held, wanted, branch.commit_with(release_line(model, held)), reason)

    pending = Pending(champion, "", reason=reason, rollback=True)
    with target.handed_over(model, wanted, pending) as done:
        pushed = done.pushed = target.ship(model, wanted, message, allowed=allowed)
    if withdrawn and pushed.branch == target.branch:
        clear_pending(model, held.version)
        note_withdrawal(model, held.version, reason=reason)
    return Reverted(held.version, version, version == champion, pushed)
