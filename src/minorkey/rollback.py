"""Back to an earlier champion: served and verified before the alias moves, and recorded."""

from dataclasses import dataclass

from minorkey.errors import StateError
from minorkey.registry import former_champion, load_version, move_champion, note_rollback
from minorkey.serving import local
from minorkey.serving.promotion import serve_and_promote
from minorkey.serving.verification import verify_in_process
from minorkey.tracking import champion_version

__all__ = ["Rollback", "roll_back"]


@dataclass(frozen=True)
class Rollback:
    """What a rollback did.

    Attributes:
        model: name of the registered model.
        left: version that was champion.
        version: version that is champion now.
        url: where this machine's predictor serves it, "" if none runs here.
    """

    model: str
    left: str
    version: str
    url: str


def roll_back(model: str, *, to: str = "", reason: str, expected: str = "") -> Rollback:
    """Make an earlier version the champion again.

    The predictor of this machine, if one runs, is swapped without a failed request; predictors that follow
    the alias ``champion`` elsewhere swap themselves. The version that is left is tagged with time, reason
    and successor, and is passed over by later rollbacks.

    Args:
        model: name of the registered model.
        to: version to go back to; "": the champion before the present one.
        reason: why, for the record.
        expected: the champion that is to be left; "": whichever it is.

    Raises:
        StateError: there is no champion, or another than the expected one, nothing to go back to, or the
            version does not serve. The champion is then as before.
        BundleError: the version's bundle is altered or gone.
    """
    left = champion_version(model)
    if not left:
        raise StateError(
            "the model has no champion to roll back",
            key=f"{model}@champion",
            remedy="see the models in MLflow's page, or check MINORKEY_HOME and MLFLOW_TRACKING_URI",
        )
    if expected and left != expected:
        raise StateError(
            "the champion is another one by now",
            key=f"{model}@champion",
            value=f"version {left}",
            allowed=f"version {expected}",
            remedy="see whether the present champion is to be left too",
        )
    version = to or former_champion(model, left)
    if version == left:
        raise StateError(
            "this version is the champion already", key="--to", value=to, allowed="an earlier version"
        )
    bundle = load_version(model, version)
    verify_in_process(bundle)
    url, running = "", local.status(model)
    if running is None:
        move_champion(model, version, expected=left)
    else:
        url = serve_and_promote(model, version, bundle, expected=left, host=running.host, port=running.port)[
            "url"
        ]
    note_rollback(model, left, to=version, reason=reason)
    return Rollback(model, left, version, url)
