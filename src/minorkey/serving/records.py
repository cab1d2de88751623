"""Hands prediction records to the feedback service: beside the requests, from a buffer that has an end."""

import threading
import time
import uuid
from collections import deque
from pathlib import Path
from typing import Protocol

import httpx
import structlog

from minorkey.secret_file import read_secret
from minorkey.serving.columns import Columns
from minorkey.serving.delivery import BATCH_ROWS, Delivery, Scored
from minorkey.serving.predictor import Prediction, Predictor
from minorkey.settings import settings

__all__ = ["Recorder", "recorder_of_settings", "request_id"]

#: Rows that wait at most; further ones are dropped and counted.
BUFFER_ROWS = 100_000
#: Statuses by which the service may refuse a body because of a single record in it.
_OF_RECORDS = (400, 413, 422)
#: A token may be about to be replaced, and room to be made; what is refused for itself is refused again.
_FOR_NOW = (401, 403, 429)
_LONGEST_PAUSE, _FIRST_PAUSE, _LAST_SECONDS = 30.0, 0.25, 5.0
_LONGEST_ID = 180

_log = structlog.get_logger("minorkey.serving")


class Drops(Protocol):
    """Counts records that are lost."""

    def dropped(self, predictor: Predictor, rows: int) -> None:
        """Count prediction records that were lost."""
        ...


class Recorder(threading.Thread):
    """Sends what was scored to a feedback service.

    A request leaves a reference behind and waits for nothing. While the service is away records wait; when
    the buffer is full they are dropped, and so are those that the service refuses. What it refuses together
    is sent again by halves, so that a record which does not fit takes no other with it.

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
            headers={"authorization": f"Bearer {token}", "content-type": "application/json"},
            timeout=10.0,
            trust_env=False,
        )
        self._waiting: deque[Scored] = deque()
        self._delivery: Delivery | None = None
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
                scored = Scored(predictor, identity, time.time(), columns, prediction, champion)
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
        waiting, delivery = list(self._waiting), self._delivery
        if delivery is not None:
            self._metrics.dropped(delivery.predictor, delivery.left)
            waiting = waiting[len(delivery.requests) :]
        for scored in waiting:
            self._metrics.dropped(scored.predictor, scored.rows)
        self._client.close()

    def _send_first(self) -> bool:
        """Send the oldest requests of one version; False where the service is away and they have to wait."""
        delivery = self._delivery = self._delivery or Delivery(self._oldest())
        try:
            while body := delivery.body():
                self._post(delivery, body)
        except (httpx.HTTPError, _Away) as error:
            self._complain(str(error) or type(error).__name__)
            return False
        except Exception as error:  # a row that cannot be sent must not stop those behind it
            delivery.refusal = repr(error)
            self._metrics.dropped(delivery.predictor, delivery.left)
        self._complain(delivery.refusal)
        with self._lock:
            for _ in delivery.requests:
                self._room += self._waiting.popleft().rows
        self._delivery = None
        return True

    def _oldest(self) -> list[Scored]:
        with self._lock:
            batch, rows = [self._waiting[0]], self._waiting[0].rows
            for scored in list(self._waiting)[1:BATCH_ROWS]:
                rows += scored.rows
                same = scored.predictor is batch[0].predictor and scored.champion == batch[0].champion
                if not same or rows > BATCH_ROWS:
                    break
                batch.append(scored)
        return batch

    def _post(self, delivery: Delivery, body: bytes) -> None:
        answer = self._client.post(f"{self._url}/predictions", content=body)
        status, told = answer.status_code, answer.text[:200]
        if status >= 500 or status in _FOR_NOW:
            raise _Away(f"{status}: {told}")
        if status in _OF_RECORDS and delivery.records > 1:
            delivery.halve()
            return
        if status >= 400:
            delivery.refusal = f"records refused: {told}"
            self._metrics.dropped(delivery.predictor, delivery.records)
        delivery.done()

    def _complain(self, complaint: str) -> None:
        if complaint and complaint != self._complaint:
            _log.error("records_not_taken", url=self._url, error=complaint)
        self._complaint = complaint


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
