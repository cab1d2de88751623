"""Counts rows whose label horizon has passed, thins the negatives, and removes what is old."""

from collections import Counter, defaultdict
from typing import Any

from minorkey.evaluation.logit_bins import LOGIT_BINS, logit_bin_places
from minorkey.feedback.intake import Intake, add
from minorkey.feedback.maturity import is_kept, keep_probability, outcome_of
from minorkey.feedback.shadows import Ripe, count_shadows, forget_shadows
from minorkey.feedback.spec import LabelledModel
from minorkey.feedback.tables import COUNTED, OPEN, UNLABELLED
from minorkey.feedback.versions import forget_versions
from minorkey.stores.sql import Transaction

__all__ = ["BATCH", "forget", "ripen"]

#: Rows of one transaction.
BATCH = 2_000
_DAY = 86_400.0

#: By family, model, version and labels.
Counts = dict[tuple[str, str, str, str], float]


def ripen(intake: Intake) -> int:
    """Count rows that are mature, each once, at most `BATCH` of each model; how many there were.

    Rows of a model that the specification does not name stay: nobody knows what their labels mean.

    Raises:
        StateError: the database does not answer.
    """
    return sum(_ripen(intake, model, wanted) for model, wanted in intake.spec.models.items())


def _ripen(intake: Intake, model: str, wanted: LabelledModel) -> int:
    with intake.books.transaction() as made:
        now = intake.clock()
        found = made.rows(
            "SELECT id, version, score, threshold, label, intervened, propensity "
            "FROM minorkey_feedback_rows WHERE model = %s AND state = %s AND mature_at <= %s "
            "ORDER BY mature_at, id LIMIT %s",
            model,
            OPEN,
            now,
            BATCH,
        )
        counts: Counts = defaultdict(float)
        states: list[tuple[Any, ...]] = []
        thinned: list[tuple[str, str]] = []
        ripe: dict[str, Ripe] = {}
        places = logit_bin_places([row[2] for row in found])
        for row, place in zip(found, places, strict=True):
            identity, version, score, threshold, label, intervened, propensity = row
            outcome, weight = outcome_of(wanted.label_policy, label, bool(intervened), propensity)
            called = int(score >= threshold)
            ripe[identity] = (version, called, outcome, weight)
            if outcome is None:
                counts["unlabelled", model, version, ""] += 1
                states.append((UNLABELLED, None, 1.0, model, identity))
                continue
            both = f"{called}{outcome}"
            counts["outcome", model, version, both] += weight
            counts["square", model, version, both] += weight**2
            counts["count", model, version, str(outcome)] += 1
            counts["logit", model, version, f"{outcome}{LOGIT_BINS[place]}"] += weight
            if propensity is not None:
                counts["audited", model, version, ""] += 1
                counts["audited_weight", model, version, ""] += weight
            kept = 1.0 if outcome else keep_probability(score, threshold, wanted)
            if is_kept(model, identity, kept):
                states.append((COUNTED, outcome, kept, model, identity))
            else:
                thinned.append((model, identity))
        count_shadows(made, model, now, BATCH, ripe)
        _write(made, counts, states, thinned)
    return len(found)


def forget(intake: Intake) -> None:
    """Delete rows beyond their retention, and labels whose prediction never came.

    Rows of a model that the specification does not name any more stay as long as those of the model that
    keeps them longest. Counts go after that time without a row and without a change.

    Raises:
        StateError: the database does not answer.
    """
    with intake.books.transaction() as made:
        now = intake.clock()
        # Whatever has rows has counts.
        models = made.rows("SELECT DISTINCT model FROM minorkey_feedback_counts")
        oldest = {model: now - intake.spec.keep_days(model) * _DAY for (model,) in models}
        for table in ("minorkey_feedback_rows", "minorkey_feedback_shadows"):
            for model, moment in oldest.items():
                made.change(f"DELETE FROM {table} WHERE model = %s AND time < %s", model, moment)  # noqa: S608
        forget_shadows(made, intake)
        unknown = made.rows(
            "DELETE FROM minorkey_feedback_early WHERE received < %s RETURNING model",
            now - intake.spec.early_days * _DAY,
        )
        for (model,), number in Counter(unknown).items():
            add(made, "label", model, "", "unknown", number)
        forget_versions(made, intake)


def _write(
    made: Transaction,
    counts: Counts,
    states: list[tuple[Any, ...]],
    thinned: list[tuple[str, str]],
) -> None:
    if states:
        made.change_each(
            "UPDATE minorkey_feedback_rows SET state = %s, outcome = %s, kept = %s "
            "WHERE model = %s AND id = %s",
            states,
        )
    if thinned:
        for table in ("minorkey_feedback_rows", "minorkey_feedback_shadows"):
            made.change_each(f"DELETE FROM {table} WHERE model = %s AND id = %s", thinned)  # noqa: S608
    for (family, model, version, labels), value in counts.items():
        add(made, family, model, version, labels, value)
