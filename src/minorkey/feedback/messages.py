"""Prediction records and labels: from JSON to what is stored."""

import json
import math
from dataclasses import dataclass
from typing import Any

from minorkey.data.iso8601 import FURTHEST, parse_iso
from minorkey.serving.refusal import Refusal

__all__ = ["LONGEST_ID", "MAX_ITEMS", "Batch", "Label", "Record", "parse_labels", "parse_records"]

#: Most records or labels of one request.
MAX_ITEMS = 10_000
LONGEST_ID = 200
_LONGEST_FEATURES = 64 * 2**10
_LABEL_KEYS = {"id", "label", "time", "intervened", "propensity"}
_RECORD_KEYS = {"id", "time", "score", "features"}


@dataclass(frozen=True)
class Record:
    """One row that was scored.

    Attributes:
        id: the row's request id.
        time: when, seconds since 1970.
        score: calibrated probability.
        features: the row as the client gave it, as a JSON object.
    """

    id: str
    time: float
    score: float
    features: str


@dataclass(frozen=True)
class Label:
    """What became known of one row.

    Attributes:
        id: the row's request id.
        label: 1 or 0, None where only the intervention is told.
        time: when it became known, seconds since 1970; None: now.
        intervened: whether something was done that hides the outcome, such as blocking.
        propensity: probability with which the row was let through for an audit; None: it is not in that
            slice, as no row is that was intervened in.
    """

    id: str
    label: int | None
    time: float | None = None
    intervened: bool = False
    propensity: float | None = None


@dataclass(frozen=True)
class Batch:
    """The records of one request.

    Attributes:
        model: name of the model.
        version: that scored the rows.
        threshold: its decision threshold.
        records: the rows.
        champion: "" for rows that were answered; for those that were scored in shadow the version whose
            answers the clients got.
    """

    model: str
    version: str
    threshold: float
    records: list[Record]
    champion: str = ""


def parse_records(content: Any) -> Batch:
    """Read the body of ``POST /predictions``.

    Raises:
        Refusal: naming the record that does not fit; nothing of the request is stored then.
    """
    if not isinstance(content, dict):
        raise Refusal("expected an object with 'model', 'version', 'threshold' and 'records'")
    _only(content, {"model", "version", "threshold", "records", "champion"}, "the body")
    model, version = _text(content.get("model"), "model"), _text(content.get("version"), "version")
    champion = _text(content["champion"], "champion") if "champion" in content else ""
    if champion == version:
        raise Refusal(f"champion: version {_said(version)} cannot be in its own shadow")
    threshold = _number(content.get("threshold"), "threshold")
    records = [_record(*item) for item in _items(content.get("records"), "records")]
    return Batch(model, version, threshold, records, champion)


def parse_labels(content: Any) -> tuple[str, list[Label], list[str]]:
    """Read the body of ``POST /labels``: ``{"model", "labels": [...]}``, or a label with its ``model``.

    Returns:
        Model, labels, and why labels were refused, one text each.

    Raises:
        Refusal: it is no such body.
    """
    if not isinstance(content, dict):
        raise Refusal("expected an object with 'model' and 'labels', or a label with its 'model'")
    model = _text(content.get("model"), "model")
    if "labels" in content:
        _only(content, {"model", "labels"}, "the body")
        items = _items(content["labels"], "labels")
    else:
        items = [("the label", {key: value for key, value in content.items() if key != "model"})]
    found, refused = [], []
    for name, item in items:
        try:
            found.append(_label(name, item))
        except Refusal as refusal:
            refused.append(refusal.reason)
    return model, found, refused


def _record(name: str, item: Any) -> Record:
    if not isinstance(item, dict):
        raise Refusal(f"{name}: expected an object")
    _only(item, _RECORD_KEYS, name)
    score = _number(item.get("score"), f"{name}: score")
    if not 0 <= score <= 1:
        raise Refusal(f"{name}: expected 'score' from 0 to 1, got {score:g}")
    features = item.get("features", {})
    if not isinstance(features, dict):
        raise Refusal(f"{name}: expected 'features' to be an object")
    text = json.dumps(features, separators=(",", ":"))
    if len(text) > _LONGEST_FEATURES:
        raise Refusal(f"{name}: the features take more than {_LONGEST_FEATURES:,} characters", 413)
    return Record(
        _text(item.get("id"), f"{name}: id"), _moment(item.get("time"), f"{name}: time"), score, text
    )


def _label(name: str, item: Any) -> Label:
    if not isinstance(item, dict):
        raise Refusal(f"{name}: expected an object")
    _only(item, _LABEL_KEYS, name)
    label, intervened, propensity = item.get("label"), item.get("intervened", False), item.get("propensity")
    if isinstance(label, bool):
        label = int(label)
    if label is not None and (not isinstance(label, int) or label not in (0, 1)):
        raise Refusal(f"{name}: expected 'label' 0 or 1, got {_said(label)}")
    if not isinstance(intervened, bool):
        raise Refusal(f"{name}: expected 'intervened' true or false, got {_said(intervened)}")
    if propensity is not None:
        propensity = _number(propensity, f"{name}: propensity")
        if not 0 < propensity <= 1:
            raise Refusal(f"{name}: expected 'propensity' above 0 and at most 1, got {propensity:g}")
        if intervened:
            raise Refusal(
                f"{name}: 'propensity' of a row that was intervened in; send it only for rows of the audit "
                "slice, which were let through"
            )
    if label is None and not intervened and propensity is None:
        raise Refusal(f"{name}: expected 'label', 'intervened' or 'propensity'")
    time = None if item.get("time") is None else _moment(item["time"], f"{name}: time")
    return Label(_text(item.get("id"), f"{name}: id"), label, time, intervened, propensity)


def _items(value: Any, name: str) -> list[tuple[str, Any]]:
    if not isinstance(value, list) or not value:
        raise Refusal(f"expected a list of at least one in '{name}'")
    if len(value) > MAX_ITEMS:
        raise Refusal(f"{len(value):,} {name}; at most {MAX_ITEMS:,} are allowed", 413)
    return [(f"{name}[{number}]", item) for number, item in enumerate(value)]


def _only(item: dict[str, Any], allowed: set[str], name: str) -> None:
    unknown = sorted(item.keys() - allowed)
    if unknown:
        raise Refusal(f"{name}: unknown key {_said(unknown[0])}; allowed: {', '.join(sorted(allowed))}")


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_ID or not value.isprintable():
        raise Refusal(
            f"{name}: expected a text of 1 to {LONGEST_ID} printable characters, got {_said(value)}"
        )
    return value


def _number(value: Any, name: str) -> float:
    try:
        number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    except OverflowError:
        number = math.nan
    if not math.isfinite(number):
        raise Refusal(f"{name}: expected a finite number, got {_said(value)}")
    return number


def _moment(value: Any, name: str) -> float:
    try:
        seconds = parse_iso(value) if isinstance(value, str) else _number(value, name)
    except ValueError:
        raise Refusal(f"{name}: expected ISO 8601 or seconds since 1970, got {_said(value)}") from None
    if abs(seconds) > FURTHEST:
        raise Refusal(f"{name}: too far from now")
    return seconds


def _said(value: Any) -> str:
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
