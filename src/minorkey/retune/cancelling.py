"""Retunes that somebody calls off: asked for in the ledger, carried out by whoever follows the run."""

from minorkey.errors import SpecError
from minorkey.retune import entries
from minorkey.retune.action import Action
from minorkey.retune.ledger import Ledger
from minorkey.stores.sql import Transaction

__all__ = ["ask_cancel", "cancels", "open_cancels"]


def ask_cancel(ledger: Ledger, number: int, why: str) -> Action:
    """Ask for the end of an action. One that waits ends at once; the run of another is ended by a trigger.

    Asking again changes nothing: the first reason stays.

    Args:
        ledger: where the action is.
        number: of the action.
        why: who and why, beginning with "cancelled": what the ledger says of it from then on.

    Returns:
        The action as it stands then.

    Raises:
        SpecError: there is no such action, it has ended, or the trigger did not start its run.
        StateError: the ledger does not answer.
    """
    with ledger.transaction() as (made, now):
        found = entries.select_actions(made, "id = %s", number)
        problem = _objection(found)
        if problem:
            raise SpecError(
                problem,
                key="ACTION",
                value=number,
                allowed="one that waits or whose run is under way: `minorkey retune status` lists them",
                remedy="end a run that the trigger did not start where it was started"
                if found and found[0].source == "outside"
                else "check the number",
            )
        if found[0].status == "waiting":
            entries.end(made, found[0], "cancelled", why, now)
        else:
            made.change(
                "INSERT INTO minorkey_retune_cancels (action, asked, detail) VALUES (%s, %s, %s) "
                "ON CONFLICT (action) DO NOTHING",
                number,
                now,
                why,
            )
        return entries.select_actions(made, "id = %s", number)[0]


def cancels(ledger: Ledger) -> dict[int, str]:
    """Actions that are to be ended and have not, with the reason of each.

    Raises:
        StateError: the ledger does not answer.
    """
    with ledger.books.transaction(alone=False) as made:
        return open_cancels(made)


def open_cancels(made: Transaction) -> dict[int, str]:
    """As `cancels`, within a transaction."""
    rows = made.rows(
        "SELECT c.action, c.detail FROM minorkey_retune_cancels c JOIN minorkey_retune_actions a "
        "ON a.id = c.action WHERE a.ended IS NULL"
    )
    return {int(action): str(why) for action, why in rows}


def _objection(found: list[Action]) -> str:
    if not found:
        return "the ledger has no such action"
    if found[0].ended is not None:
        return f"the action has ended: {found[0].status}"
    if found[0].source == "outside":
        return f"the trigger did not start run {found[0].run_id}"
    return ""
