"""One run in flight a model, whoever started it.

The lease belongs to a run, not to a process, because the steps of a run are processes of their own: `load`
takes it, long steps renew it, the end of the run releases it. It is a row of the database where one is set
(``settings().database_url``), else a small file in ``settings().home/leases``.
"""

from contextlib import AbstractContextManager

from minorkey.lease.holder import EXPIRY_SECONDS, Holder, Leases
from minorkey.lease.renewal import renewing
from minorkey.settings import settings

__all__ = ["EXPIRY_SECONDS", "Holder", "Leases", "holder", "leases", "release", "renewed", "take"]


def leases() -> Leases:
    """Where this process keeps leases."""
    url = settings().database_url
    if url:
        from minorkey.lease.database import DatabaseLeases

        return DatabaseLeases(url)
    from minorkey.lease.folder import FolderLeases

    return FolderLeases(settings().home / "leases")


def take(model: str, run_key: str, *, owner: str = "") -> Holder:
    """Take the lease of a model, or renew it if this run holds it already.

    Args:
        model: name of the model.
        run_key: the run that takes it.
        owner: file that the run's owner keeps locked with ``flock``, "" if there is none.

    Raises:
        StateError: another run that is alive holds it, or the leases cannot be reached.
    """
    return leases().take(model, run_key, owner=owner)


def renewed(model: str, run_key: str) -> AbstractContextManager[None]:
    """Renew the lease from time to time as long as the context lasts, if this run holds it."""
    return renewing(leases(), model, run_key)


def release(model: str, run_key: str) -> bool:
    """Give the lease back; False if this run does not hold it."""
    return leases().release(model, run_key)


def holder(model: str) -> Holder | None:
    """The run that holds the lease and may still be going on, if any."""
    return leases().holder(model)
