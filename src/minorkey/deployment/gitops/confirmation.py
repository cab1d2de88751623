"""After Argo CD: what serves is looked at, and the alias ``champion`` follows it."""

import time
from dataclasses import dataclass

import httpx

from minorkey.errors import StateError
from minorkey.registry import (
    Pending,
    clear_pending,
    has_been_champion,
    load_version,
    move_champion,
    note_rollback,
    pending_of,
    require_champion,
    versions_of_digest,
)
from minorkey.serving.verification import verify_server
from minorkey.tracking import champion_version

__all__ = ["Confirmed", "confirm"]

#: So many answers in a row, each over a connection of its own, which a Service hands to any of its pods.
_IN_A_ROW = 10
_PAUSE = 2.0
_NO_KEEP_ALIVE = httpx.Limits(max_keepalive_connections=0)


@dataclass(frozen=True)
class Confirmed:
    """What a confirmation found.

    Attributes:
        model: name of the registered model.
        version: version that serves and is champion now.
        left: version that was champion before, "" for none; the same as `version` if nothing changed.
        largest_difference: of its answers to the bundle's own scores.
    """

    model: str
    version: str
    left: str
    largest_difference: float


def confirm(model: str, digest: str, url: str, *, seconds: float = 600.0) -> Confirmed:
    """Wait until a bundle serves, verify its answers, and move the alias ``champion`` to its version.

    Argo CD reports an InferenceService healthy while pods of the old version still answer, so it is the
    predictors themselves that are asked.

    Args:
        model: name of the registered model.
        digest: of the bundle that Git says is to serve.
        url: where the predictors answer.
        seconds: how long to wait for them.

    Raises:
        StateError: the registry knows no such bundle, nobody promoted its version, the champion is another
            one by now, or something else serves. The alias stays where it was.
        ContractError: what serves answers otherwise than the bundle. The alias stays where it was.
    """
    version, pending = _promoted(model, digest)
    if pending is not None:
        require_champion(model, version, expected=pending.expected)
    bundle = load_version(model, version)
    served = _served(url, model, digest, seconds)
    difference = float(verify_server(url, model, served, bundle)["largest_difference"])
    left = champion_version(model)
    if pending is None:
        return Confirmed(model, version, left, difference)
    move_champion(model, version, expected=pending.expected)
    _finish(model, version, left, pending)
    return Confirmed(model, version, left, difference)


def _finish(model: str, version: str, left: str, pending: Pending) -> None:
    """Record what the new champion took the place of."""
    if pending.rollback and left not in ("", version):
        note_rollback(model, left, to=version, reason=pending.reason)
    clear_pending(model, version)


def _promoted(model: str, digest: str) -> tuple[str, Pending | None]:
    """The version that ships a bundle, and what is pending of it; None if it is champion already."""
    versions = versions_of_digest(model, digest)
    if not versions:
        raise StateError(
            "the registry has no version with the bundle that Git holds",
            key="--digest",
            value=digest,
            allowed=f"the digest of a registered version of {model}",
            remedy="see `git log` of the model's file for where it comes from, and revert that commit; or "
            "check MLFLOW_TRACKING_URI",
        )
    champion = champion_version(model)
    for version in versions:
        pending = pending_of(model, version)
        if version != champion and pending is not None:
            return version, pending
    if champion in versions:
        if (cut_off := pending_of(model, champion)) is not None:
            # An earlier try moved the alias and came no further.
            _finish(model, champion, cut_off.expected, cut_off)
        return champion, None
    former = next((version for version in versions if has_been_champion(model, version)), "")
    if former:
        # Somebody reverted the commit in Git by hand.
        return former, Pending(champion, "", reason="its commit was reverted in Git", rollback=True)
    raise StateError(
        "Git holds a version that was neither promoted nor champion before",
        key=f"{model}@champion",
        value=f"version {versions[0]}",
        allowed="a version that a run has shipped, or an earlier champion",
        remedy="revert the commit that put it there",
    )


def _served(url: str, model: str, digest: str, seconds: float) -> str:
    """The version that the predictors call themselves, once all that answer serve the bundle."""
    end, told, served = time.monotonic() + seconds, "nothing answered", ""
    right = 0
    with httpx.Client(timeout=10, trust_env=False, limits=_NO_KEEP_ALIVE) as http:
        while right < _IN_A_ROW:
            try:
                content = http.get(f"{url}/v2/models/{model}").raise_for_status().json()
                found, served = str(content["parameters"]["digest"]), str(content["versions"][0])
                told = f"digest {found}, version {served}"
            except (httpx.HTTPError, httpx.InvalidURL, ValueError, LookupError, TypeError) as error:
                found, told = "", f"{type(error).__name__}: {error}"
            right = right + 1 if found == digest else 0
            if right:
                continue
            if time.monotonic() > end:
                raise _other(url, model, digest, told)
            time.sleep(min(_PAUSE, seconds / 10))
    return served


def _other(url: str, model: str, digest: str, told: str) -> StateError:
    return StateError(
        "the predictors do not serve the bundle that Git holds",
        key=url,
        value=told,
        allowed=f"digest {digest}",
        remedy="see the InferenceService's conditions and its pods' logs; if the version cannot serve, take "
        f"it back with `minorkey rollback {model} --cluster FILE`",
    )
