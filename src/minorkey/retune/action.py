"""What the ledger knows of an action: a wish to retune, from the alert to the end of its run."""

from dataclasses import dataclass
from typing import Any

__all__ = ["COLUMNS", "ENDED", "OUTCOMES", "Action"]

#: How a run of the trigger can end.
OUTCOMES = ("promoted", "kept", "adjusted", "rolled_back", "failed", "skipped", "cancelled")
#: Statuses that no longer change; `gone`: a run that somebody else had started is no longer there.
ENDED = (*OUTCOMES, "dry_run", "gone")


@dataclass(frozen=True)
class Action:
    """One row of the ledger. Times are seconds since 1970 by the ledger's clock.

    Attributes:
        id: counts up.
        model: name in the registry.
        kind: of the alerts that led to it, or ``manual``, ``schedule``, ``outside``.
        source: ``alert``, ``manual``, ``schedule``, or ``outside`` for a run that somebody else started.
        status: ``waiting``, ``launching``, ``running``, or one of `ENDED`.
        reason: why a retune is wanted.
        created: when the wish came.
        not_before: when it is looked at next.
        waiting_for: one of `minorkey.retune.policy.REASONS`, or "".
        started: when it was decided to start.
        ended: when its run ended.
        attempts: launches, or looks before them, that came to nothing in a row; of a retune in stages, since
            the last one ended.
        losses: times that its run was found gone without a word.
        claim_until: until when a trigger is at the launch.
        base_version: the champion at its start, or when it was decided that it needs no run.
        run_key: names the launch, before it is made.
        run_id: names the run to whoever runs it.
        labels: what was known of labels at its start.
        detail: the last thing to say about it.
    """

    id: int
    model: str
    kind: str
    source: str
    status: str
    reason: str
    created: float
    not_before: float
    waiting_for: str
    started: float | None
    ended: float | None
    attempts: int
    losses: int
    claim_until: float
    base_version: str
    run_key: str
    run_id: str
    labels: str
    detail: str

    @classmethod
    def of(cls, row: tuple[Any, ...]) -> "Action":
        """The action of a row with the columns `COLUMNS`."""
        return cls(*row)


COLUMNS = ", ".join(Action.__dataclass_fields__)
