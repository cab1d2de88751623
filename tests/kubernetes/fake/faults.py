"""What goes wrong between a client and the API: at will, or by chance with a seed."""

import fnmatch
import random
import threading
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from tests.kubernetes.fake.answers import Answer, ApiError

__all__ = ["Fault", "Faults", "Planned", "refusal"]


class Fault(StrEnum):
    """Each of them is something that real API servers and their networks do."""

    #: 409 Conflict from the quota's own bookkeeping: nothing was created, ask again.
    QUOTA_CONFLICT = "quota_conflict"
    #: 429 with Retry-After; nothing was done.
    THROTTLED = "throttled"
    #: 500 InternalError; nothing was done.
    ERROR = "error"
    #: 503 ServiceUnavailable; nothing was done.
    UNAVAILABLE = "unavailable"
    #: 401 although the token is good, as after a change of keys.
    UNAUTHORIZED = "unauthorized"
    #: The connection ends before anything was done.
    DROPPED = "dropped"
    #: Everything was done, and then the answer is 504 Timeout.
    TIMED_OUT_AFTER_COMMIT = "timed_out_after_commit"
    #: Everything was done, and the connection ends without an answer.
    LOST_ANSWER = "lost_answer"
    #: A watch ends in the middle of a line.
    WATCH_CUT = "watch_cut"
    #: A watch gives an ERROR event with code 410.
    WATCH_EXPIRED = "watch_expired"


_IN_WATCH = {Fault.WATCH_CUT, Fault.WATCH_EXPIRED}


@dataclass
class Planned:
    """A fault to inject, where, and how often.

    Attributes:
        verb, resource: names or patterns such as ``*``.
        probability: of each matching call.
        times: how often at most; None for no limit.
        retry_after: seconds, where the answer carries them.
    """

    fault: Fault
    verb: str = "*"
    resource: str = "*"
    probability: float = 1.0
    times: int | None = None
    retry_after: int = 1


class Faults:
    """Decides for each call whether something goes wrong.

    Attributes:
        injected: how many of each fault happened.
    """

    def __init__(self, seed: int = 0) -> None:
        self.injected: Counter[Fault] = Counter()
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._planned: list[Planned] = []

    def script(self, fault: Fault | str, *, verb: str = "*", resource: str = "*", **details: int) -> None:
        """Let the next matching calls fail: one, or ``times=``."""
        planned = Planned(Fault(fault), verb, resource, **{"times": 1, **details})
        with self._lock:
            self._planned.append(planned)

    def chance(
        self,
        fault: Fault | str,
        probability: float,
        *,
        verb: str = "*",
        resource: str = "*",
        retry_after: int = 1,
    ) -> None:
        """Let each matching call fail with a probability."""
        planned = Planned(Fault(fault), verb, resource, probability, retry_after=retry_after)
        with self._lock:
            self._planned.append(planned)

    def clear(self) -> None:
        """From now on nothing goes wrong."""
        with self._lock:
            self._planned.clear()

    def pick(self, verb: str, resource: str, *, in_watch: bool = False) -> Planned | None:
        """The fault that this call meets, if any: at the start of a call, or inside a watch."""
        if not self._planned:
            return None
        with self._lock:
            for planned in self._planned:
                if (planned.fault in _IN_WATCH) != in_watch or planned.times == 0:
                    continue
                if not fnmatch.fnmatch(verb, planned.verb) or not fnmatch.fnmatch(resource, planned.resource):
                    continue
                if planned.probability < 1 and self._random.random() >= planned.probability:
                    continue
                if planned.times is not None:
                    planned.times -= 1
                self.injected[planned.fault] += 1
                return planned
        return None


def refusal(planned: Planned) -> Answer | None:
    """What is answered instead of doing anything, None if the fault is no such refusal."""
    after = planned.retry_after
    refusals = {
        Fault.QUOTA_CONFLICT: ApiError(
            409,
            "Conflict",
            'Operation cannot be fulfilled on resourcequotas "quota": the object has been modified; '
            "please apply your changes to the latest version and try again",
            {"name": "quota", "kind": "resourcequotas"},
        ),
        Fault.THROTTLED: ApiError(
            429, "TooManyRequests", "too many requests, please try again later", retry_after=after
        ),
        Fault.ERROR: ApiError(500, "InternalError", "Internal error occurred: etcdserver: leader changed"),
        Fault.UNAVAILABLE: ApiError(
            503,
            "ServiceUnavailable",
            "the server is currently unable to handle the request",
            retry_after=after,
        ),
        Fault.UNAUTHORIZED: ApiError(401, "Unauthorized", "Unauthorized"),
    }
    error = refusals.get(planned.fault)
    return error.answer() if error else None
