"""Scores with a challenger what the champion has answered: beside the requests, and never in an answer."""

import threading
import time
from collections import deque
from dataclasses import dataclass

import numpy as np
import structlog
from prometheus_client import CollectorRegistry

from minorkey.errors import ContractError, StateError
from minorkey.serving.columns import Columns
from minorkey.serving.predictor import Prediction, Predictor
from minorkey.serving.records import Recorder
from minorkey.serving.shadow_metrics import ShadowMetrics

__all__ = ["ROOM_ROWS", "Shadow", "require_fit"]

#: Rows that wait at most; further ones are not scored in shadow, and counted as dropped.
ROOM_ROWS = 10_000
#: Requests go first: the shadow scores once none has come for so many seconds, or it has waited so long.
_QUIET, _PATIENCE = 0.002, 0.05
#: Seconds between two looks, and where there is no challenger. Each look takes the interpreter from the
#: requests for a moment, so no request wakes the thread.
_LOOK, _IDLE = 0.01, 0.25

_log = structlog.get_logger("minorkey.serving")


@dataclass(frozen=True)
class _Answered:
    """A request that the champion has answered."""

    challenger: Predictor
    champion: Predictor
    columns: Columns
    prediction: Prediction
    identity: str | None
    seconds: float | None


class Shadow(threading.Thread):
    """Holds the challenger and scores with it, one request after the other.

    A request leaves a reference behind and waits for nothing. Requests go first: what comes faster than the
    pauses between them allow, and than twenty a second, finds no room in the end. Whatever fails here is
    counted and logged.

    Args:
        registry: its counters are told with.
        room_rows: rows that wait at most.

    Attributes:
        challenger: what scores in shadow, None for nothing.
        recorder: what takes a record of every row, None for nobody.
    """

    def __init__(self, registry: CollectorRegistry, *, room_rows: int = ROOM_ROWS) -> None:
        super().__init__(name="shadow", daemon=True)
        self.metrics = ShadowMetrics(registry)
        self.challenger: Predictor | None = None
        self.recorder: Recorder | None = None
        self._room = room_rows
        self._waiting: deque[_Answered] = deque()
        self._lock, self._stopped = threading.Lock(), threading.Event()
        self._complaint, self._asked, self._scored = "", 0.0, 0.0

    def load(self, challenger: Predictor, champion: Predictor) -> None:
        """Warm a challenger, then score with it whatever the champion answers from now on."""
        challenger.warm()
        self.metrics.begin(challenger, champion.version)
        self.challenger = challenger
        self.metrics.announce(challenger)

    def unload(self) -> None:
        """Score nothing more."""
        self.challenger = None
        self.metrics.end()

    def beside(self, champion: Predictor) -> None:
        """Another champion is about to answer: decisions beside it begin at 0."""
        challenger = self.challenger
        if challenger is not None and challenger.version != champion.version:
            self.metrics.begin(challenger, champion.version)

    def offer(
        self,
        champion: Predictor,
        columns: Columns,
        prediction: Prediction,
        identity: str | None,
        seconds: float | None,
    ) -> None:
        """Take a request that was answered, if there is room.

        Args:
            champion: what answered.
            columns: the features.
            prediction: the answer.
            identity: of the request, None where nothing is recorded.
            seconds: that the champion took to score it, None where it did more than that.
        """
        challenger, rows = self.challenger, len(prediction.score)
        if challenger is None or challenger.version == champion.version:
            return
        self._asked = time.monotonic()
        with self._lock:
            taken = rows <= self._room
            if taken:
                self._room -= rows
                answered = _Answered(challenger, champion, columns, prediction, identity, seconds)
                self._waiting.append(answered)
        if not taken:
            self.metrics.missed(challenger, rows)

    def run(self) -> None:
        """Score what waits, until `stop`."""
        while not self._stopped.wait(_IDLE if self.challenger is None else _LOOK):
            while self._waiting and self._may_score() and not self._stopped.is_set():
                answered = self._waiting[0]
                self._score(answered)
                with self._lock:
                    self._waiting.popleft()
                    self._room += len(answered.prediction.score)

    def stop(self) -> None:
        """End; what still waits is counted as dropped."""
        self._stopped.set()
        if self.is_alive():
            self.join(5.0)
        for answered in self._waiting:
            self.metrics.missed(answered.challenger, len(answered.prediction.score))
        self._waiting.clear()

    def _may_score(self) -> bool:
        now = time.monotonic()
        may = now - self._asked >= _QUIET or now - self._scored >= _PATIENCE
        if may:
            self._scored = now
        return may

    def _score(self, answered: _Answered) -> None:
        challenger, champion, reason = answered.challenger, answered.champion, "unfit"
        try:
            require_fit(challenger, champion)
            reason = "failed"
            started = time.perf_counter()
            prediction = challenger.predict(answered.columns)
            seconds = time.perf_counter() - started
            if not np.isfinite(prediction.score).all():
                raise ContractError("a score is no number")
            self._count(answered, prediction, seconds)
        except Exception as error:  # nothing that a challenger does ends its thread
            self.metrics.failed(challenger, reason, len(answered.prediction.score))
            self._complain(challenger, error)

    def _count(self, answered: _Answered, prediction: Prediction, seconds: float) -> None:
        challenger, champion = answered.challenger, answered.champion.version
        self.metrics.scored(challenger, champion, answered.columns, answered.prediction, prediction)
        if answered.seconds is not None:
            self.metrics.took(challenger, "champion", answered.seconds)
            self.metrics.took(challenger, "challenger", seconds)
        if self.recorder is not None and answered.identity is not None:
            self.recorder.offer(challenger, answered.identity, {}, prediction, champion)

    def _complain(self, challenger: Predictor, error: Exception) -> None:
        if str(error) != self._complaint:
            self._complaint = str(error)
            _log.error("shadow_failed", version=challenger.version, error=str(error))


def require_fit(challenger: Predictor, champion: Predictor) -> None:
    """The champion's requests hold all that the challenger needs.

    Raises:
        StateError: a feature is absent, or means another kind of value.
    """
    if challenger.schema is champion.schema:
        return
    known = {feature.name: feature.kind for feature in champion.schema.features}
    strange = [
        feature.name for feature in challenger.schema.features if known.get(feature.name) != feature.kind
    ]
    if strange:
        raise StateError(
            f"version {challenger.version} cannot be in the shadow of version {champion.version}: requests "
            "do not hold what it needs",
            key=f"feature {', '.join(strange[:5])}",
            allowed="features of the version that serves, of the same kind",
            remedy="change the callers and the champion first, or tune a challenger on these features",
        )
