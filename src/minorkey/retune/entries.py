"""What happens to the ledger's rows within a transaction."""

import uuid
from collections.abc import Collection
from typing import Any

from minorkey.retune.action import COLUMNS, Action
from minorkey.retune.policy import DAY_SECONDS, Answer, Decision, Known, World
from minorkey.retune.webhook import Event
from minorkey.stores.sql import Transaction

__all__ = [
    "OPEN",
    "UNKNOWN",
    "answer_to",
    "begin",
    "count",
    "dispose",
    "end",
    "insert_action",
    "known_of",
    "postpone",
    "reassign",
    "refusal",
    "seen_before",
    "select_actions",
    "write_event",
]

#: Stands for every model that the specification does not name, so that strangers make no series.
UNKNOWN = "(unknown)"
#: Condition of actions whose run is being made or is under way.
OPEN = "status IN ('launching', 'running')"


def seen_before(made: Transaction, event: Event, now: float) -> bool:
    """Whether the event is known; then one more delivery of it is counted."""
    return bool(
        made.change(
            "UPDATE minorkey_retune_events SET deliveries = deliveries + 1, last_seen = %s "
            "WHERE fingerprint = %s AND starts_at = %s",
            now,
            event.fingerprint,
            event.starts_at,
        )
    )


def answer_to(made: Transaction, event: Event) -> Answer:
    """What a known event has led to so far."""
    (row,) = made.rows(
        "SELECT e.disposition, coalesce(a.status, ''), coalesce(a.started, a.ended, 0), "
        "coalesce(a.ended, 0), coalesce(a.base_version, ''), (SELECT count(*) FROM minorkey_retune_actions k "
        "WHERE k.model = e.model AND k.kind = e.kind AND k.status = 'kept' AND k.started >= e.first_seen) "
        "FROM minorkey_retune_events e LEFT JOIN minorkey_retune_actions a ON a.id = e.action "
        "WHERE e.fingerprint = %s AND e.starts_at = %s",
        event.fingerprint,
        event.starts_at,
    )
    return Answer(*row)


def reassign(made: Transaction, event: Event, disposition: str, action: int | None) -> None:
    """Let a known event belong to another action."""
    made.change(
        "UPDATE minorkey_retune_events SET disposition = %s, action = %s "
        "WHERE fingerprint = %s AND starts_at = %s",
        disposition,
        action,
        event.fingerprint,
        event.starts_at,
    )


def refusal(event: Event, model: str, act_on: Collection[str]) -> str:
    """Why an event leads to no action, as its disposition; "" if it leads to one."""
    if event.source == "alert" and event.kind not in act_on:
        return "informed"
    return "unknown_model" if model == UNKNOWN else ""


def dispose(
    made: Transaction, event: Event, model: str, act_on: Collection[str], now: float
) -> tuple[str, int | None]:
    """What becomes of a new event, and the action that it belongs to."""
    if refused := refusal(event, model, act_on):
        return refused, None
    waiting = made.rows(
        "SELECT id FROM minorkey_retune_actions WHERE model = %s AND kind = %s AND status = 'waiting'",
        event.model,
        event.kind,
    )
    if waiting:
        return "joined", int(waiting[0][0])
    reason = event.summary or event.name or event.kind
    return "opened", insert_action(made, event.model, event.kind, event.source, reason, now)


def write_event(made: Transaction, event: Event, disposition: str, action: int | None, now: float) -> None:
    """Write down an event that was not known."""
    made.change(
        "INSERT INTO minorkey_retune_events (fingerprint, starts_at, model, kind, version, name, summary, "
        "source, disposition, action, first_seen, last_seen) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        event.fingerprint,
        event.starts_at,
        event.model,
        event.kind,
        event.version,
        event.name,
        event.summary,
        event.source,
        disposition,
        action,
        now,
        now,
    )


def insert_action(made: Transaction, model: str, kind: str, source: str, reason: str, now: float) -> int:
    """A new action that waits; its number."""
    ((number,),) = made.rows("SELECT coalesce(max(id), 0) + 1 FROM minorkey_retune_actions")
    made.change(
        "INSERT INTO minorkey_retune_actions (id, model, kind, source, status, reason, created, not_before) "
        "VALUES (%s, %s, %s, %s, 'waiting', %s, %s, %s)",
        number,
        model,
        kind,
        source,
        reason,
        now,
        now,
    )
    return int(number)


def known_of(made: Transaction, action: Action, now: float) -> Known:
    """What the ledger says where an action is decided about."""
    (last,) = made.rows(
        "SELECT max(started) FROM minorkey_retune_actions WHERE model = %s AND kind = %s "
        "AND NOT (source = 'manual' AND status = 'failed')",
        action.model,
        action.kind,
    )[0]
    starts = made.rows(
        "SELECT started FROM minorkey_retune_actions WHERE model = %s AND started > %s "
        "AND source <> 'outside' AND status <> 'skipped' ORDER BY started",
        action.model,
        now - DAY_SECONDS,
    )
    running = made.rows(
        f"SELECT run_key FROM minorkey_retune_actions WHERE model = %s AND {OPEN} "  # noqa: S608
        "AND source <> 'outside'",
        action.model,
    )
    versions = made.rows("SELECT DISTINCT version FROM minorkey_retune_events WHERE action = %s", action.id)
    return Known(
        now=now,
        last_start=last,
        starts=[start for (start,) in starts],
        running=running[0][0] if running else "",
        versions=frozenset(version for (version,) in versions),
    )


def postpone(made: Transaction, action: Action, decision: Decision) -> None:
    """Let an action wait; counted once for each thing that it waits for."""
    made.change(
        "UPDATE minorkey_retune_actions SET waiting_for = %s, not_before = %s, detail = %s WHERE id = %s",
        decision.reason,
        decision.until,
        decision.detail,
        action.id,
    )
    if decision.reason != action.waiting_for:
        count(made, "postponed", action.model, decision.reason)


def begin(made: Transaction, action: Action, decision: Decision, world: World, now: float) -> None:
    """An action leaves the queue: to a launch that its key already names, or to an end without one."""
    if decision.verdict == "skip":
        end(made, action, "skipped", decision.detail, now, champion=world.champion)
        return
    made.change(
        "UPDATE minorkey_retune_actions SET status = 'launching', started = %s, waiting_for = '', "
        "attempts = 0, run_key = %s, base_version = %s, labels = %s, claim_until = 0, detail = '' "
        "WHERE id = %s",
        now,
        f"retune-{action.model}-{action.id}-{uuid.uuid4().hex[:8]}",
        world.champion,
        world.labels,
        action.id,
    )
    if decision.verdict == "dry_run":
        end(made, action, "dry_run", decision.detail, now)


def end(
    made: Transaction, action: Action, outcome: str, detail: str, now: float, *, champion: str = ""
) -> bool:
    """End an action, without a run where the champion that it met is told; False if it had ended before."""
    ended = made.change(
        "UPDATE minorkey_retune_actions SET status = %s, ended = %s, detail = %s, waiting_for = '', "
        "base_version = coalesce(nullif(%s, ''), base_version) "
        "WHERE id = %s AND status IN ('waiting', 'launching', 'running')",
        outcome,
        now,
        detail,
        champion,
        action.id,
    )
    if ended and outcome == "dry_run":
        count(made, "postponed", action.model, outcome)
    elif ended and action.source != "outside":
        count(made, "retune", action.model, outcome, kind=action.kind)
    return bool(ended)


def count(
    made: Transaction, family: str, model: str, label: str = "", *, kind: str = "", by: int = 1
) -> None:
    """Add to a count that outlives every process."""
    made.change(
        "INSERT INTO minorkey_retune_counts (family, model, kind, label, value) VALUES (%s, %s, %s, %s, %s) "
        "ON CONFLICT (family, model, kind, label) DO UPDATE SET value = minorkey_retune_counts.value + %s",
        family,
        model,
        kind,
        label,
        by,
        by,
    )


def select_actions(made: Transaction, condition: str, *values: Any) -> list[Action]:
    """The actions that fulfil a condition."""
    rows = made.rows(
        f"SELECT {COLUMNS} FROM minorkey_retune_actions WHERE {condition}",  # noqa: S608
        *values,
    )
    return [Action.of(row) for row in rows]
