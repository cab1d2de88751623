"""What a challenger said in shadow: joined to the champion's row of the same id, and counted with it.

A shadow's record has no label and no features of its own. It takes outcome and weight of the row that was
answered, so neither traffic nor labels nor exported rows come twice.
"""

from collections import defaultdict
from typing import Any

from minorkey.feedback.intake import Intake, add
from minorkey.feedback.messages import Batch
from minorkey.feedback.tables import OPEN
from minorkey.stores.sql import Transaction

__all__ = ["Ripe", "count_shadows", "forget_shadows", "record_shadows"]

_DAY = 86_400.0
#: Champion's and challenger's decision, outcome.
_CELLS = [f"{champion}{predicted}{actual}" for champion in "01" for predicted in "01" for actual in "01"]

#: Of a row that is counted: version and decision of the champion, outcome (None: unknown), and weight.
Ripe = tuple[str, int, int | None, float]


def record_shadows(intake: Intake, batch: Batch) -> dict[str, int]:
    """Write down what a challenger said of rows that the champion answered.

    One whose row has been counted already is counted at once. It stands for those that were thinned away
    then, too, by the share that was kept.

    Returns:
        How many were ``recorded`` and how many ``known``.

    Raises:
        Refusal: the specification does not name the model.
        StateError: the database does not answer.
    """
    intake.require(batch.model)
    recorded = 0
    with intake.books.transaction() as made:
        _announce(made, batch.model, batch.version, batch.champion)
        for record in batch.records:
            new = made.change(
                "INSERT INTO minorkey_feedback_shadows (model, id, version, time, score, threshold) "
                "VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (model, id, version) DO NOTHING",
                batch.model, record.id, batch.version, record.time, record.score, batch.threshold,
            )  # fmt: skip
            if new:
                recorded += 1
                _count_late(made, batch.model, record.id)
    return {"recorded": recorded, "known": len(batch.records) - recorded}


def count_shadows(made: Transaction, model: str, now: float, most: int, ripe: dict[str, Ripe]) -> None:
    """Count what challengers said of the rows that are being counted; before those change their state.

    Args:
        made: the transaction in which the rows are counted.
        model: name of their model.
        now: seconds since 1970.
        most: how many rows are counted at most.
        ripe: those rows, by id.
    """
    found = made.rows(
        "SELECT shadow.model, shadow.id, shadow.version, shadow.score, shadow.threshold "
        "FROM minorkey_feedback_shadows AS shadow JOIN ("
        "SELECT model, id FROM minorkey_feedback_rows WHERE model = %s AND state = %s AND mature_at <= %s "
        "ORDER BY mature_at, id LIMIT %s"
        ") AS mature ON shadow.model = mature.model AND shadow.id = mature.id WHERE shadow.counted = 0",
        model,
        OPEN,
        now,
        most,
    )
    _count(made, [(*row, ripe[row[1]]) for row in found])


def forget_shadows(made: Transaction, intake: Intake) -> None:
    """Count and delete what never found its row."""
    now = intake.clock()
    unmatched = made.rows(
        "DELETE FROM minorkey_feedback_shadows WHERE counted = 0 AND time < %s AND NOT EXISTS ("
        "SELECT 1 FROM minorkey_feedback_rows AS mine WHERE mine.model = minorkey_feedback_shadows.model "
        "AND mine.id = minorkey_feedback_shadows.id) RETURNING model, version",
        now - intake.spec.early_days * _DAY,
    )
    for model, version in unmatched:
        add(made, "shadow_unmatched", model, version, "", 1)


def _count_late(made: Transaction, model: str, identity: str) -> None:
    found = made.rows(
        "SELECT version, score, threshold, outcome, propensity, kept FROM minorkey_feedback_rows "
        "WHERE model = %s AND id = %s AND state <> %s",
        model,
        identity,
        OPEN,
    )
    for version, score, threshold, outcome, propensity, kept in found:
        weight = 1.0 / (propensity or 1.0) / kept
        ripe = (version, int(score >= threshold), outcome, weight)
        waiting = made.rows(
            "SELECT model, id, version, score, threshold FROM minorkey_feedback_shadows "
            "WHERE model = %s AND id = %s AND counted = 0",
            model,
            identity,
        )
        _count(made, [(*row, ripe) for row in waiting])


def _count(made: Transaction, found: list[tuple[Any, ...]]) -> None:
    counts: dict[tuple[str, str, str, str], float] = defaultdict(float)
    done: list[tuple[str, str, str]] = []
    for model, identity, version, score, threshold, ripe in found:
        champion, called, outcome, weight = ripe
        done.append((model, identity, version))
        if outcome is None or champion == version:
            continue
        cell = f"{called}{int(score >= threshold)}{outcome}{champion}"
        counts["shadow", model, version, cell] += weight
        counts["shadow_square", model, version, cell] += weight**2
        counts["shadow_count", model, version, f"{outcome}{champion}"] += 1
    if done:
        made.change_each(
            "UPDATE minorkey_feedback_shadows SET counted = 1 WHERE model = %s AND id = %s AND version = %s",
            done,
        )
    for (family, model, version, labels), value in counts.items():
        add(made, family, model, version, labels, value)


def _announce(made: Transaction, model: str, version: str, champion: str) -> None:
    """Begin every series of the pair at 0, so that the first increment counts."""
    if made.rows(
        "SELECT 1 FROM minorkey_feedback_counts WHERE family = 'shadow_count' AND model = %s "
        "AND version = %s AND labels = %s",
        model,
        version,
        f"1{champion}",
    ):
        return
    for cell in _CELLS:
        add(made, "shadow", model, version, f"{cell}{champion}", 0)
        add(made, "shadow_square", model, version, f"{cell}{champion}", 0)
    for actual in "01":
        add(made, "shadow_count", model, version, f"{actual}{champion}", 0)
    add(made, "shadow_unmatched", model, version, "", 0)
