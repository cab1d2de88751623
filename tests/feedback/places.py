"""An intake whose clock the test sets."""

from typing import Any

from minorkey.feedback.intake import Intake
from minorkey.feedback.messages import Batch, Label, Record
from minorkey.feedback.ripening import ripen
from minorkey.feedback.shadows import record_shadows
from minorkey.feedback.spec import FeedbackSpec, LabelledModel

NOW = 1_800_000_000.0
DAY = 86_400.0
THRESHOLD = 0.5


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def spec_of(names: tuple[str, ...] = ("cards", "claims"), **changes: Any) -> FeedbackSpec:
    """Models with a horizon of a day."""
    model = LabelledModel(**{"target": "fraud", "label_horizon": "1d", **changes})
    return FeedbackSpec(models=dict.fromkeys(names, model))


def intake_of(url: str, clock: Clock | None = None, **changes: Any) -> Intake:
    return Intake(url, spec_of(**changes), clock or Clock())


def record(number: int, score: float = 0.9, *, time: float = NOW) -> Record:
    return Record(f"r{number}", time, score, f'{{"amount":{number}.5,"country":"NL"}}')


def store(intake: Intake, *records: Record, version: str = "3") -> dict[str, int]:
    return intake.predictions("cards", version, THRESHOLD, records)


def shadow(intake: Intake, *records: Record, version: str = "4", champion: str = "3") -> dict[str, int]:
    """Another version says of the same rows, at a lower threshold."""
    return record_shadows(intake, Batch("cards", version, 0.25, list(records), champion))


def label(number: int, value: int | None = 1, **changes: Any) -> Label:
    return Label(f"r{number}", value, **changes)


def counts(intake: Intake, family: str, version: str = "3") -> dict[str, float]:
    with intake.books.transaction(alone=False) as made:
        rows = made.rows(
            "SELECT labels, value FROM minorkey_feedback_counts WHERE family = %s AND version = %s",
            family,
            version,
        )
    return {labels: value for labels, value in rows if value}


def mature(intake: Intake, clock: Clock) -> int:
    clock.now += DAY
    return ripen(intake)


def ids(intake: Intake) -> set[str]:
    with intake.books.transaction(alone=False) as made:
        return {identity for (identity,) in made.rows("SELECT id FROM minorkey_feedback_rows")}
