"""Events, as controllers write them: repeated ones are counted."""

from tests.kubernetes.fake.kinds import Kind, kind_of
from tests.kubernetes.fake.loop import Clock, timestamp
from tests.kubernetes.fake.store import Store

__all__ = ["Recorder"]


class Recorder:
    """Writes events about objects."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def record(
        self, kind: Kind, content: dict, event_type: str, reason: str, message: str, source: str
    ) -> None:
        """Tell that something happened to an object; ``event_type`` is Normal or Warning."""
        metadata = content["metadata"]
        namespace = metadata.get("namespace") or "default"
        name = f"{metadata['name']}.{abs(hash((metadata['uid'], reason, message))):016x}"
        now = timestamp(self._clock.now())
        events = kind_of("events")
        with self._store.lock:
            if metadata.get("namespace") and self._store.get(kind_of("namespaces"), "", namespace) is None:
                return
            old = self._store.content(events, namespace, name)
            if old:
                self._store.put(events, {**old, "count": old["count"] + 1, "lastTimestamp": now})
                return
            self._store.put(
                events,
                {
                    "metadata": {
                        "name": name,
                        "namespace": namespace,
                        "uid": name.rpartition(".")[2],
                        "creationTimestamp": now,
                    },
                    "involvedObject": {
                        "kind": kind.name,
                        "apiVersion": kind.api_version,
                        "namespace": metadata.get("namespace", ""),
                        "name": metadata["name"],
                        "uid": metadata["uid"],
                    },
                    "type": event_type,
                    "reason": reason,
                    "message": message,
                    "source": {"component": source},
                    "reportingComponent": source,
                    "reportingInstance": "",
                    "firstTimestamp": now,
                    "lastTimestamp": now,
                    "eventTime": None,
                    "count": 1,
                },
            )
