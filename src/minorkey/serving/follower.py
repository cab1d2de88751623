"""Keeps a slot at what a pointer says: the hot swap."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable

import structlog

from minorkey.bundle.bundle import Bundle
from minorkey.errors import StateError
from minorkey.registry.bundles import fetch_bundle
from minorkey.serving.pointer import Target
from minorkey.serving.predictor import Predictor
from minorkey.serving.slot import Slot

__all__ = ["Follower", "Poller", "load_target"]

_log = structlog.get_logger("minorkey.serving")


def load_target(model: str, target: Target) -> Predictor:
    """Load the bundle that a target names.

    Raises:
        BundleError: it is altered, foreign or gone.
        StateError: it cannot be downloaded.
    """
    return Predictor(Bundle.load(fetch_bundle(target.bundle)), model, target.version)


class Poller(threading.Thread, ABC):
    """Follows a pointer until it is stopped; a failure is logged once and ends nothing.

    Args:
        name: of the thread.
        slot: what it changes.
        point: tells the present target.
        seconds: pause between two looks.
    """

    #: What is logged when following fails.
    failure: str

    def __init__(self, name: str, slot: Slot, point: Callable[[], Target | None], *, seconds: float) -> None:
        super().__init__(name=name, daemon=True)
        self._slot, self._point, self._seconds = slot, point, seconds
        self._stopped = threading.Event()
        self._complaint = ""

    def run(self) -> None:
        """Look, follow, pause, until `stop`."""
        while not self._stopped.wait(self._seconds):
            self.look()

    def stop(self) -> None:
        """End the polling."""
        self._stopped.set()

    def look(self) -> None:
        """Follow; a failure is logged once and never ends the serving."""
        try:
            self.follow()
            self._complaint = ""
        except Exception as error:
            if str(error) != self._complaint:
                self._complaint = str(error)
                _log.error(self.failure, error=str(error), serving=self._slot.current.version)

    @abstractmethod
    def follow(self) -> None:
        """Change the slot where the pointer has moved."""


class Follower(Poller):
    """Polls a pointer and swaps the slot when it moves.

    A bundle that does not load is reported once and left; one that cannot be downloaded is asked for again.
    The one before serves on.

    Args:
        slot: what to swap.
        served: the target that the slot holds at the start.
        point: tells the present target; None for "as before".
        seconds: pause between two looks.
    """

    failure = "swap_failed"

    def __init__(
        self, slot: Slot, served: Target, point: Callable[[], Target | None], *, seconds: float
    ) -> None:
        super().__init__("follower", slot, point, seconds=seconds)
        self._seen = served

    def follow(self) -> None:
        """Swap if the pointer has moved.

        Raises:
            BundleError: the bundle is altered, foreign or gone.
            StateError: it cannot be downloaded.
        """
        target = self._point()
        if target is None or target == self._seen:
            return
        before, self._seen = self._seen, target
        try:
            loaded = load_target(self._slot.current.model, target)
        except StateError:
            self._seen = before
            raise
        self._slot.swap(loaded)
        _log.info("swapped", version=target.version, bundle=target.bundle)
