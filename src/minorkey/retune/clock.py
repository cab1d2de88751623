"""The ledger's time: it goes on evenly whatever becomes of the machine's wall clock.

Cool-down and budget are differences of times. On one machine they are taken from the clock that counts
since the machine's start, also across restarts of the trigger; in PostgreSQL from the database's clock,
which all triggers share.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from minorkey.stores.sql import Books, Transaction

__all__ = ["CLOCK_TABLE", "LedgerClock"]

CLOCK_TABLE = """
CREATE TABLE IF NOT EXISTS minorkey_retune_clock (
    id integer PRIMARY KEY,
    boot text NOT NULL,
    steady double precision NOT NULL,
    time double precision NOT NULL
);
"""


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _steady() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(frozen=True)
class LedgerClock:
    """Tells the time of a transaction.

    Attributes:
        wall: seconds since 1970, by a clock that may be set.
        steady: seconds since the machine's start, by a clock that is never set.
        boot: names the machine's start.
    """

    wall: Callable[[], float] = time.time
    steady: Callable[[], float] = _steady
    boot: str = field(default_factory=_boot)

    def now(self, books: Books, made: Transaction) -> float:
        """Seconds since 1970, never less than before, within a transaction that is alone."""
        shared = books.now(made)
        if shared is not None:
            return shared
        found = made.rows("SELECT boot, steady, time FROM minorkey_retune_clock WHERE id = 1")
        steady = self.steady()
        if not found:
            now = self.wall()
        else:
            boot, then, time_then = found[0]
            same = boot == self.boot and boot != ""
            now = time_then + max(0.0, steady - then) if same else max(self.wall(), time_then)
        made.change(
            "INSERT INTO minorkey_retune_clock (id, boot, steady, time) VALUES (1, %s, %s, %s) "
            "ON CONFLICT (id) DO UPDATE SET boot = excluded.boot, steady = excluded.steady, "
            "time = excluded.time",
            self.boot,
            steady,
            now,
        )
        return now
