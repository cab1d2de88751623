"""Keeps a slot's shadow at what a pointer says: challengers come and go while the champion answers."""

from collections.abc import Callable

import structlog

from minorkey.errors import StateError
from minorkey.serving.follower import Poller, load_target
from minorkey.serving.pointer import Target
from minorkey.serving.shadow import require_fit
from minorkey.serving.slot import Slot

__all__ = ["ShadowFollower"]

_log = structlog.get_logger("minorkey.serving")


class ShadowFollower(Poller):
    """Polls a pointer and loads the challenger that it names. What serves is never its own shadow.

    Args:
        slot: whose shadow it is.
        point: tells the present challenger; None for none.
        seconds: pause between two looks.
    """

    failure = "shadow_not_loaded"

    def __init__(self, slot: Slot, point: Callable[[], Target | None], *, seconds: float) -> None:
        super().__init__("shadow-follower", slot, point, seconds=seconds)
        self._seen: Target | None = None
        #: The champion beside which a challenger could not be loaded; beside another one it may.
        self._failed = ""

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
