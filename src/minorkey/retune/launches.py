"""What the ledger knows of launches and runs: from the claim of a launch to the end of its run."""

import re
from collections.abc import Collection

from minorkey.retune import entries
from minorkey.retune.action import Action
from minorkey.retune.clock import LedgerClock
from minorkey.retune.policy import Decision
from minorkey.stores.sql import Books

__all__ = ["Launches", "keys_until"]

#: What a key ends in whose launches before it met a run of somebody else.
_AGAIN = re.compile(r"((?:-again\d*)*)$")


class Launches:
    """Actions on their way from a decision to an end.

    Args:
        books: the ledger's tables.
        clock: tells the ledger's time where the database has no clock of its own.
    """

    def __init__(self, books: Books, clock: LedgerClock) -> None:
        self.books, self._clock = books, clock

    def claim_launches(
        self, seconds: float, models: Collection[str] = (), *, only: int | None = None
    ) -> list[Action]:
        """Launches that nobody is at, which are now the caller's for so many seconds.

        Args:
            seconds: how long.
            models: those whose launches are asked for, where they are due.
            only: number of the one action that is asked for instead, due or not and of whatever model.
        """
        due, values = ("not_before <= %s", ()) if only is None else ("id = %s", (only,))
        with self.books.transaction() as made:
            now = self._clock.now(self.books, made)
            free = entries.select_actions(
                made,
                f"status = 'launching' AND {due} AND claim_until <= %s ORDER BY id",
                *(values or (now,)),
                now,
            )
            found = [action for action in free if only is not None or action.model in models]
            for action in found:
                made.change(
                    "UPDATE minorkey_retune_actions SET claim_until = %s WHERE id = %s",
                    now + seconds,
                    action.id,
                )
        return found

    def launched(self, action: Action, run_id: str) -> bool:
        """The run exists; whether this call was the one to say so."""
        with self.books.transaction() as made:
            return bool(
                made.change(
                    "UPDATE minorkey_retune_actions SET status = 'running', run_id = %s, waiting_for = '', "
                    "detail = '' WHERE id = %s AND status = 'launching'",
                    run_id,
                    action.id,
                )
            )

    def go_on(self, action: Action, detail: str) -> None:
        """A stage of a retune has ended, and another one has to follow: written down, and to be launched."""
        with self.books.transaction() as made:
            now = self._clock.now(self.books, made)
            changed = made.change(
                "UPDATE minorkey_retune_actions SET status = 'launching', not_before = %s, claim_until = 0, "
                "attempts = 0, detail = %s WHERE id = %s AND run_id = %s AND status = 'running'",
                now,
                detail,
                action.id,
                action.run_id,
            )
            if changed:
                made.change(
                    "INSERT INTO minorkey_retune_stages (action, run_id, ended, detail) "
                    "VALUES (%s, %s, %s, %s) ON CONFLICT (action, run_id) DO NOTHING",
                    action.id,
                    action.run_id,
                    now,
                    detail,
                )

    def launch_again(
        self,
        action: Action,
        delay: float,
        detail: str,
        *,
        fresh: bool = False,
        lost: bool = False,
        waiting_for: str = "",
    ) -> None:
        """The launch failed, or the run was lost: try again after so many seconds.

        Args:
            action: as it was read.
            delay: seconds.
            detail: why.
            fresh: under another key, because the run of this one met another run and has ended.
            lost: the run was there, and is gone.
            waiting_for: one of `minorkey.retune.policy.REASONS`, or "".
        """
        key = _key_after(action.run_key) if fresh else action.run_key
        with self.books.transaction() as made:
            now = self._clock.now(self.books, made)
            changed = made.change(
                "UPDATE minorkey_retune_actions SET status = 'launching', attempts = attempts + %s, "
                "losses = losses + %s, not_before = %s, claim_until = 0, detail = %s, run_key = %s, "
                "waiting_for = %s WHERE id = %s AND run_key = %s AND status IN ('launching', 'running')",
                int(not lost),
                int(lost),
                now + delay,
                detail,
                key,
                waiting_for,
                action.id,
                action.run_key,
            )
            if changed:
                entries.count(made, "launch_retry", action.model)

    def hold_back(self, action: Action, reason: str, delay: float, detail: str) -> None:
        """A launch is not made yet, and looked at again after so many seconds.

        Args:
            action: whose launch the caller has claimed.
            reason: one of `minorkey.retune.policy.REASONS`, or "".
            delay: seconds.
            detail: why.
        """
        with self.books.transaction() as made:
            now = self._clock.now(self.books, made)
            for current in entries.select_actions(made, "id = %s AND status = 'launching'", action.id):
                entries.postpone(made, current, Decision("wait", reason, now + delay, detail))
                made.change("UPDATE minorkey_retune_actions SET claim_until = 0 WHERE id = %s", action.id)

    def finish(self, action: Action, outcome: str, detail: str, *, champion: str = "") -> bool:
        """The run has ended; whether this call was the one to say so.

        Args:
            action: as it was read.
            outcome: one of `minorkey.retune.action.OUTCOMES`.
            detail: what there is to say.
            champion: the version that served, of an action that needed no run.
        """
        with self.books.transaction() as made:
            now = self._clock.now(self.books, made)
            return entries.end(made, action, outcome, detail, now, champion=champion)

    def note(self, action: Action, detail: str) -> None:
        """Write down what there is to say of a run that goes on."""
        if detail != action.detail:
            with self.books.transaction() as made:
                made.change("UPDATE minorkey_retune_actions SET detail = %s WHERE id = %s", detail, action.id)


def keys_until(key: str) -> list[str]:
    """The keys of all launches of an action whose last one has this key."""
    base, number = _parts(key)
    return [base, *(f"{base}-again{count}" for count in range(1, number + 1))]


def _key_after(key: str) -> str:
    """The key of the launch after one that met another run: ``BASE-again1``, ``BASE-again2``, ..."""
    base, number = _parts(key)
    return f"{base}-again{number + 1}"


def _parts(key: str) -> tuple[str, int]:
    """What the keys of an action begin with, and how many launches met another run."""
    base = _AGAIN.sub("", key)
    return base, sum(int(number or 1) for number in re.findall(r"-again(\d*)", key[len(base) :]))
