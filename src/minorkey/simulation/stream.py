"""Streams a data set to a predictor at a steady rate, and its labels to a feedback service in time."""

import asyncio
import heapq
import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np

from minorkey.data.dataset import Dataset
from minorkey.errors import DataError, StateError
from minorkey.simulation.answers import AnswerError, read_answer, score_output
from minorkey.simulation.course import Course
from minorkey.simulation.drifts import Block, drawn, standardised
from minorkey.simulation.labels import LabelPlan
from minorkey.simulation.options import require_number
from minorkey.simulation.requests import body, spoilt

__all__ = ["Sent", "Tally", "Traffic", "stream"]

_AT_ONCE = 32
#: A drift redraws rows within blocks: this many rows at most, a twentieth of the stream, or a request.
_BLOCK_ROWS = 500
_TICK_SECONDS = 0.2
_LABELS_AT_ONCE = 1_000
_TIMEOUT_SECONDS = 10.0
#: A feedback service that is away for longer is tried once for each delivery of labels.
_PATIENCE_SECONDS = 30.0
_LONGEST_PAUSE = 5.0
#: Statuses that pass: the service is too busy or its database is away.
_PASSING = (429, 502, 503, 504)
_SLOWEST = 0.001
#: Beyond it exp(strength) of the odds is the same to every row.
_STRONGEST = 20.0


@dataclass(frozen=True)
class Traffic:
    """What is streamed, where and how.

    Attributes:
        url: of the predictor (Open Inference Protocol, version 2).
        model: the name that it serves.
        rows: how many rows go out; the data set begins anew when it ends.
        rate: rows a second.
        batch: rows a request.
        drift: one of `minorkey.simulation.drifts.DRIFTS`.
        feature: that covariate and concept drift go by.
        strength: how far the drift goes at full intensity.
        course: its intensity over the stream.
        missing: share of the cells that are emptied.
        malformed: share of the requests that are spoilt, beside the others.
        labels: when which label comes.
        feedback: of the feedback service; "": labels go nowhere.
        token: that the feedback service asks for.
        seed: seed of everything random.
        threshold: of the scores, where the predictor tells none.
    """

    url: str
    model: str
    rows: int
    rate: float
    batch: int = 1
    drift: str = "none"
    feature: str = ""
    strength: float = 1.0
    course: Course = field(default_factory=lambda: Course("abrupt"))
    missing: float = 0.0
    malformed: float = 0.0
    labels: LabelPlan = field(default_factory=LabelPlan)
    feedback: str = ""
    token: str = ""
    seed: int = 0
    threshold: float = 0.5

    def __post_init__(self) -> None:
        require_number("--rows", self.rows, 1)
        require_number("--rate", self.rate, _SLOWEST, unit="rows a second")
        require_number("--batch", self.batch, 1, unit="rows a request")
        require_number("--strength", self.strength, 0, _STRONGEST)
        require_number("--missing", self.missing, 0, 1)
        require_number("--malformed", self.malformed, 0, 1)
        require_number("--seed", self.seed, 0)
        require_number("--threshold", self.threshold)


@dataclass(frozen=True)
class Sent:
    """A row that was answered: id, row of the data, when, true label, score, call, version, intensity."""

    id: str
    row: int
    time: float
    label: int
    score: float
    predicted: int
    version: str
    intensity: float


@dataclass
class Tally:
    """What became of the stream.

    Attributes:
        rows: the rows that were answered, in the order of the answers.
        failed: requests without a good answer, by what came instead.
        refused: spoilt requests that were refused, as they should be.
        accepted: spoilt requests that were answered as if they were whole.
        labels: labels that the feedback service took.
        labels_failed: labels that it did not take, by what came instead.
        seconds: latency of each answered request.
    """

    rows: list[Sent] = field(default_factory=list)
    failed: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    accepted: int = 0
    labels: int = 0
    labels_failed: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)


def stream(
    data: Dataset,
    traffic: Traffic,
    *,
    watch: Callable[[Tally, float], None] = lambda tally, progress: None,
    enough: Callable[[], bool] = lambda: False,
) -> Tally:
    """Send the rows, and wait until the last label is out.

    Args:
        data: the rows in the order in which they go out.
        traffic: what is streamed, where and how.
        watch: called about once a second with the tally so far and the share of the rows that went out.
        enough: asked before each request; once it says so, no further row goes out.

    Raises:
        StateError: the predictor does not answer, or serves no such model.
        DataError: the data lack a feature that it asks for.
    """
    return asyncio.run(_Streaming(data, traffic, watch, enough).run())


class _Streaming:
    def __init__(
        self,
        data: Dataset,
        traffic: Traffic,
        watch: Callable[[Tally, float], None],
        enough: Callable[[], bool],
    ) -> None:
        self._data, self._traffic, self._watch, self._enough = data, traffic, watch, enough
        self._random = np.random.default_rng(traffic.seed)
        self._tally, self._sending = Tally(), True
        self._z = standardised(data, traffic.feature)
        #: Labels by when they are due; the number keeps equal times apart.
        self._due: list[tuple[float, int, dict[str, Any]]] = []
        self._number = itertools.count()
        self._prefix = f"sim-{time.time_ns():x}"
        self._output = ""
        self._away_since: float | None = None

    async def run(self) -> Tally:
        traffic = self._traffic
        headers = {"authorization": f"Bearer {traffic.token}"} if traffic.token else {}
        limits = httpx.Limits(max_connections=_AT_ONCE)
        async with (
            httpx.AsyncClient(
                base_url=traffic.url, timeout=_TIMEOUT_SECONDS, limits=limits, trust_env=False
            ) as predictor,
            httpx.AsyncClient(
                base_url=traffic.feedback, timeout=_TIMEOUT_SECONDS, headers=headers, trust_env=False
            ) as feedback,
        ):
            names = await self._features(predictor)
            labels = asyncio.create_task(self._send_labels(feedback))
            try:
                await self._send_rows(predictor, names)
            finally:
                self._sending = False
                await labels
        self._watch(self._tally, 1.0)
        return self._tally

    async def _features(self, predictor: httpx.AsyncClient) -> list[str]:
        try:
            told = (await predictor.get(f"/v2/models/{self._traffic.model}")).raise_for_status().json()
        except httpx.HTTPStatusError as error:
            raise StateError(
                "the predictor does not serve this model",
                key="--model",
                value=f"{self._traffic.model}: {error.response.status_code}",
                remedy="name the model as GET /v2/models/NAME knows it",
            ) from None
        except (httpx.HTTPError, ValueError) as error:
            raise StateError(
                f"the predictor does not answer: {error}",
                key="--url",
                value=self._traffic.url,
                remedy="start it (`minorkey serve`), or correct the address",
            ) from None
        try:
            names = [one["name"] for one in told["inputs"]]
            output = score_output(told.get("outputs", []))
        except (KeyError, TypeError, AttributeError):
            raise StateError(
                "the predictor does not tell which inputs the model takes",
                key="--url",
                value=self._traffic.url,
                allowed="model metadata of the Open Inference Protocol, version 2",
            ) from None
        self._output = "" if output is None else str(output.get("name", ""))
        absent = [name for name in names if name not in self._data.schema.names()]
        if absent:
            raise DataError(
                "the data lack features that the model asks for",
                key="--data",
                value=", ".join(absent),
                allowed=", ".join(names),
                remedy="add the columns; --keep-column restores what was left out",
            )
        return names

    async def _send_rows(self, predictor: httpx.AsyncClient, names: list[str]) -> None:
        traffic, room = self._traffic, asyncio.Semaphore(_AT_ONCE)
        running: set[asyncio.Task[None]] = set()
        begun, told = time.monotonic(), 0.0
        for first, part, intensity in self._parts():
            if self._enough():
                break
            await asyncio.sleep(max(0.0, begun + first / traffic.rate - time.monotonic()))
            await room.acquire()
            task = asyncio.create_task(self._send(predictor, names, first, part, intensity))
            running.add(task)
            task.add_done_callback(running.discard)
            task.add_done_callback(lambda _: room.release())
            if time.monotonic() - told >= 1.0:
                told = time.monotonic()
                self._watch(self._tally, first / traffic.rows)
        await asyncio.gather(*running)

    def _parts(self) -> Iterator[tuple[int, Block, float]]:
        """The requests: number of the first row, the rows, and the drift's intensity."""
        traffic = self._traffic
        size = max(traffic.batch, min(_BLOCK_ROWS, traffic.rows // 20))
        for begin in range(0, traffic.rows, size):
            intensity = traffic.course.intensity(begin / traffic.rows)
            rows = np.arange(begin, min(begin + size, traffic.rows)) % len(self._data)
            amount = intensity * traffic.strength
            block = drawn(self._data.y, rows, traffic.drift, self._z, amount, self._random)
            for place in range(0, len(rows), traffic.batch):
                chosen = slice(place, place + traffic.batch)
                yield begin + place, Block(block.rows[chosen], block.y[chosen]), intensity

    async def _send(
        self, predictor: httpx.AsyncClient, names: list[str], first: int, block: Block, intensity: float
    ) -> None:
        """Send a request; whatever comes of it is counted, for nobody else would hear of it."""
        try:
            await self._ask(predictor, names, first, block, intensity)
        except httpx.HTTPStatusError as error:
            self._failed(str(error.response.status_code))
        except AnswerError as error:
            self._failed(str(error))
        except Exception as error:
            self._failed(type(error).__name__)

    async def _ask(
        self, predictor: httpx.AsyncClient, names: list[str], first: int, block: Block, intensity: float
    ) -> None:
        traffic, random, count = self._traffic, self._random, len(block.rows)
        identity = f"{self._prefix}-{first}"
        asked = body(self._data, block.rows, names, identity, traffic.missing, random, self._output)
        path = f"/v2/models/{traffic.model}/infer"
        if random.random() < traffic.malformed:
            await self._send_spoilt(predictor, path, spoilt(asked, random))
        started = time.perf_counter()
        content = (await predictor.post(path, json=asked)).raise_for_status().json()
        seconds = time.perf_counter() - started
        answer = read_answer(content, count, traffic.threshold)
        self._tally.seconds.append(seconds)
        answered = zip(block.rows.tolist(), block.y.tolist(), answer.scores.tolist(), strict=True)
        for place, (row, label, score) in enumerate(answered):
            name = identity if count == 1 else f"{identity}/{place}"
            called = int(score >= answer.threshold)
            self._tally.rows.append(
                Sent(name, row, time.time(), label, score, called, answer.version, intensity)
            )
            if traffic.feedback and (planned := traffic.labels.label(name, label, called, random)):
                after, told = planned
                heapq.heappush(self._due, (time.monotonic() + after, next(self._number), told))

    async def _send_spoilt(self, predictor: httpx.AsyncClient, path: str, asked: dict[str, Any]) -> None:
        try:
            status = (await predictor.post(path, json=asked)).status_code
        except httpx.HTTPError as error:
            return self._failed(type(error).__name__)
        if status == 400:
            self._tally.refused += 1
        elif status < 300:
            self._tally.accepted += 1
        else:
            self._failed(str(status))
        return None

    def _failed(self, what: str) -> None:
        self._tally.failed[what] += 1

    async def _send_labels(self, feedback: httpx.AsyncClient) -> None:
        while self._sending or self._due:
            now = time.monotonic()
            ready: list[dict[str, Any]] = []
            while self._due and self._due[0][0] <= now and len(ready) < _LABELS_AT_ONCE:
                ready.append(heapq.heappop(self._due)[2])
            if not ready:
                await asyncio.sleep(_TICK_SECONDS)
                continue
            cause = await self._delivered(feedback, ready)
            if cause:
                self._tally.labels_failed[cause] += len(ready)
            else:
                self._tally.labels += len(ready)

    async def _delivered(self, feedback: httpx.AsyncClient, labels: list[dict[str, Any]]) -> str:
        """Deliver labels, again and again while the service may come back.

        Returns:
            What came instead of a receipt, "" once they are taken.
        """
        pause = _TICK_SECONDS
        while True:
            cause, passing = await self._posted(feedback, labels)
            if not passing:
                self._away_since = None
                return cause
            now = time.monotonic()
            self._away_since = now if self._away_since is None else self._away_since
            if now + pause > self._away_since + _PATIENCE_SECONDS:
                return cause
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _posted(self, feedback: httpx.AsyncClient, labels: list[dict[str, Any]]) -> tuple[str, bool]:
        """What came instead of a receipt, "" if one came; and whether another try may help."""
        try:
            reply = await feedback.post("/labels", json={"model": self._traffic.model, "labels": labels})
        except httpx.HTTPError as error:
            return type(error).__name__, not isinstance(error, httpx.UnsupportedProtocol)
        if reply.is_success:
            return "", False
        return f"{reply.status_code} {reply.reason_phrase}".strip(), reply.status_code in _PASSING
