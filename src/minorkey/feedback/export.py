"""Mature labelled rows as Parquet, for a retune; and labels from files."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from minorkey.data.exported import COLUMNS
from minorkey.errors import DataError, InputError, SpecError, StateError
from minorkey.feedback.intake import Intake
from minorkey.feedback.messages import MAX_ITEMS, parse_labels
from minorkey.feedback.spec import LabelledModel
from minorkey.feedback.tables import OPEN
from minorkey.serving.refusal import Refusal

__all__ = ["Imported", "export_rows", "import_labels"]


def export_rows(
    intake: Intake, model: str, out: Path, *, since: float | None = None, until: float | None = None
) -> int:
    """Write the rows of a model whose outcome is mature and known; how many there are.

    Args:
        intake: where they lie.
        model: name of the model.
        out: file to write; it appears whole or not at all.
        since: predictions from then on, seconds since 1970.
        until: predictions before then.

    Raises:
        SpecError: the specification does not name the model.
        DataError: there is no such row, or a feature has the name of a column that is added.
        StateError: the database does not answer, or the file cannot be written.
    """
    wanted = intake.spec.models.get(model)
    if wanted is None:
        raise SpecError(
            "the feedback service's specification does not name this model",
            key="MODEL",
            value=model,
            allowed=", ".join(sorted(intake.spec.models)),
        )
    with intake.books.transaction(alone=False) as made:
        found = made.rows(
            "SELECT id, version, score, time, features, coalesce(label, outcome), label_time, propensity, "
            "kept FROM minorkey_feedback_rows WHERE model = %s AND state <> %s AND time >= %s AND time < %s "
            "AND coalesce(label, outcome) IS NOT NULL AND (outcome IS NOT NULL OR intervened = 0) "
            "ORDER BY time, id",
            model,
            OPEN,
            -1e18 if since is None else since,
            1e18 if until is None else until,
        )
    if not found:
        raise DataError(
            "there is no mature labelled row",
            key=f"model {model}",
            value=intake.books.place,
            remedy="wait until the label horizon has passed, or choose another period",
        )
    _write(_frame(found, wanted), out)
    return len(found)


@dataclass
class Imported:
    """What became of the labels of a file.

    Attributes:
        results: how many labels came to each result.
        reasons: why labels were refused, with the first row (from 1) that each reason was met in.
    """

    results: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, int] = field(default_factory=dict)


def import_labels(intake: Intake, model: str, path: Path) -> Imported:
    """Join the labels of a file: CSV, Parquet or JSON lines with the keys of ``POST /labels``.

    Raises:
        DataError: the file cannot be read, or has no column ``id``.
        SpecError: the specification does not name the model.
        StateError: the database does not answer.
    """
    found = Imported()
    for number, items in enumerate(_batches(path)):
        try:
            _, labels, refused = parse_labels({"model": model, "labels": items})
            found.results.update(intake.labels(model, labels, len(refused)))
        except Refusal as refusal:
            raise SpecError(
                refusal.reason,
                key="MODEL",
                value=model,
                allowed=", ".join(sorted(intake.spec.models)),
                remedy="name one of these, or add the model to the specification",
            ) from None
        for text in refused:
            place, _, reason = text.partition("]: ")
            row = number * MAX_ITEMS + int(place.removeprefix("labels[")) + 1
            found.reasons.setdefault(reason, row)
    return found


def _frame(found: list[tuple[Any, ...]], wanted: LabelledModel) -> pd.DataFrame:
    frame = pd.DataFrame.from_records([json.loads(row[4]) for row in found])
    added: dict[str, Any] = {
        wanted.target: [wanted.positive if row[5] else wanted.negative for row in found],
        COLUMNS[0]: [row[0] for row in found],
        COLUMNS[1]: [row[1] for row in found],
        COLUMNS[2]: [row[2] for row in found],
        COLUMNS[3]: _moments([row[3] for row in found]),
        COLUMNS[4]: [1.0 / row[8] / (row[7] or 1.0) for row in found],
    }
    if wanted.event_time and wanted.event_time not in frame.columns:
        added[wanted.event_time] = added[COLUMNS[3]]
    if wanted.label_time:
        added[wanted.label_time] = _moments(
            [row[3] + wanted.horizon_seconds if row[6] is None else row[6] for row in found]
        )
    taken = sorted(set(added) & set(map(str, frame.columns)))
    if taken:
        raise DataError(
            "a feature has the name of a column that the export adds",
            key=taken[0],
            allowed="other names",
            remedy="name another target, event_time or label_time in the feedback specification",
        )
    return pd.concat([frame, pd.DataFrame(added, index=frame.index)], axis=1)


def _moments(seconds: list[float]) -> Any:
    return pd.to_datetime(pd.Series(seconds, dtype="float64"), unit="s", utc=True)


def _write(frame: pd.DataFrame, out: Path) -> None:
    aside = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        frame.to_parquet(aside, index=False)
        aside.replace(out)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise StateError(
            "the export cannot be written", key=str(out), value=error, remedy="check path and free space"
        ) from None
    except ValueError as error:  # pyarrow: a column holds values of several kinds
        aside.unlink(missing_ok=True)
        raise DataError(
            "the rows do not fit one table",
            key="features",
            value=error,
            allowed="values of one kind in each feature",
            remedy="send each feature as one kind (number or text), or export the time since it is so",
        ) from None


def _batches(path: Path) -> Iterator[list[dict[str, Any]]]:
    try:
        frame = _read(path)
    except InputError:
        raise
    except (OSError, ValueError) as error:
        raise DataError(
            "the labels cannot be read",
            key=str(path),
            value=error,
            allowed="a CSV, Parquet or JSON-lines file with the columns id and label",
        ) from None
    if "id" not in frame.columns:
        raise DataError(
            "the labels have no column id",
            key=str(path),
            value=", ".join(map(str, frame.columns)),
            remedy="call the column with the request ids id",
        )
    for start in range(0, len(frame), MAX_ITEMS):
        yield [_item(row) for row in frame.iloc[start : start + MAX_ITEMS].to_dict("records")]


def _read(path: Path) -> pd.DataFrame:
    suffix = path.suffix.lower()
    if suffix == ".csv":
        return pd.read_csv(path, dtype={"id": str})
    if suffix in (".parquet", ".pq"):
        return pd.read_parquet(path)
    if suffix in (".jsonl", ".ndjson"):
        return pd.read_json(path, lines=True, dtype=False)
    raise DataError("labels are not read from such a file", key=str(path), allowed=".csv, .parquet or .jsonl")


def _item(row: dict[Any, Any]) -> dict[str, Any]:
    """A row as the JSON of a label: what is missing is left out, and an id is a text.

    Columns of files know fewer kinds than JSON: a missing value makes floats of whole numbers, a word texts,
    and 0 and 1 often stand for false and true.
    """
    found = {str(key): getattr(value, "item", lambda value=value: value)() for key, value in row.items()}
    found = {key: value for key, value in found.items() if not _is_missing(value)}
    if found.get("label") in (0.0, 1.0, "0", "1"):
        found["label"] = int(found["label"])
    if isinstance(found.get("id"), int):
        found["id"] = str(found["id"])
    if isinstance(found.get("intervened"), int | float) and found["intervened"] in (0, 1):
        found["intervened"] = bool(found["intervened"])
    if isinstance(found.get("time"), pd.Timestamp):
        found["time"] = found["time"].timestamp()
    return found


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NaT or (isinstance(value, float) and value != value)
