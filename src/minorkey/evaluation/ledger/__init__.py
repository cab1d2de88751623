"""How often each sealed test has been opened: every look at it spends some of alpha."""

from typing import Protocol

from minorkey.evaluation.ledger.file import FileLedger
from minorkey.settings import settings

__all__ = ["FileLedger", "OpeningLedger", "open_ledger"]


class OpeningLedger(Protocol):
    """The openings of every sealed test, counted once a run."""

    def open(self, test_digest: str, run_key: str) -> int:
        """Record that a run opens a test, before it is looked at.

        Args:
            test_digest: digest of the test's content.
            run_key: identity of the run; a resumed run has the same key and spends nothing again.

        Returns:
            Which opening of this test the run's is, counting from 1.

        Raises:
            StateError: the ledger is altered or cannot be used.
        """
        ...

    def openings(self, test_digest: str) -> int:
        """How often a test has been opened so far.

        Raises:
            StateError: the ledger is altered or cannot be used.
        """
        ...


def open_ledger() -> OpeningLedger:
    """The ledger of this process: the database's where one is set, else the one in ``settings().home``."""
    url = settings().database_url
    if url:
        from minorkey.evaluation.ledger.database import DatabaseLedger

        return DatabaseLedger(url)
    return FileLedger(settings().home / "openings.json")
