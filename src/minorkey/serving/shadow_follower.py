"""Keeps a slot's shadow at what a pointer says: challengers come and go while the champion answers."""

import threading
from collections.abc import Callable

import structlog

from minorkey.errors import StateError
from minorkey.serving.follower import load_target
from minorkey.serving.pointer import Target
from minorkey.serving.shadow import require_fit
from minorkey.serving.slot import Slot

__all__ = ["ShadowFollower"]

_log = structlog.get_logger("minorkey.serving")


class ShadowFollower(threading.Thread):
    """Polls a pointer and loads the challenger that it names. What serves is never its own shadow.

    Args:
        slot: whose shadow it is.
        point: tells the present challenger; None for none.
        seconds: pause between two looks.
    """

    def __init__(self, slot: Slot, point: Callable[[], Target | None], *, seconds: float) -> None:
        super().__init__(name="shadow-follower", daemon=True)
        self._slot, self._point, self._seconds = slot, point, seconds
        self._seen: Target | None = None
        #: The champion beside which a challenger could not be loaded; beside another one it may.
        self._failed = ""
        self._stopped = threading.Event()
        self._complaint = ""

    def run(self) -> None:
        """Look, load, pause, until `stop`."""
        while not self._stopped.wait(self._seconds):
            self.look()

    def stop(self) -> None:
        """End the polling."""
        self._stopped.set()

    def look(self) -> None:
        """Follow; a failure is logged once, and the champion answers on."""
        try:
            self.follow()
            self._complaint = ""
        except Exception as error:
            if str(error) != self._complaint:
                self._complaint = str(error)
                _log.error("shadow_not_loaded", error=str(error), serving=self._slot.current.version)

    def follow(self) -> None:
        """Load or unload where the pointer or the champion has moved.

        A bundle that does not load is left; one that cannot be downloaded is asked for again.

        Raises:
            BundleError: it is altered, foreign or gone.
            StateError: it cannot be downloaded, or needs what requests to the champion do not hold.
        """
        target, champion, shadow = self._point(), self._slot.current, self._slot.shadow
        if target is not None and target.version == champion.version:
            target = None
        if target == self._seen and self._failed in ("", champion.version):
            return
        self._seen, self._failed = target, champion.version
        if shadow.challenger is not None:
            _log.info("shadow_ended", version=shadow.challenger.version)
            shadow.unload()
        if target is not None:
            try:
                challenger = load_target(champion.model, target)
            except StateError:
                self._seen = None  # nobody answers where it lies: the next look asks again
                raise
            require_fit(challenger, champion)
            shadow.load(challenger, champion)
            _log.info("shadow_begun", version=target.version, bundle=target.bundle, beside=champion.version)
        self._failed = ""
