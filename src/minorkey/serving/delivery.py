"""Prediction records in bodies that the feedback service takes, and which of them are still to be sent."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import numpy as np

from minorkey.serving.columns import Columns
from minorkey.serving.predictor import Prediction, Predictor

__all__ = ["BATCH_ROWS", "Delivery", "Scored"]

#: Records of one body.
BATCH_ROWS = 500
#: Bytes of the records of one body, unless a single one is longer; the service takes 8 MiB.
_BATCH_BYTES = 2 * 2**20

_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


@dataclass(frozen=True)
class Scored:
    """The rows of one request, and what came of them.

    Attributes:
        predictor: what scored them.
        identity: of the request.
        time: when, seconds since 1970.
        columns: the features.
        prediction: what came of them.
        champion: the version that answered, "" where `predictor` did.
    """

    predictor: Predictor
    identity: str
    time: float
    columns: Columns
    prediction: Prediction
    champion: str

    @property
    def rows(self) -> int:
        """How many."""
        return len(self.prediction.score)


class Delivery:
    """Requests of one version on their way, each row until the service has taken or refused it.

    Args:
        requests: at least one, of one predictor and champion.

    Attributes:
        predictor: what scored the rows.
        left: rows that have neither been taken nor refused.
        refusal: what the service last said of rows that it refused.
    """

    def __init__(self, requests: list[Scored]) -> None:
        first = requests[0]
        self.requests, self.predictor = requests, first.predictor
        self.left, self.refusal = sum(scored.rows for scored in requests), ""
        about = {
            "model": first.predictor.model,
            "version": first.predictor.version,
            "threshold": first.predictor.threshold,
        } | ({"champion": first.champion} if first.champion else {})
        self._head = _JSON.encode(about)[:-1].encode() + b',"records":['
        self._uncut = _cut(record for scored in requests for record in _records(scored))
        self._pieces: list[list[bytes]] = []

    def body(self) -> bytes:
        """The next records to send, b"" where none are left; the same ones until they are done or halved."""
        if not self._pieces:
            self._pieces += islice(self._uncut, 1)
        return self._head + b",".join(self._pieces[-1]) + b"]}" if self._pieces else b""

    @property
    def records(self) -> int:
        """How many records the body holds."""
        return len(self._pieces[-1])

    def done(self) -> None:
        """The service has taken the body's records, or refused them for good."""
        self.left -= len(self._pieces.pop())

    def halve(self) -> None:
        """Send the first half of the body's records, and then the second."""
        piece = self._pieces.pop()
        middle = len(piece) // 2
        self._pieces += [piece[middle:], piece[:middle]]


def _cut(records: Iterable[bytes]) -> Iterator[list[bytes]]:
    piece: list[bytes] = []
    size = 0
    for record in records:
        if piece and (len(piece) == BATCH_ROWS or size + len(record) > _BATCH_BYTES):
            yield piece
            piece, size = [], 0
        piece.append(record)
        size += len(record)
    if piece:
        yield piece


def _records(scored: Scored) -> Iterator[bytes]:
    """The rows of one request as the feedback service takes them; times as ISO 8601, as in training data."""
    kinds = {feature.name: feature.kind for feature in scored.predictor.schema.features}
    columns = {name: (kinds[name], values.tolist()) for name, values in scored.columns.items()}
    scores = np.clip(scored.prediction.score, 0.0, 1.0).tolist()
    alone = len(scores) == 1
    for place, score in enumerate(scores):
        record = {
            "id": scored.identity if alone else f"{scored.identity}/{place}",
            "time": scored.time,
            "score": score,
            "features": {name: _value(values[place], kind) for name, (kind, values) in columns.items()},
        }
        yield _JSON.encode(record).encode()


def _value(value: Any, kind: str) -> Any:
    if value == "" or value != value:
        return None
    if kind == "datetime":
        return datetime.fromtimestamp(value, UTC).isoformat().replace("+00:00", "Z")
    return value
