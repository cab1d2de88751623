"""Which version was champion before another, and which were left by a rollback."""

from datetime import UTC, datetime

from minorkey.errors import StateError
from minorkey.registry.versions import COMPARED, tags_of_version
from minorkey.tracking import client, reaching
from minorkey.tracking.client import ABSENT

__all__ = [
    "ROLLED_BACK",
    "champion_before",
    "former_champion",
    "note_promotion",
    "note_rollback",
    "note_target",
    "note_withdrawal",
    "require_to_leave",
    "rollback_note",
    "target_of_version",
]

#: Tag: when, for which version and why a version was left.
ROLLED_BACK = "minorkey.rolled_back"
_PROMOTED = "minorkey.promoted"
_WITHDRAWN = "minorkey.withdrawn"
#: Tag: the deploy target where a version was made to serve.
_TARGET = "minorkey.target"


def champion_before(model: str, version: str) -> str:
    """Like `former_champion`, but "" where there is none.

    Raises:
        StateError: the tracking server does not answer.
    """
    seen = {version}
    while (version := tags_of_version(model, version).get(COMPARED, "")) and version not in seen:
        if ROLLED_BACK not in tags_of_version(model, version):
            return version
        seen.add(version)
    return ""


def former_champion(model: str, version: str) -> str:
    """The champion before a version, passing over those that a rollback has left.

    Raises:
        StateError: there is none, or the tracking server does not answer.
    """
    if found := champion_before(model, version):
        return found
    raise StateError(
        "there is no earlier champion to go back to",
        key=f"{model}@champion",
        allowed="a model with two champions or more, of which the earlier one was not rolled back itself",
        remedy="name a version with --to; see the versions in MLflow's page",
    )


def require_to_leave(model: str, champion: str, *, expected: str) -> None:
    """Refuse to leave another champion than the one that is meant.

    Args:
        model: name of the registered model.
        champion: the version that is champion.
        expected: the version that is to be left; "": whichever it is.

    Raises:
        StateError: it is another one.
    """
    if expected and champion != expected:
        raise StateError(
            "the champion is another one by now",
            key=f"{model}@champion",
            value=f"version {champion}",
            allowed=f"version {expected}",
            remedy="see whether the present champion is to be left too",
        )


def rollback_note(model: str, version: str) -> str | None:
    """When, for which version and why a version was left by a rollback; "" if it was not, None if it is gone.

    Raises:
        StateError: the tracking server does not answer.
    """
    mlflow = client()
    from mlflow.exceptions import MlflowException

    with reaching():
        try:
            return str(mlflow.get_model_version(model, version).tags.get(ROLLED_BACK, ""))
        except MlflowException as error:
            if error.error_code in ABSENT:
                return None
            raise


def note_rollback(model: str, version: str, *, to: str, reason: str) -> None:
    """Tag a version as left: when, for which version and why.

    Raises:
        StateError: the tracking server does not answer.
    """
    _note(ROLLED_BACK, model, version, f"to version {to}: {reason}")


def note_withdrawal(model: str, version: str, *, reason: str) -> None:
    """Tag a version as taken back before it was champion: when and why.

    Raises:
        StateError: the tracking server does not answer.
    """
    _note(_WITHDRAWN, model, version, reason)


def _note(tag: str, model: str, version: str, text: str) -> None:
    dated = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {text}"
    with reaching():
        client().set_model_version_tag(model, version, tag, dated[:1000])


def note_target(model: str, version: str, target: str) -> None:
    """Record at which deploy target a version serves.

    Raises:
        StateError: the tracking server does not answer.
    """
    with reaching():
        client().set_model_version_tag(model, version, _TARGET, target)


def target_of_version(model: str, version: str) -> str:
    """The deploy target at which a version was last made to serve, "" for none.

    Raises:
        StateError: the tracking server does not answer.
    """
    return tags_of_version(model, version).get(_TARGET, "")


def note_promotion(model: str, version: str, *, over: str, reason: str) -> None:
    """Tag a version as promoted by hand, over which version and why; a rollback of it goes back to that one.

    Raises:
        StateError: the tracking server does not answer.
    """
    _note(_PROMOTED, model, version, f"over version {over or 'none'}: {reason}")
    with reaching():
        client().set_model_version_tag(model, version, COMPARED, over)
