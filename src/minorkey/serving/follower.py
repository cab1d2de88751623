"""Keeps a slot at what a pointer says: the hot swap."""

import threading
from collections.abc import Callable

import structlog

from minorkey.bundle.bundle import Bundle
from minorkey.errors import StateError
from minorkey.registry.bundles import fetch_bundle
from minorkey.serving.pointer import Target
from minorkey.serving.predictor import Predictor
from minorkey.serving.slot import Slot

__all__ = ["Follower", "load_target"]

_log = structlog.get_logger("minorkey.serving")


def load_target(model: str, target: Target) -> Predictor:
    """Load the bundle that a target names.

    Raises:
        BundleError: it is altered, foreign or gone.
        StateError: it cannot be downloaded.
    """
    return Predictor(Bundle.load(fetch_bundle(target.bundle)), model, target.version)


class Follower(threading.Thread):
    """Polls a pointer and swaps the slot when it moves.

    A bundle that does not load is reported once and left; one that cannot be downloaded is asked for again.
    The one before serves on.

    Args:
        slot: what to swap.
        served: the target that the slot holds at the start.
        point: tells the present target; None for "as before".
        seconds: pause between two looks.
    """

    def __init__(
        self, slot: Slot, served: Target, point: Callable[[], Target | None], *, seconds: float
    ) -> None:
        super().__init__(name="follower", daemon=True)
        self._slot = slot
        self._seen = served
        self._point = point
        self._seconds = seconds
        self._stopped = threading.Event()
        self._complaint = ""

    def run(self) -> None:
        """Look, swap, pause, until `stop`."""
        while not self._stopped.wait(self._seconds):
            self.look()

    def stop(self) -> None:
        """End the polling."""
        self._stopped.set()

    def look(self) -> None:
        """Swap if the pointer has moved; a failure is logged once and never ends the serving."""
        try:
            target = self._point()
            if target is not None and target != self._seen:
                before, self._seen = self._seen, target
                try:
                    loaded = load_target(self._slot.current.model, target)
                except StateError:
                    self._seen = before
                    raise
                self._slot.swap(loaded)
                _log.info("swapped", version=target.version, bundle=target.bundle)
            self._complaint = ""
        except Exception as error:
            if str(error) != self._complaint:
                self._complaint = str(error)
                _log.error("swap_failed", error=str(error), serving=self._slot.current.version)
