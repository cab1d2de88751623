"""Leases as rows of a PostgreSQL database, one a model, for runs on any machine of a cluster."""

import socket
from typing import Any

from minorkey.lease.holder import EXPIRY_SECONDS, Holder, in_flight
from minorkey.stores.database import transaction

__all__ = ["DatabaseLeases"]

_READ = "SELECT run_key, host, owner, heartbeat FROM minorkey_leases WHERE model = %s"
_RENEW = """
UPDATE minorkey_leases SET heartbeat = extract(epoch FROM clock_timestamp())::double precision
WHERE model = %s AND run_key = %s
"""
_WRITE = """
INSERT INTO minorkey_leases (model, run_key, host, owner, heartbeat) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (model) DO UPDATE SET
    run_key = excluded.run_key, host = excluded.host, owner = excluded.owner, heartbeat = excluded.heartbeat
"""


class DatabaseLeases:
    """Leases in a database. Times are the database's, so that the machines' clocks may differ.

    Args:
        url: address of the database.
        validity: seconds that a lease lasts without a sign of its run.
    """

    def __init__(self, url: str, *, validity: float = EXPIRY_SECONDS) -> None:
        self._url = url
        self._validity = validity

    def take(self, model: str, run_key: str, *, owner: str = "") -> Holder:
        """Take the lease of a model, or renew it if this run holds it already."""
        with transaction(self._url) as made:
            # The row may not be there yet, so the model itself is what is locked until the commit.
            made.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))", [f"lease {model}"])
            current, now = _read(made, model)
            if current is not None and current.run_key != run_key and self._alive(current, now):
                raise in_flight(model, current, now, f"delete the row of {model} in table minorkey_leases")
            taken = Holder(run_key, socket.gethostname(), owner, now)
            made.execute(_WRITE, [model, taken.run_key, taken.host, taken.owner, taken.heartbeat])
        return taken

    def renew(self, model: str, run_key: str) -> bool:
        """Say that the run is alive; False if it does not hold the lease."""
        with transaction(self._url) as made:
            return bool(made.execute(_RENEW, [model, run_key]).rowcount)

    def release(self, model: str, run_key: str) -> bool:
        """Give the lease back; False if this run does not hold it."""
        with transaction(self._url) as made:
            gone = made.execute(
                "DELETE FROM minorkey_leases WHERE model = %s AND run_key = %s", [model, run_key]
            )
            return gone.rowcount == 1

    def holder(self, model: str) -> Holder | None:
        """The run that holds the lease and may still be going on, if any."""
        with transaction(self._url) as made:
            current, now = _read(made, model)
        return current if current is not None and self._alive(current, now) else None

    def _alive(self, current: Holder, now: float) -> bool:
        return current.alive(now, validity=self._validity)


def _read(made: Any, model: str) -> tuple[Holder | None, float]:
    row = made.execute(_READ, [model]).fetchone()
    (now,) = made.execute("SELECT extract(epoch FROM clock_timestamp())::double precision").fetchone()
    return (None if row is None else Holder(*row)), float(now)
