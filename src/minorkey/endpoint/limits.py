"""How much a service takes: bytes of a body, requests a second, requests and connections at a time."""

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from starlette.requests import ClientDisconnect, Request

from minorkey.serving.refusal import Refusal

__all__ = ["Admission", "Connections", "read_body"]


class Admission:
    """Lets requests in while there is room; the others are to come again (503).

    Alertmanager repeats a delivery after 5xx only, so 429 would lose it.

    Args:
        at_once: requests at a time.
        a_second: requests a second on average.
        burst: requests that may come faster than that.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        *,
        at_once: int,
        a_second: float,
        burst: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._room, self._rate, self._burst, self._clock = at_once, a_second, burst, clock
        self._tokens, self._filled = float(burst), clock()

    @contextmanager
    def admitted(self) -> Iterator[None]:
        """One request, from its arrival to its answer.

        Raises:
            Refusal: status 503.
        """
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._filled) * self._rate)
        self._filled = now
        if self._room < 1 or self._tokens < 1:
            raise Refusal("too many requests at a time; send it again in a moment", 503)
        self._tokens -= 1
        self._room -= 1
        try:
            yield
        finally:
            self._room += 1


class Connections:
    """Lets requests in while no more connections are open than a server should have (else 503).

    The server's own limit would answer before the application, which then could not count what it refuses.

    Args:
        most: connections at a time.

    Attributes:
        opened: those that are open now, as the server keeps them.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.opened: Collection[object] = ()

    def require_room(self) -> None:
        """Refuse a request where there are too many.

        Raises:
            Refusal: status 503.
        """
        if len(self.opened) > self._most:
            raise Refusal(f"more than {self._most:,} connections at once; send it again in a moment", 503)


async def read_body(request: Request, limit: int) -> bytes:
    """The body of a request.

    Raises:
        Refusal: it is compressed, longer than `limit` bytes, or broke off.
    """
    if request.headers.get("content-encoding", "identity") != "identity":
        raise Refusal("compressed bodies are not accepted", 415)
    too_large = Refusal(f"the body is larger than {limit:,} bytes", 413)
    told = request.headers.get("content-length", "0")
    if not told.isdecimal() or int(told) > limit:
        raise too_large
    chunks, size = [], 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                raise too_large
            chunks.append(chunk)
    except ClientDisconnect:
        raise Refusal("the request broke off") from None
    return b"".join(chunks)
