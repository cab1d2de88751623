"""Takes a new champion back when an alert says that it does harm."""

import time
from pathlib import Path
from typing import Protocol

__all__ = ["Undo", "no_former", "nothing_to_undo", "undo"]


class Undo(Protocol):
    """Takes a new champion back."""

    def __call__(
        self, model: str, versions: frozenset[str], probation: float, reason: str, /, *, dry_run: bool = False
    ) -> tuple[str, str]:
        """See `undo`."""
        ...


def undo(
    model: str,
    versions: frozenset[str],
    probation: float,
    reason: str,
    *,
    dry_run: bool = False,
    cluster: str = "",
) -> tuple[str, str]:
    """Roll the champion back, if it is new, named by the alerts, and has an earlier champion behind it.

    A version that was champion before and came back is not taken back: two rollbacks in a row would go ever
    further into the past, for a harm that no version mends.

    Args:
        model: name in the registry.
        versions: that the alerts name.
        probation: seconds after it became champion in which a version may be taken back.
        reason: why; it stays with the version that is left, and names the action.
        dry_run: only say what would be done.
        cluster: file of the specification of the cluster that serves the model; "": none does.

    Returns:
        ``rolled_back``, ``skipped`` or ``dry_run`` for what would be rolled back, and that in words.

    Raises:
        StateError: the registry does not answer, or the earlier version does not serve.
        BundleError: the earlier version's bundle is altered or gone.
        SpecError: the cluster's specification cannot be read.
    """
    from minorkey.cluster.spec import load_cluster_spec
    from minorkey.registry import champion_before, note_rollback, rollback_note
    from minorkey.rollback import roll_back
    from minorkey.tracking import champion_version

    champion = champion_version(model)
    for version in sorted(versions - {"", champion}):
        note = rollback_note(model, version)
        if note == "" and not dry_run and champion and champion_before(model, version) == champion:
            # A rollback that was killed between moving the alias and its note.
            note_rollback(model, version, to=champion, reason=reason)
            note = reason
        if note and reason in note:
            return "rolled_back", f"version {version} was left, version {champion} serves"
    problem = _objection(model, champion, versions, probation)
    if problem:
        return "skipped", problem
    if dry_run:
        before = champion_before(model, champion)
        return "dry_run", f"version {champion} would be left for version {before} now; dry_run is set"
    place = load_cluster_spec(Path(cluster)) if cluster else None
    done = roll_back(model, expected=champion, reason=reason, cluster=place)
    if done.commit:
        return "rolled_back", str(done)
    return "rolled_back", f"version {done.version} serves again, version {done.left} was left"


def _objection(model: str, champion: str, versions: frozenset[str], probation: float) -> str:
    """Why the champion is not taken back, "" if it is to be."""
    from minorkey.registry import champion_before, champion_since, has_come_back, rollback_note

    if not champion or champion not in versions:
        told = ", ".join(sorted(versions - {""})) or "no version"
        return f"the alerts tell of {told}; version {champion or 'none'} serves"
    if note := rollback_note(model, champion):
        return f"version {champion} was left before ({note}), and somebody made it champion again"
    if not champion_before(model, champion):
        return f"there is no champion before version {champion}"
    if has_come_back(model, champion):
        return f"version {champion} was champion before and came back: it is no new one to be taken back"
    age = time.time() - champion_since(model, champion)
    if age > probation:
        return f"version {champion} has been champion for {age / 86_400:.1f} days, past its probation"
    return ""


def nothing_to_undo(
    model: str, versions: frozenset[str], probation: float, reason: str, *, dry_run: bool = False
) -> tuple[str, str]:
    """The answer where there is no registry."""
    return "skipped", "there is no registry to roll back in"


def no_former(model: str, version: str) -> str:
    """The answer where there is no registry."""
    return ""
