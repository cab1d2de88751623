"""The trigger's ledger: every event and action, written before anybody is answered or anything starts."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType

from minorkey.retune import entries
from minorkey.retune.action import ENDED, Action
from minorkey.retune.clock import LedgerClock
from minorkey.retune.entries import OPEN, UNKNOWN
from minorkey.retune.launches import Launches
from minorkey.retune.policy import DAY_SECONDS, Decision, World, decide, is_open_again
from minorkey.retune.spec import RetuneSpec
from minorkey.retune.tables import MIGRATIONS, TABLES, VERSION
from minorkey.retune.webhook import Delivery
from minorkey.stores.sql import Books, Transaction

__all__ = ["Ledger", "Recorded"]

_OUTSIDE = "a run that the trigger did not start"


@dataclass(frozen=True)
class Recorded:
    """What became of a delivery.

    Attributes:
        dispositions: how many events were ``opened`` (an action begins), ``joined`` (one waits already),
            ``informed``, ``unknown_model``, ``duplicate``, ``resolved``, ``malformed``.
        actions: the actions that were opened or joined.
    """

    dispositions: dict[str, int]
    actions: tuple[int, ...]


def _nothing(action: Action) -> None:
    """What is removed with an action that is forgotten, by default."""


class Ledger(Launches):
    """Events and actions in a database.

    Args:
        url: ``sqlite:///PATH`` or ``postgresql://...``.
        clock: tells the ledger's time where the database has no clock of its own.

    Raises:
        StateError: the database cannot be used. So does every method.
    """

    def __init__(self, url: str, clock: LedgerClock | None = None) -> None:
        super().__init__(Books(url, "retune", TABLES, VERSION, MIGRATIONS), clock or LedgerClock())

    def record(
        self,
        delivery: Delivery,
        models: Collection[str],
        act_on: Collection[str],
        *,
        cool_down: float,
        dry_run: bool = False,
        champions: Mapping[str, str] = MappingProxyType({}),
    ) -> Recorded:
        """Write a delivery down, as a whole or not at all.

        An alert that is told again when the run it led to has ended without a new champion, a cool-down
        after that run began, leads to another one: the harm is still there, and more labels have come. Runs
        that keep the champion come at growing distances. So does one whose first look led to no run, once the
        reason for that has gone: what was not acted on is acted on now, the trigger is no longer dry, or the
        version that it tells of, which did not serve then, is champion. What was cancelled stays so.

        Args:
            delivery: from the webhook, or made by hand.
            models: those that the trigger retunes.
            act_on: kinds of alerts that lead to an action; whatever is no alert leads to one.
            cool_down: seconds between two starts for the same model and kind.
            dry_run: whether nothing is started.
            champions: by model the version that serves, where that is known.
        """
        found, actions = Counter[tuple[str, str]](), []
        with self.books.transaction() as made:
            now = self._clock.now(self.books, made)
            for event in delivery.firing:
                model = event.model if event.model in models else UNKNOWN
                known = entries.seen_before(made, event, now)
                if known and not is_open_again(
                    entries.answer_to(made, event),
                    event,
                    now=now,
                    cool_down=cool_down,
                    refusal=entries.refusal(event, model, act_on),
                    dry_run=dry_run,
                    champion=champions.get(model, ""),
                ):
                    found[model, "duplicate"] += 1
                    continue
                disposition, action = entries.dispose(made, event, model, act_on, now)
                if known:
                    entries.reassign(made, event, disposition, action)
                else:
                    entries.write_event(made, event, disposition, action, now)
                found[model, disposition] += 1
                actions.extend([] if action is None else [action])
            found[UNKNOWN, "resolved"] += delivery.resolved
            found[UNKNOWN, "malformed"] += len(delivery.malformed)
            found[UNKNOWN, "truncated"] += delivery.truncated
            for (model, disposition), number in found.items():
                if number:
                    entries.count(made, "alert", model, disposition, by=number)
        totals = Counter[str]()
        for (_, disposition), number in found.items():
            totals[disposition] += number
        return Recorded({name: number for name, number in totals.items() if number}, tuple(actions))

    def waiting(self) -> list[Action]:
        """Actions that wait and are due for a look, the oldest first."""
        with self.books.transaction() as made:
            now = self._clock.now(self.books, made)
            return entries.select_actions(made, "status = 'waiting' AND not_before <= %s ORDER BY id", now)

    def versions(self, action: Action) -> frozenset[str]:
        """The versions that the action's alerts name; "" for an alert without one."""
        with self.books.transaction(alone=False) as made:
            found = made.rows(
                "SELECT DISTINCT version FROM minorkey_retune_events WHERE action = %s", action.id
            )
        return frozenset(version for (version,) in found)

    def running(self) -> list[Action]:
        """Actions whose run is under way."""
        with self.books.transaction(alone=False) as made:
            return entries.select_actions(made, "status = 'running' AND source <> 'outside' ORDER BY id")

    def consider(self, action: Action, spec: RetuneSpec, world: World | None) -> Decision:
        """Decide about an action that waits, and write the decision down.

        With `world` None nothing starts: the ledger only says whether it is worth asking the world.
        Several triggers may consider the same action at once; one of them starts it.
        """
        with self.books.transaction() as made:
            now = self._clock.now(self.books, made)
            current = entries.select_actions(made, "id = %s AND status = 'waiting'", action.id)
            if not current:
                return Decision("wait", detail="another trigger has taken it up")
            decision = decide(spec, entries.known_of(made, current[0], now), world)
            if decision.verdict == "wait":
                entries.postpone(made, current[0], decision)
            elif world is not None:
                entries.begin(made, current[0], decision, world, now)
        return decision

    def postpone(self, action: Action, reason: str, delay: float, detail: str) -> None:
        """Let an action wait, because something that has to be asked does not answer.

        Args:
            action: one that waits.
            reason: one of `minorkey.retune.policy.REASONS`.
            delay: seconds until the next look.
            detail: what was said.
        """
        with self.books.transaction() as made:
            now = self._clock.now(self.books, made)
            for current in entries.select_actions(made, "id = %s AND status = 'waiting'", action.id):
                entries.postpone(made, current, Decision("wait", reason, now + delay, detail))
                made.change(
                    "UPDATE minorkey_retune_actions SET attempts = attempts + 1 WHERE id = %s", action.id
                )

    def observe(self, model: str, run_key: str) -> None:
        """Record the run that holds a model's lease if it is not one of this ledger's, and when it is gone.

        Args:
            model: name of the model.
            run_key: the holder, "" if there is none.
        """
        with self.books.transaction() as made:
            known = entries.select_actions(made, f"model = %s AND source = 'outside' AND {OPEN}", model)
            if [one.run_id for one in known] == ([run_key] if run_key else []):
                return
            now = self._clock.now(self.books, made)
            for one in known:
                if one.run_id != run_key:
                    entries.end(made, one, "gone", "its lease has been given back", now)
            ours = made.rows(
                f"SELECT 1 FROM minorkey_retune_actions WHERE model = %s AND ({OPEN} OR run_id = %s)",  # noqa: S608
                model,
                run_key,
            )
            if run_key and not ours:
                action = entries.insert_action(made, model, "outside", "outside", _OUTSIDE, now)
                made.change(
                    "UPDATE minorkey_retune_actions SET status = 'running', started = %s, run_id = %s "
                    "WHERE id = %s",
                    now,
                    run_key,
                    action,
                )
                entries.count(made, "outside", model)

    @contextmanager
    def transaction(self) -> Iterator[tuple[Transaction, float]]:
        """A transaction that is alone, and the ledger's time."""
        with self.books.transaction() as made:
            yield made, self._clock.now(self.books, made)

    def action(self, number: int) -> Action:
        """One action as it stands."""
        with self.books.transaction(alone=False) as made:
            return entries.select_actions(made, "id = %s", number)[0]

    def forget(self, days: float, remove: Callable[[Action], None] = _nothing) -> None:
        """Remove ended actions and events that were last heard of so many days ago.

        An action stays for as long as its alerts are told: what came of them has to be known.

        Args:
            days: how many.
            remove: called for each action before its row goes, so that a kill leaves nothing behind.
        """
        ended = ", ".join(f"'{status}'" for status in ENDED)
        with self.books.transaction() as made:
            before = self._clock.now(self.books, made) - days * DAY_SECONDS
            old = entries.select_actions(
                made,
                f"status IN ({ended}) AND ended < %s AND NOT EXISTS (SELECT 1 FROM minorkey_retune_events e "  # noqa: S608
                "WHERE e.action = minorkey_retune_actions.id AND e.last_seen >= %s)",
                before,
                before,
            )
        for action in old:
            remove(action)
        with self.books.transaction() as made:
            made.change_each(
                "DELETE FROM minorkey_retune_actions WHERE id = %s", [(action.id,) for action in old]
            )
            for table in ("stages", "cancels"):
                made.change(
                    f"DELETE FROM minorkey_retune_{table} WHERE NOT EXISTS (SELECT 1 FROM "  # noqa: S608
                    f"minorkey_retune_actions a WHERE a.id = minorkey_retune_{table}.action)"
                )
            made.change(
                "DELETE FROM minorkey_retune_events WHERE last_seen < %s AND NOT EXISTS "
                "(SELECT 1 FROM minorkey_retune_actions a WHERE a.id = minorkey_retune_events.action)",
                before,
            )

    def close(self) -> None:
        """Close the connections."""
        self.books.close()
