"""Get, list in pages, and watch."""

import base64
import binascii
import itertools
import json
import time
from collections.abc import Callable, Iterator

from tests.kubernetes.fake.answers import Answer, ApiError, bad_request, expired, not_found
from tests.kubernetes.fake.faults import Fault, Faults
from tests.kubernetes.fake.kinds import Kind
from tests.kubernetes.fake.routes import Call
from tests.kubernetes.fake.selectors import Chosen, field_selector, label_selector
from tests.kubernetes.fake.store import Change, Store, Stored
from tests.kubernetes.fake.wire import Cut, Request

__all__ = ["Reader"]

#: Seconds that a watch lasts when the client names none.
_WATCH_SECONDS = 1_800
#: Seconds after which a waiting watch looks whether its client is still there.
_LOOK_UP_SECONDS = 0.5


class Reader:
    """Answers what only reads.

    Args:
        bookmark_seconds: how often a watch that allows it is told the current version.
    """

    def __init__(self, store: Store, faults: Faults, bookmark_seconds: float) -> None:
        self._store = store
        self._faults = faults
        self._bookmark_seconds = bookmark_seconds
        self._pages: dict[int, list[Stored]] = {}
        self._page_numbers = itertools.count(1)

    def get(self, call: Call) -> Answer:
        stored = self._store.get(call.kind, call.namespace, call.name)
        if stored is None:
            raise not_found(call.kind, call.name)
        return Answer(stored.whole())

    def page(self, call: Call, request: Request) -> Answer:
        """One page, or everything: consistent as of one version."""
        limit = int(request.query.get("limit") or 0)
        token = request.query.get("continue", "")
        with self._store.lock:
            version = self._store.version
            if token:
                version, found = self._continued(call.kind, token)
            else:
                found = self._chosen(call, request)
        rest: list[Stored] = []
        if limit and len(found) > limit:
            found, rest = found[:limit], found[limit:]
        metadata: dict[str, object] = {"resourceVersion": str(version)}
        if rest:
            metadata["continue"] = self._keep(version, rest)
            if not {"labelSelector", "fieldSelector"} & set(request.query):
                metadata["remainingItemCount"] = len(rest)
        head = {"kind": f"{call.kind.name}List", "apiVersion": call.kind.api_version, "metadata": metadata}
        body = json.dumps(head).encode()[:-1] + b',"items":['
        return Answer(body + b",".join(stored.item() for stored in found) + b"]}")

    def _chosen(self, call: Call, request: Request) -> list[Stored]:
        chosen = _chooser(call.kind, request)
        found = self._store.all(call.kind, call.namespace)
        return [stored for stored in found if chosen is None or chosen(stored.content)]

    def _keep(self, version: int, rest: list[Stored]) -> str:
        number = next(self._page_numbers)
        self._pages[number] = rest
        if len(self._pages) > 64:
            self._pages.pop(min(self._pages))
        return base64.urlsafe_b64encode(json.dumps({"rv": version, "page": number}).encode()).decode()

    def _continued(self, kind: Kind, token: str) -> tuple[int, list[Stored]]:
        try:
            told = json.loads(base64.urlsafe_b64decode(token))
            version, number = int(told["rv"]), int(told["page"])
        except (binascii.Error, ValueError, LookupError, TypeError) as error:
            raise bad_request("continue key is not valid") from error
        if self._store.too_old(kind, version) or number not in self._pages:
            raise expired(
                "The provided continue parameter is too old to display a consistent list result. You must "
                "start a new list without the continue parameter."
            )
        return version, self._pages[number]

    def watch(self, call: Call, request: Request) -> Answer:
        """Events one a line, from the version that was asked for or from the current state."""
        asked = request.query.get("resourceVersion", "")
        if asked and not asked.isdigit():
            raise bad_request(f'invalid resource version "{asked}"')
        chosen = _chooser(call.kind, request)
        with self._store.lock:
            after = int(asked or 0)
            first: list[bytes] = []
            if not after:
                after = self._store.version
                first = [_line("ADDED", stored) for stored in self._chosen(call, request)]
        return Answer(lines=self._events(call, request, chosen, after, first))

    def _events(
        self, call: Call, request: Request, chosen: Chosen | None, after: int, first: list[bytes]
    ) -> Iterator[bytes]:
        until = time.monotonic() + float(request.query.get("timeoutSeconds") or _WATCH_SECONDS)
        bookmarks = request.query.get("allowWatchBookmarks", "").lower() in ("true", "1")
        bookmark_at = time.monotonic() + self._bookmark_seconds
        yield from first
        while not self._store.closed and not request.gone():
            oldest = self._store.too_old(call.kind, after)
            if oldest:
                yield _error(expired(f"too old resource version: {after} ({oldest})"))
                return
            now = time.monotonic()
            wait = max(0.0, min(until - now, bookmark_at - now, _LOOK_UP_SECONDS))
            with self._store.lock:
                current = self._store.version
                changes = self._store.changes(call.kind, after, wait)
            for change in changes:
                after = change.version
                line = _seen(change, call.namespace, chosen)
                if line:
                    yield from self._spoiled(call, line)
                    yield line
            after = max(after, current) if not changes else after
            ending = time.monotonic() >= until
            if bookmarks and (ending or time.monotonic() >= bookmark_at):
                bookmark_at = time.monotonic() + self._bookmark_seconds
                yield _bookmark(call.kind, after)
            if ending:
                return

    def _spoiled(self, call: Call, line: bytes) -> Iterator[bytes]:
        planned = self._faults.pick("watch", call.resource, in_watch=True)
        if planned is None:
            return
        if planned.fault is Fault.WATCH_EXPIRED:
            yield _error(expired("too old resource version"))
        else:
            yield line[: len(line) // 2]
        raise Cut


def _chooser(kind: Kind, request: Request) -> Chosen | None:
    tests: list[Callable[[dict], bool]] = [
        test
        for test in (
            label_selector(request.query.get("labelSelector", "")),
            field_selector(kind, request.query.get("fieldSelector", "")),
        )
        if test is not None
    ]
    if not tests:
        return None
    return lambda obj: all(test(obj) for test in tests)


def _seen(change: Change, namespace: str, chosen: Chosen | None) -> bytes | None:
    """How a watch with selectors sees a change: what stops being chosen is deleted to it."""
    content = change.stored.content
    if namespace and content["metadata"].get("namespace") != namespace:
        return None
    now = change.type != "DELETED" and (chosen is None or chosen(content))
    before = change.previous is not None and (chosen is None or chosen(change.previous))
    if not now and not before:
        return None
    return _line("MODIFIED" if now and before else "ADDED" if now else "DELETED", change.stored)


def _line(event: str, stored: Stored) -> bytes:
    return b'{"type":"%b","object":%b}\n' % (event.encode(), stored.whole())


def _bookmark(kind: Kind, version: int) -> bytes:
    content = {
        "kind": kind.name,
        "apiVersion": kind.api_version,
        "metadata": {"resourceVersion": str(version), "creationTimestamp": None},
        "spec": {},
        "status": {},
    }
    return json.dumps({"type": "BOOKMARK", "object": content}).encode() + b"\n"


def _error(error: ApiError) -> bytes:
    return json.dumps({"type": "ERROR", "object": error.body()}).encode() + b"\n"
