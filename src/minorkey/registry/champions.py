"""The alias ``champion``: moved with care, and since when a version has been at it."""

from datetime import UTC, datetime

from minorkey.errors import StateError
from minorkey.registry.former import ROLLED_BACK
from minorkey.registry.versions import COMPARED, model_lock, of_one_run, tags_of_version
from minorkey.tracking import champion_version, client, reaching, version_of

__all__ = ["champion_since", "has_been_champion", "has_come_back", "move_champion", "require_champion"]

#: Tags: when a version became champion for the first time, and when it did so again.
_SINCE, _AGAIN = "minorkey.champion_since", "minorkey.champion_again"


def move_champion(model: str, version: str, *, expected: str) -> None:
    """Point the alias ``champion`` to a version, if it still points where the caller believes.

    When a version became champion stays with it; one that was champion before is tagged as come back, and not
    as new.

    Args:
        model: name of the registered model.
        version: the new champion.
        expected: version of the old champion, "" for none: what the challenger was compared with.

    Raises:
        StateError: the champion is another one by now.
    """
    with model_lock(f"champion-{model}"):
        current = require_champion(model, version, expected=expected)
        known = tags_of_version(model, version).keys() & {_SINCE, _AGAIN}
        with reaching():
            if current != version and has_been_champion(model, version):
                # Before the alias: whoever finds it champion then must not take it for a new one.
                client().set_model_version_tag(model, version, _AGAIN, _now())
                known.add(_AGAIN)
            if current != version:
                client().set_registered_model_alias(model, "champion", version)
            if not known:
                client().set_model_version_tag(model, version, _SINCE, _now())


def require_champion(model: str, version: str, *, expected: str) -> str:
    """The present champion's version, which must be ``expected``, ``version`` or another of the same run.

    Raises:
        StateError: it is another one, so that nobody has compared the new version with it.
    """
    current = version_of(model, "champion")
    if current not in (version, expected) and not (current and of_one_run(model, current, version)):
        raise StateError(
            "the champion changed while this run was under way, and the new model was not compared with it",
            key=f"{model}@champion",
            value=f"version {current}" if current else "no champion",
            allowed=f"version {expected}" if expected else "no champion",
            remedy="run again: the new run is compared with the present champion",
        )
    return current


def has_been_champion(model: str, version: str) -> bool:
    """Whether a version was champion once: it is known of it, it was left, or a later champion followed it.

    Raises:
        StateError: the tracking server does not answer.
    """
    if tags_of_version(model, version).keys() & {_SINCE, _AGAIN, ROLLED_BACK}:
        return True
    later, seen = champion_version(model), set[str]()
    while later and later not in seen:
        seen.add(later)
        later = tags_of_version(model, later).get(COMPARED, "")
        if later == version:
            return True
    return False


def champion_since(model: str, version: str) -> float:
    """When a version became champion for the first time, seconds since 1970.

    Of one that became so before that was written down: when it was registered.

    Raises:
        StateError: the tracking server does not answer.
    """
    with reaching():
        found = client().get_model_version(model, version)
    told = found.tags.get(_SINCE, "")
    if told:
        return datetime.fromisoformat(told).timestamp()
    return float(found.creation_timestamp) / 1_000


def has_come_back(model: str, version: str) -> bool:
    """Whether a version became champion again after another one, as by a rollback.

    Raises:
        StateError: the tracking server does not answer.
    """
    return _AGAIN in tags_of_version(model, version)


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}+00:00"
