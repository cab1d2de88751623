"""Who holds a lease, how long it lasts, and what a place for leases does."""

import fcntl
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from minorkey.errors import StateError

__all__ = ["EXPIRY_SECONDS", "Holder", "Leases", "in_flight", "in_flight_problem"]

#: A lease whose owner cannot be looked at (another host, or unknown) ends this long after its last sign.
EXPIRY_SECONDS = 12 * 3600.0


@dataclass(frozen=True)
class Holder:
    """The run that holds a model's lease.

    A run whose owner's lock is free (the kernel frees it when the owner dies, however it dies), or whose
    owner cannot be looked at and which has not been heard of for half a day, has lost its lease.

    Attributes:
        run_key: the run.
        host: where it was started.
        owner: file there that the run's owner keeps locked, "" if there is none.
        heartbeat: when the run was last heard of, seconds since 1970.
    """

    run_key: str
    host: str
    owner: str
    heartbeat: float

    def alive(self, now: float | None = None, *, validity: float = EXPIRY_SECONDS) -> bool:
        """Whether the run may still be going on.

        Args:
            now: seconds since 1970 by the clock that wrote `heartbeat`; default: this machine's.
            validity: seconds that a lease lasts without a sign of its run.
        """
        if self.owner and self.host == socket.gethostname():
            return _is_locked(Path(self.owner))
        return (time.time() if now is None else now) - self.heartbeat < validity


class Leases(Protocol):
    """A place that holds the lease of every model."""

    def take(self, model: str, run_key: str, *, owner: str = "") -> Holder:
        """Take the lease of a model, or renew it if this run holds it already.

        Raises:
            StateError: another run that is alive holds it, or the place cannot be used.
        """
        ...

    def renew(self, model: str, run_key: str) -> bool:
        """Say that the run is alive; False if it does not hold the lease, which it does not get by this.

        Raises:
            StateError: the place cannot be used.
        """
        ...

    def release(self, model: str, run_key: str) -> bool:
        """Give the lease back; False if this run does not hold it."""
        ...

    def holder(self, model: str) -> Holder | None:
        """The run that holds the lease and may still be going on, if any."""
        ...


def in_flight_problem(model: str) -> str:
    """How the refusal of a second run begins; whoever starts runs knows by it that it may be tried again."""
    return f"a run of model {model} is in flight"


def in_flight(model: str, current: Holder, now: float, remedy: str) -> StateError:
    """The refusal of a second run.

    Args:
        model: name of the model.
        current: the run that holds the lease.
        now: seconds since 1970.
        remedy: how to remove the lease of a run that is gone.
    """
    return StateError(
        in_flight_problem(model),
        key=f"model {model}",
        value=f"run {current.run_key} on {current.host}, last heard of "
        f"{now - current.heartbeat:.0f} s ago ({current.owner or 'no owner known'})",
        allowed="one run of a model at a time",
        remedy=f"wait for it or end it, or use another model name (if it is gone, {remedy})",
    )


def _is_locked(owner: Path) -> bool:
    try:
        with owner.open(encoding="utf-8") as stream:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
