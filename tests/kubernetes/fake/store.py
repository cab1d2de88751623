"""The objects, their versions and the history that watches read."""

import json
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.kubernetes.fake.kinds import Kind

__all__ = ["Change", "Store", "Stored"]

Listener = Callable[[str, Kind, dict, dict | None], None]


class Stored:
    """One version of an object. Its content is never changed, so its JSON is made once."""

    __slots__ = ("_raw", "content", "kind", "version")

    def __init__(self, kind: Kind, content: dict, version: int) -> None:
        self.kind = kind
        self.content = content
        self.version = version
        self._raw: bytes | None = None

    def item(self) -> bytes:
        """JSON as in a list: without kind and apiVersion."""
        if self._raw is None:
            self._raw = json.dumps(self.content, separators=(",", ":")).encode()
        return self._raw

    def whole(self) -> bytes:
        """JSON with kind and apiVersion."""
        head = f'{{"kind":"{self.kind.name}","apiVersion":"{self.kind.api_version}",'
        return head.encode() + self.item()[1:]


@dataclass(frozen=True)
class Change:
    """One entry of the history: ADDED, MODIFIED or DELETED."""

    version: int
    type: str
    stored: Stored
    previous: dict | None


class Store:
    """Objects by kind, namespace and name. Every method is called with `lock` held or takes it."""

    def __init__(self, history: int = 100_000) -> None:
        self.lock = threading.RLock()
        # As after a compaction: nobody can resume from before the beginning.
        self.version = 1_000
        self.closed = False
        self._history = history
        self._objects: dict[Kind, dict[tuple[str, str], Stored]] = defaultdict(dict)
        self._changes: dict[Kind, deque[Change]] = defaultdict(deque)
        self._compacted: dict[Kind, int] = defaultdict(lambda: 1_000)
        self._waiting: dict[Kind, threading.Condition] = {}
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Call a function after every write, within the lock."""
        self._listeners.append(listener)

    def get(self, kind: Kind, namespace: str, name: str) -> Stored | None:
        return self._objects[kind].get((namespace, name))

    def content(self, kind: Kind, namespace: str, name: str) -> dict | None:
        stored = self.get(kind, namespace, name)
        return stored.content if stored else None

    def all(self, kind: Kind, namespace: str = "") -> list[Stored]:
        """Every object of a kind, of one namespace if it is named, sorted by namespace and name."""
        objects = self._objects[kind]
        return [objects[key] for key in sorted(objects) if not namespace or key[0] == namespace]

    def contents(self, kind: Kind, namespace: str = "") -> Iterator[dict]:
        return (stored.content for stored in self.all(kind, namespace))

    def put(self, kind: Kind, content: dict) -> Stored:
        """Create or replace. The content is the store's from now on; nothing is written if it is the same."""
        with self.lock:
            metadata = content["metadata"]
            key = (metadata.get("namespace", ""), metadata["name"])
            previous = self._objects[kind].get(key)
            if previous and _same(previous.content, content):
                return previous
            self.version += 1
            content = {**content, "metadata": {**metadata, "resourceVersion": str(self.version)}}
            stored = Stored(kind, content, self.version)
            self._objects[kind][key] = stored
            self._tell("MODIFIED" if previous else "ADDED", stored, previous.content if previous else None)
            return stored

    def remove(self, kind: Kind, namespace: str, name: str) -> None:
        with self.lock:
            previous = self._objects[kind].pop((namespace, name), None)
            if previous is None:
                return
            self.version += 1
            metadata = {**previous.content["metadata"], "resourceVersion": str(self.version)}
            gone = Stored(kind, {**previous.content, "metadata": metadata}, self.version)
            self._tell("DELETED", gone, previous.content)

    def _tell(self, change: str, stored: Stored, previous: dict | None) -> None:
        kind = stored.kind
        changes = self._changes[kind]
        changes.append(Change(stored.version, change, stored, previous))
        if len(changes) > self._history:
            self._compacted[kind] = changes.popleft().version
        for listener in self._listeners:
            listener(change, kind, stored.content, previous)
        waiting = self._waiting.get(kind)
        if waiting:
            waiting.notify_all()

    def compact(self) -> None:
        """Forget the whole history: a watch from an older version is refused with 410."""
        with self.lock:
            for kind in list(self._changes):
                self._changes[kind].clear()
            self._compacted = defaultdict(lambda version=self.version: version)

    def too_old(self, kind: Kind, version: int) -> int:
        """The oldest version that can be resumed from, 0 if `version` can be."""
        oldest = self._compacted[kind]
        return oldest if version < oldest else 0

    def changes(self, kind: Kind, after: int, seconds: float) -> list[Change]:
        """What happened after a version; waits up to `seconds` for something."""
        with self.lock:
            found = self._after(kind, after)
            if not found and seconds > 0 and not self.closed:
                self._waiting.setdefault(kind, threading.Condition(self.lock)).wait(seconds)
                found = self._after(kind, after)
            return found

    def _after(self, kind: Kind, after: int) -> list[Change]:
        found = []
        for change in reversed(self._changes[kind]):
            if change.version <= after:
                break
            found.append(change)
        return found[::-1]

    def wake(self) -> None:
        """Make every waiting watch look up."""
        with self.lock:
            for waiting in self._waiting.values():
                waiting.notify_all()

    def close(self) -> None:
        with self.lock:
            self.closed = True
            self.wake()


def _same(one: dict, other: dict) -> bool:
    return _bare(one) == _bare(other)


def _bare(content: dict[str, Any]) -> dict[str, Any]:
    return {**content, "metadata": {**content["metadata"], "resourceVersion": ""}}
