"""How often the driver looks, and how long it waits."""

from dataclasses import dataclass

__all__ = ["Timing"]


@dataclass(frozen=True)
class Timing:
    """All in seconds.

    Attributes:
        poll: between two looks at what pods say.
        heartbeat: without one of the driver for so long, pods end themselves.
        patience: that nothing may run for want of an image, an object or an admission.
        node_patience: that nothing may run for want of a node; nodes may be on their way.
        look: between two looks at why pods wait.
        podless: that a Job may be without a pod before its events are asked why.
        retry: until a creation that the quota refused is tried again.
        late: that the last words of a pod that ended well may take to be seen.
        watch: length of a watch, after which everything is listed again.
    """

    poll: float = 1.0
    heartbeat: float = 600.0
    patience: float = 180.0
    node_patience: float = 1_200.0
    look: float = 2.0
    podless: float = 3.0
    retry: float = 15.0
    late: float = 60.0
    watch: int = 240
