"""What comes in: predictions, labels before and after them, and the join of both by request id."""

import time
from collections import Counter
from collections.abc import Callable, Sequence

from minorkey.evaluation.logit_bins import LOGIT_BINS
from minorkey.feedback.messages import Label, Record
from minorkey.feedback.spec import FeedbackSpec, LabelledModel
from minorkey.feedback.tables import MIGRATIONS, OPEN, TABLES, VERSION
from minorkey.serving.refusal import Refusal
from minorkey.stores.sql import Books, Transaction

__all__ = ["RESULTS", "Intake", "add"]

#: What can become of a label. One that came early is told again once it has joined, or is unknown for good.
RESULTS = ("joined", "duplicate", "conflict", "unknown", "early", "late", "refused")
_RECORD_RESULTS = ("recorded", "known")
#: The family of counts that came last: a version that has it has them all.
_LATEST_FAMILY = "record"
_COMBINATIONS = ("00", "01", "10", "11")
_WITH_IDS = ("minorkey_feedback_rows", "minorkey_feedback_early", "minorkey_feedback_shadows")

_JOIN = """
UPDATE minorkey_feedback_rows SET label = %s, label_time = %s, intervened = %s, propensity = %s
WHERE model = %s AND id = %s
"""


class Intake:
    """Writes predictions and labels down.

    Args:
        url: ``sqlite:///PATH`` or ``postgresql://...``.
        spec: the models.
        clock: seconds since 1970.

    Raises:
        StateError: the database cannot be used. So does every method.
    """

    def __init__(self, url: str, spec: FeedbackSpec, clock: Callable[[], float] = time.time) -> None:
        self.books = Books(url, "feedback", TABLES, VERSION, MIGRATIONS)
        self.spec, self.clock = spec, clock

    def predictions(
        self, model: str, version: str, threshold: float, records: Sequence[Record]
    ) -> dict[str, int]:
        """Write records down; a record that is known is left as it is.

        Returns:
            How many were ``recorded`` and how many ``known``.

        Raises:
            Refusal: the specification does not name the model.
        """
        horizon = self.require(model).horizon_seconds
        with self.books.transaction() as made:
            _announce(made, model, version)
            results = Counter[str]()
            for record in records:
                new = made.change(
                    "INSERT INTO minorkey_feedback_rows "
                    "(model, id, version, time, score, threshold, features, mature_at) "
                    "VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (model, id) DO NOTHING",
                    model, record.id, version, record.time, record.score, threshold, record.features,
                    record.time + horizon,
                )  # fmt: skip
                results["recorded" if new else "known"] += 1
            for result in _RECORD_RESULTS:
                add(made, "record", model, version, result, results[result])
            joined = self._join_early(made, model, [record.id for record in records])
            if joined:
                add(made, "label", model, version, "joined", joined)
        return {result: results[result] for result in _RECORD_RESULTS} | {"labels_joined": joined}

    def labels(self, model: str, labels: Sequence[Label], refused: int = 0) -> dict[str, int]:
        """Join labels to their predictions.

        Args:
            model: name of the model.
            labels: of its rows.
            refused: how many more came that did not fit.

        Returns:
            How many labels came to each of `RESULTS`.

        Raises:
            Refusal: the specification does not name the model.
        """
        self.require(model)
        results = Counter[tuple[str, str]]()
        with self.books.transaction() as made:
            now = self.clock()
            for label in labels:
                results[_place(made, model, label, now)] += 1
            if refused:
                results["", "refused"] += refused
            for (version, result), number in results.items():
                add(made, "label", model, version, result, number)
        totals = Counter[str]()
        for (_, result), number in results.items():
            totals[result] += number
        return dict(totals)

    def delete(self, model: str, identity: str) -> bool:
        """Delete a row and what waits for it; whether there was one. What it was counted as stays counted.

        Raises:
            Refusal: nothing is there, and the specification does not name the model.
        """
        with self.books.transaction() as made:
            gone = [
                made.change(f"DELETE FROM {table} WHERE model = %s AND id = %s", model, identity)  # noqa: S608
                for table in _WITH_IDS
            ]
        if not any(gone):
            self.require(model)
        return any(gone)

    def announce(self) -> None:
        """Begin the series of labels that belong to no version, and those that an earlier minorkey lacked."""
        with self.books.transaction() as made:
            for model in self.spec.models:
                for result in ("unknown", "early", "refused"):
                    add(made, "label", model, "", result, 0)
                for (version,) in made.rows(
                    "SELECT DISTINCT version FROM minorkey_feedback_counts "
                    "WHERE model = %s AND family = 'outcome'",
                    model,
                ):
                    _announce(made, model, version)

    def require(self, name: str) -> LabelledModel:
        """What labels of a model mean.

        Raises:
            Refusal: the specification does not name the model.
        """
        if name not in self.spec.models:
            raise Refusal(f"there is no model {ascii(name)[:100]} here", 404)
        return self.spec.models[name]

    def _join_early(self, made: Transaction, model: str, identities: Sequence[str]) -> int:
        joined = 0
        if not made.rows("SELECT 1 FROM minorkey_feedback_early WHERE model = %s LIMIT 1", model):
            return joined
        for identity in identities:
            for label, moment, intervened, propensity in made.rows(
                "DELETE FROM minorkey_feedback_early WHERE model = %s AND id = %s "
                "RETURNING label, label_time, intervened, propensity",
                model,
                identity,
            ):
                made.change(_JOIN, label, moment, intervened, propensity, model, identity)
                joined += 1
        return joined


def add(made: Transaction, family: str, model: str, version: str, labels: str, value: float) -> None:
    """Add to a count that outlives every process; 0 begins it."""
    made.change(
        "INSERT INTO minorkey_feedback_counts (family, model, version, labels, value) "
        "VALUES (%s, %s, %s, %s, %s) ON CONFLICT (family, model, version, labels) "
        "DO UPDATE SET value = minorkey_feedback_counts.value + %s",
        family, model, version, labels, float(value), float(value),
    )  # fmt: skip


def _announce(made: Transaction, model: str, version: str) -> None:
    """Begin every series of a version at 0, so that the first increment counts."""
    if made.rows(
        "SELECT 1 FROM minorkey_feedback_counts WHERE family = %s AND model = %s AND version = %s LIMIT 1",
        _LATEST_FAMILY,
        model,
        version,
    ):
        return
    for both in _COMBINATIONS:
        add(made, "outcome", model, version, both, 0)
        add(made, "square", model, version, both, 0)
    for actual in "01":
        add(made, "count", model, version, actual, 0)
        for bin_ in LOGIT_BINS:
            add(made, "logit", model, version, f"{actual}{bin_}", 0)
    for family in ("unlabelled", "audited", "audited_weight"):
        add(made, family, model, version, "", 0)
    for result in ("joined", "duplicate", "conflict", "late"):
        add(made, "label", model, version, result, 0)
    for result in _RECORD_RESULTS:
        add(made, "record", model, version, result, 0)


def _place(made: Transaction, model: str, label: Label, now: float) -> tuple[str, str]:
    """The version that a label belongs to ("" for none), and what became of the label."""
    found = made.rows(
        "SELECT version, state, label, intervened, propensity FROM minorkey_feedback_rows "
        "WHERE model = %s AND id = %s",
        model,
        label.id,
    )
    moment = now if label.time is None else label.time
    if not found:
        return "", _keep_early(made, model, label, moment, now)
    version, state, known, intervened, propensity = found[0]
    result = _result(label, known, bool(intervened), propensity)
    if result == "joined":
        made.change(
            _JOIN,
            *_merged(label, known, moment, bool(intervened), propensity),
            model,
            label.id,
        )  # fmt: skip
    return version, "late" if result == "joined" and state != OPEN else result


def _result(label: Label, known: int | None, intervened: bool, propensity: float | None) -> str:
    """Whether a label says something new of a row, the same again, or the contrary. The first word stands.

    A row was let through for an audit, or intervened in: never both.
    """
    if label.label is not None and known is not None and label.label != known:
        return "conflict"
    if label.propensity is not None and propensity is not None and label.propensity != propensity:
        return "conflict"
    if (label.propensity is not None and intervened) or (label.intervened and propensity is not None):
        return "conflict"
    new = (label.label is not None and known is None) or (label.intervened and not intervened)
    return "joined" if new or (label.propensity is not None and propensity is None) else "duplicate"


def _merged(
    label: Label, known: int | None, moment: float, intervened: bool, propensity: float | None
) -> tuple[int | None, float, int, float | None]:
    """Label, its time, intervention and propensity of a row that has been told of twice, without conflict."""
    return (
        known if label.label is None else label.label,
        moment,
        int(label.intervened or intervened),
        propensity if label.propensity is None else label.propensity,
    )


def _keep_early(made: Transaction, model: str, label: Label, moment: float, now: float) -> str:
    """Let a label wait for its prediction."""
    new = made.change(
        "INSERT INTO minorkey_feedback_early "
        "(model, id, label, label_time, intervened, propensity, received) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (model, id) DO NOTHING",
        model, label.id, label.label, moment, int(label.intervened), label.propensity, now,
    )  # fmt: skip
    if new:
        return "early"
    known, intervened, propensity = made.rows(
        "SELECT label, intervened, propensity FROM minorkey_feedback_early WHERE model = %s AND id = %s",
        model,
        label.id,
    )[0]
    result = _result(label, known, bool(intervened), propensity)
    if result != "joined":
        return result
    made.change(
        "UPDATE minorkey_feedback_early SET label = %s, label_time = %s, intervened = %s, propensity = %s "
        "WHERE model = %s AND id = %s",
        *_merged(label, known, moment, bool(intervened), propensity),
        model,
        label.id,
    )
    return "early"
