"""Versions that have been handed over to be deployed, and are not champion yet."""

import json
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime

from minorkey.registry.versions import tags_of_version
from minorkey.tracking import client, reaching

__all__ = [
    "Pending",
    "clear_pending",
    "mark_pending",
    "pending_of",
    "versions_of_digest",
]

_PENDING = "minorkey.pending"
_DIGEST = "minorkey.digest"
#: MLflow refuses longer values.
_LONGEST = 5_000


@dataclass(frozen=True)
class Pending:
    """What is known of a version that waits for its deployment.

    Attributes:
        expected: the champion that it takes the place of, "" for none.
        branch: the Git branch that it was committed to.
        commit: the commit, "" while it is being handed over.
        reason: why the version is to serve.
        rollback: whether it is an earlier champion that comes back.
        since: when, as an ISO 8601 time in UTC.
    """

    expected: str
    branch: str
    commit: str = ""
    reason: str = ""
    rollback: bool = False
    since: str = ""


def mark_pending(model: str, version: str, pending: Pending) -> None:
    """Tag a version as handed over; a tag that it has is replaced.

    Raises:
        StateError: the tracking server does not answer.
    """
    content = asdict(pending)
    content["since"] = pending.since or f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    content["reason"] = pending.reason[: _LONGEST // 2]
    with reaching():
        client().set_model_version_tag(model, version, _PENDING, json.dumps(content))


def pending_of(model: str, version: str) -> Pending | None:
    """What is pending of a version, None if nothing is.

    Raises:
        StateError: the tracking server does not answer.
    """
    try:
        content = json.loads(tags_of_version(model, version).get(_PENDING, "null"))
        known = {field.name for field in fields(Pending)}
        return Pending(**{name: value for name, value in content.items() if name in known})
    except (AttributeError, TypeError, ValueError):
        return None


def clear_pending(model: str, version: str) -> None:
    """Take the tag away, if there is one.

    Raises:
        StateError: the tracking server does not answer.
    """
    if _PENDING in tags_of_version(model, version):
        with reaching():
            client().delete_model_version_tag(model, version, _PENDING)


def versions_of_digest(model: str, digest: str) -> list[str]:
    """The versions of a model that ship a bundle, newest first.

    Raises:
        StateError: the tracking server does not answer.
    """
    if not digest.isalnum():
        return []
    with reaching():
        found = client().search_model_versions(f"name = '{model}' and tags.`{_DIGEST}` = '{digest}'")
    return sorted((str(one.version) for one in found), key=int, reverse=True)
