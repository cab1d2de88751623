"""Which versions have series: the one that is counted, and the one before it, of which late requests come."""

import threading
from collections.abc import Sequence
from typing import TypeVar

from prometheus_client import Counter, Histogram

from minorkey.serving.predictor import Predictor

__all__ = ["VERSIONS_KEPT", "KeptVersions"]

VERSIONS_KEPT = 2

_Family = TypeVar("_Family", Counter, Histogram)


class KeptVersions:
    """Ends the series of all versions but the last two.

    Args:
        families: whose first labels are ``model`` and ``version``.
    """

    def __init__(self, families: Sequence[Counter | Histogram]) -> None:
        self._families = families
        self._lock = threading.Lock()
        self._kept: list[tuple[str, str]] = []

    def begin(self, predictor: Predictor) -> None:
        """Keep a version from now on, and none that is older than the one before it."""
        key = (predictor.model, predictor.version)
        with self._lock:
            self._kept = [*(known for known in self._kept if known != key), key]
            for model, version in self._kept[:-VERSIONS_KEPT]:
                for family in self._families:
                    family.remove_by_labels({"model": model, "version": version})
            del self._kept[:-VERSIONS_KEPT]

    def series(self, family: _Family, predictor: Predictor, *labels: str) -> _Family:
        """Where to count for a version; what is counted for one that is not kept is told to nobody."""
        key = (predictor.model, predictor.version)
        with self._lock:
            found = family.labels(*key, *labels)
            if key not in self._kept:
                family.remove(*key, *labels)
        return found
