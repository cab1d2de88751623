"""A challenger becomes champion because somebody decides so: verified before the alias moves, recorded."""

from dataclasses import dataclass

from minorkey.cluster.spec import ClusterSpec
from minorkey.errors import StateError
from minorkey.registry import load_version, note_promotion
from minorkey.rollback import let_serve
from minorkey.serving.verification import verify_in_process
from minorkey.tracking import champion_version, version_of

__all__ = ["Promotion", "promote"]


@dataclass(frozen=True)
class Promotion:
    """What a promotion did.

    Attributes:
        model: name of the registered model.
        left: version that was champion, "" for none.
        version: version that is champion now.
        url: where it serves, "" if nothing that is known here serves it.
        pending: whether it is champion only once its commit has been applied.
    """

    model: str
    left: str
    version: str
    url: str
    pending: bool = False


def promote(model: str, *, version: str = "", reason: str, cluster: ClusterSpec | None = None) -> Promotion:
    """Make a challenger the champion, whatever the gate said of it.

    Where a cluster serves the model it has to prove itself there as any other. Else the predictor of this
    machine, if one runs, is swapped without a failed request; predictors that follow the alias ``champion``
    elsewhere swap themselves. The version is tagged with time, reason and the champion
    before it, to which a rollback goes back.

    Args:
        model: name of the registered model.
        version: the version; "": the one that the alias ``challenger`` points to.
        reason: why, for the record.
        cluster: the cluster that serves the model; None: none does.

    Raises:
        StateError: there is no such version, it is champion already, or it does not serve; a cluster serves
            the model, and none is named. The champion is then as before.
        BundleError: the version's bundle is altered or gone.
    """
    left = champion_version(model)
    chosen = version or version_of(model, "challenger")
    if not chosen:
        raise StateError(
            "the model has no challenger",
            key=f"{model}@challenger",
            remedy="check the name, MINORKEY_HOME and MLFLOW_TRACKING_URI; or name a version with --version",
        )
    if chosen == left:
        raise StateError(
            "this version is the champion already",
            key="--version",
            value=chosen,
            allowed="another version",
            remedy="`minorkey run` tunes a new challenger",
        )
    bundle = load_version(model, chosen)
    verify_in_process(bundle)
    url = let_serve(model, chosen, bundle, left=left, reason=reason, cluster=cluster, proven=False)
    note_promotion(model, chosen, over=left, reason=reason)
    return Promotion(model, left, chosen, url, pending=champion_version(model) != chosen)
