"""Hands prediction records to the feedback service: beside the requests, from a buffer that has an end."""

import threading
import time
import uuid
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import httpx
import numpy as np
import structlog

from minorkey.secret_file import read_secret
from minorkey.serving.columns import Columns
from minorkey.serving.predictor import Prediction, Predictor
from minorkey.settings import settings

__all__ = ["Recorder", "recorder_of_settings", "request_id"]

#: Rows that wait at most; further ones are dropped and counted.
BUFFER_ROWS = 100_000
_BATCH_ROWS = 500
_LONGEST_PAUSE, _FIRST_PAUSE, _LAST_SECONDS = 30.0, 0.25, 5.0
_LONGEST_ID = 180

_log = structlog.get_logger("minorkey.serving")


@dataclass(frozen=True)
class _Scored:
    predictor: Predictor
    identity: str
    time: float
    columns: Columns
    prediction: Prediction
    champion: str


class Drops(Protocol):
    """Counts records that are lost."""

    def dropped(self, predictor: Predictor, rows: int) -> None:
        """Count prediction records that were lost."""
        ...


class Recorder(threading.Thread):
    """Sends what was scored to a feedback service.

    A request leaves a reference behind and waits for nothing. While the service is away records wait; when
    the buffer is full they are dropped, and so are those that the service refuses.

    Args:
        url: of the feedback service.
        token: that it asks for.
        metrics: where drops are counted.
        buffer_rows: rows that wait at most.
    """

    def __init__(self, url: str, token: str, metrics: Drops, *, buffer_rows: int = BUFFER_ROWS) -> None:
        super().__init__(name="recorder", daemon=True)
        self._url, self._metrics, self._room = url.rstrip("/"), metrics, buffer_rows
        self._client = httpx.Client(
            headers={"authorization": f"Bearer {token}"}, timeout=10.0, trust_env=False
        )
        self._waiting: deque[_Scored] = deque()
        self._lock, self._came, self._stopped = threading.Lock(), threading.Event(), threading.Event()
        self._complaint = ""

    def offer(
        self,
        predictor: Predictor,
        identity: str,
        columns: Columns,
        prediction: Prediction,
        champion: str = "",
    ) -> None:
        """Take the rows of one request, if there is room.

        Args:
            predictor: what scored them.
            identity: of the request. A request of one row names the row so, one of n rows adds ``/0``,
                ``/1`` and so on.
            columns: the features.
            prediction: what came of them.
            champion: the version that answered, where these rows were scored in shadow.
        """
        rows = len(prediction.score)
        with self._lock:
            taken = rows <= self._room
            if taken:
                self._room -= rows
                scored = _Scored(predictor, identity, time.time(), columns, prediction, champion)
                self._waiting.append(scored)
        if taken:
            self._came.set()
        else:
            self._metrics.dropped(predictor, rows)

    def run(self) -> None:
        """Send, wait, send again, until `stop` and a last try."""
        pause = _FIRST_PAUSE
        while not self._stopped.is_set():
            self._came.wait(1.0)
            self._came.clear()
            while self._waiting and not self._stopped.is_set():
                if self._send_first():
                    pause = _FIRST_PAUSE
                else:
                    self._stopped.wait(pause)
                    pause = min(_LONGEST_PAUSE, 2 * pause)

    def stop(self) -> None:
        """End, and send what still waits if the service takes it at once; the rest is counted as dropped."""
        self._stopped.set()
        self._came.set()
        if self.is_alive():
            self.join(_LAST_SECONDS)
        deadline = time.monotonic() + _LAST_SECONDS
        while self._waiting and not self.is_alive() and time.monotonic() < deadline and self._send_first():
            pass
        for scored in self._waiting:
            self._metrics.dropped(scored.predictor, len(scored.prediction.score))
        self._client.close()

    def _send_first(self) -> bool:
        """Send the oldest requests of one version; False where the service is away and they have to wait."""
        batch = self._oldest()
        predictor, champion = batch[0].predictor, batch[0].champion
        try:
            records = [record for scored in batch for record in _records(scored)]
            for start in range(0, len(records), _BATCH_ROWS):
                self._post(predictor, champion, records[start : start + _BATCH_ROWS])
        except (httpx.HTTPError, _Away) as error:
            self._complain(str(error) or type(error).__name__)
            return False
        except Exception as error:  # a row that cannot be sent must not stop those behind it
            self._complain(repr(error))
            self._metrics.dropped(predictor, sum(len(scored.prediction.score) for scored in batch))
        with self._lock:
            for _ in batch:
                self._room += len(self._waiting.popleft().prediction.score)
        return True

    def _oldest(self) -> list[_Scored]:
        with self._lock:
            batch, rows = [self._waiting[0]], len(self._waiting[0].prediction.score)
            for scored in list(self._waiting)[1:_BATCH_ROWS]:
                rows += len(scored.prediction.score)
                same = scored.predictor is batch[0].predictor and scored.champion == batch[0].champion
                if not same or rows > _BATCH_ROWS:
                    break
                batch.append(scored)
        return batch

    def _post(self, predictor: Predictor, champion: str, records: list[dict[str, Any]]) -> None:
        body = {
            "model": predictor.model,
            "version": predictor.version,
            "threshold": predictor.threshold,
            "records": records,
        } | ({"champion": champion} if champion else {})
        answer = self._client.post(f"{self._url}/predictions", json=body)
        if answer.status_code >= 500 or answer.status_code in (401, 403, 429):
            # A token may be about to be replaced; what is refused for itself will be refused again.
            raise _Away(f"{answer.status_code}: {answer.text[:200]}")
        if answer.status_code >= 400:
            self._complain(f"records refused: {answer.text[:200]}")
            self._metrics.dropped(predictor, len(records))
        else:
            self._complaint = ""

    def _complain(self, complaint: str) -> None:
        if complaint != self._complaint:
            self._complaint = complaint
            _log.error("records_not_taken", url=self._url, error=complaint)


class _Away(Exception):
    """The service cannot take anything now."""


def request_id(given: str | None) -> str:
    """The id of a request: the client's own where it can be one, else a new one."""
    if given and len(given) <= _LONGEST_ID and given.isprintable():
        return given
    return uuid.uuid4().hex


def recorder_of_settings(metrics: Drops) -> Recorder | None:
    """The recorder that the settings ask for, None where they name no feedback service.

    Raises:
        StateError: the token's file cannot be read.
    """
    known = settings()
    if not known.feedback_url:
        return None
    token = known.feedback_token
    if known.feedback_token_file:
        token = read_secret(
            Path(known.feedback_token_file),
            "the feedback service's token",
            key="MINORKEY_FEEDBACK_TOKEN_FILE",
        )
    return Recorder(known.feedback_url, token, metrics)


def _records(scored: _Scored) -> list[dict[str, Any]]:
    """The rows of one request as the feedback service takes them; times as ISO 8601, as in training data."""
    kinds = {feature.name: feature.kind for feature in scored.predictor.schema.features}
    columns = {
        name: [_value(value, kinds[name]) for value in values.tolist()]
        for name, values in scored.columns.items()
    }
    scores = np.clip(scored.prediction.score, 0.0, 1.0).tolist()
    alone = len(scores) == 1
    return [
        {
            "id": scored.identity if alone else f"{scored.identity}/{place}",
            "time": scored.time,
            "score": score,
            "features": {name: values[place] for name, values in columns.items()},
        }
        for place, score in enumerate(scores)
    ]


def _value(value: Any, kind: str) -> Any:
    if value == "" or value != value:
        return None
    if kind == "datetime":
        return datetime.fromtimestamp(value, UTC).isoformat().replace("+00:00", "Z")
    return value
