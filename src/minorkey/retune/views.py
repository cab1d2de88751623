"""What the ledger shows: figures for the metrics, rows for the page."""

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any

from minorkey.retune.action import COLUMNS, Action
from minorkey.retune.cancelling import open_cancels
from minorkey.retune.ledger import Ledger
from minorkey.retune.policy import DAY_SECONDS

__all__ = ["Figures", "Page", "figures", "page"]

_EVENT = ("fingerprint", "starts_at", "model", "kind", "version", "name", "summary", "source",
          "disposition", "action", "deliveries", "first_seen", "last_seen")  # fmt: skip

_STAGE = ("action", "run_id", "ended", "detail")


@dataclass(frozen=True)
class Figures:
    """The ledger in numbers.

    Attributes:
        counts: by family, model, kind and label; they only grow.
        open: actions by model and status.
        started: by model, when its run under way began, seconds since 1970.
        starts: by model, starts within the last day.
        oldest: by model and what is waited for, seconds since the oldest wish that does came; ``look``: it
            has not been looked at yet.
    """

    counts: dict[tuple[str, str, str, str], int]
    open: dict[tuple[str, str], int]
    started: dict[str, float]
    starts: dict[str, int]
    oldest: dict[tuple[str, str], float]


@dataclass(frozen=True)
class Page:
    """The newest rows of the ledger.

    Attributes:
        now: the ledger's time.
        actions: newest first.
        events: those that were heard of last first.
        counts: as in `Figures`.
        stages: of retunes whose stages are runs of their own, those that another one followed: ``action``,
            ``run_id``, ``ended``, ``detail``.
        cancels: what was asked to be cancelled and has not ended: why, by action.
    """

    now: float
    actions: list[Action]
    events: list[dict[str, Any]]
    counts: dict[tuple[str, str, str, str], int]
    stages: list[dict[str, Any]] = field(default_factory=list)
    cancels: dict[int, str] = field(default_factory=dict)

    def dumps(self) -> bytes:
        """The page as JSON."""
        content = {
            "now": self.now,
            "actions": [dataclasses.asdict(action) for action in self.actions],
            "events": self.events,
            "stages": self.stages,
            "cancels": [{"action": action, "detail": why} for action, why in self.cancels.items()],
            "counts": [
                {"family": family, "model": model, "kind": kind, "label": label, "value": value}
                for (family, model, kind, label), value in sorted(self.counts.items())
            ],
        }
        return json.dumps(content, separators=(",", ":")).encode()


def figures(ledger: Ledger) -> Figures:
    """What the metrics tell.

    Raises:
        StateError: the ledger does not answer.
    """
    with ledger.transaction() as (made, now):
        open_ = made.rows(
            "SELECT model, status, count(*), max(started) FROM minorkey_retune_actions "
            "WHERE status IN ('waiting', 'launching', 'running') GROUP BY model, status"
        )
        oldest = made.rows(
            "SELECT model, waiting_for, min(created) FROM minorkey_retune_actions "
            "WHERE status = 'waiting' OR (status = 'launching' AND waiting_for <> '') "
            "GROUP BY model, waiting_for"
        )
        starts = made.rows(
            "SELECT model, count(*) FROM minorkey_retune_actions WHERE started > %s "
            "AND source <> 'outside' AND status <> 'skipped' GROUP BY model",
            now - DAY_SECONDS,
        )
        counts = made.rows("SELECT family, model, kind, label, value FROM minorkey_retune_counts")
    return Figures(
        counts={(family, model, kind, label): int(value) for family, model, kind, label, value in counts},
        open={(model, status): int(number) for model, status, number, _ in open_},
        started={model: started for model, status, _, started in open_ if status != "waiting"},
        starts={model: int(number) for model, number in starts},
        oldest={(model, reason or "look"): max(0.0, now - came) for model, reason, came in oldest},
    )


def page(ledger: Ledger, limit: int) -> Page:
    """The newest rows.

    Raises:
        StateError: the ledger does not answer.
    """
    with ledger.transaction() as (made, now):
        actions = made.rows(
            f"SELECT {COLUMNS} FROM minorkey_retune_actions ORDER BY id DESC LIMIT %s",  # noqa: S608
            limit,
        )
        events = made.rows(
            f"SELECT {', '.join(_EVENT)} FROM minorkey_retune_events "  # noqa: S608
            "ORDER BY last_seen DESC, fingerprint LIMIT %s",
            limit,
        )
        counts = made.rows("SELECT family, model, kind, label, value FROM minorkey_retune_counts")
        stages = made.rows(
            f"SELECT {', '.join(_STAGE)} FROM minorkey_retune_stages WHERE action >= %s "  # noqa: S608
            "ORDER BY action DESC, ended",
            actions[-1][0] if actions else 0,
        )
        cancels = open_cancels(made)
    return Page(
        now,
        [Action.of(row) for row in actions],
        [dict(zip(_EVENT, row, strict=True)) for row in events],
        {(family, model, kind, label): int(value) for family, model, kind, label, value in counts},
        [dict(zip(_STAGE, row, strict=True)) for row in stages],
        cancels,
    )
