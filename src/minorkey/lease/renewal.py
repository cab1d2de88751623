"""A lease that lasts as long as the step that works under it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from minorkey.errors import InputError
from minorkey.lease.holder import EXPIRY_SECONDS, Leases
from minorkey.progress import emit

__all__ = ["renewing"]

#: Renewals in the time that a lease lasts: the place may be away for all but one of them.
_SIGNS = 12
_PATIENCE = 5.0


@contextmanager
def renewing(leases: Leases, model: str, run_key: str, *, validity: float = EXPIRY_SECONDS) -> Iterator[None]:
    """Renew a lease at once, and then from time to time in the background.

    A renewal that fails is tried again when the next one is due. A process that is killed renews no more.

    Args:
        leases: where it is.
        model: name of the model.
        run_key: the run that holds it. Nothing happens where it does not hold it.
        validity: seconds that a lease lasts without a sign of its run.
    """
    over = threading.Event()

    def renew() -> None:
        held = False
        while True:
            try:
                if not leases.renew(model, run_key):
                    if held:
                        emit("warned", text=f"the lease of model {model} is gone: another run may have begun")
                    return
                held = True
            except InputError as error:
                emit("warned", text=f"the lease of model {model} could not be renewed: {error.problem}")
            if over.wait(validity / _SIGNS):
                return

    thread = threading.Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        # The last renewal may hang in a place that has gone away: the step need not.
        thread.join(_PATIENCE)
