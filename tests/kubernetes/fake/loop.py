"""One thread that runs what controllers have to do, now or later, on a clock that tests can advance."""

import heapq
import itertools
import threading
import time
import traceback
from collections.abc import Callable, Hashable
from datetime import UTC, datetime

__all__ = ["Clock", "Loop", "timestamp"]


class Clock:
    """Seconds since the epoch, plus what was skipped."""

    def __init__(self) -> None:
        self._skipped = 0.0

    def now(self) -> float:
        return time.time() + self._skipped

    def advance(self, seconds: float) -> None:
        self._skipped += seconds


def timestamp(seconds: float) -> str:
    """As the API writes times: UTC, whole seconds."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Loop:
    """Runs functions in the order in which they are due, one at a time.

    Attributes:
        failures: tracebacks of functions that raised: a defect of the fake.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.failures: list[str] = []
        self._due: list[tuple[float, int, Hashable, Callable[[], None]]] = []
        self._asked: set[Hashable] = set()
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._open = True
        self._thread = threading.Thread(target=self._run, name="controllers", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def soon(self, key: Hashable, function: Callable[[], None]) -> None:
        """Run a function as soon as possible; once, if the same key is asked for again meanwhile."""
        with self._changed:
            if key in self._asked:
                return
            self._asked.add(key)
            heapq.heappush(self._due, (0.0, next(self._order), key, function))
            self._changed.notify()

    def after(self, seconds: float, function: Callable[[], None]) -> None:
        """Run a function when so many seconds of the cluster's clock have passed."""
        with self._changed:
            heapq.heappush(self._due, (self.clock.now() + seconds, next(self._order), None, function))
            self._changed.notify()

    def advance(self, seconds: float) -> None:
        """Skip time: what is due by then runs now."""
        with self._changed:
            self.clock.advance(seconds)
            self._changed.notify()

    def close(self) -> None:
        with self._changed:
            self._open = False
            self._changed.notify()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while True:
            function = self._next()
            if function is None:
                return
            try:
                function()
            except Exception:
                self.failures.append(traceback.format_exc())

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            while self._open:
                wait = self._due[0][0] - self.clock.now() if self._due else None
                if wait is not None and wait <= 0:
                    _, _, key, function = heapq.heappop(self._due)
                    self._asked.discard(key)
                    return function
                self._changed.wait(wait)
            return None
