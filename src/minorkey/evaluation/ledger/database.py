"""The openings as rows of a PostgreSQL database, for runs on any machine of a cluster."""

from minorkey.errors import StateError
from minorkey.stores.database import shown, transaction

__all__ = ["DatabaseLedger"]


class DatabaseLedger:
    """Openings in a database, numbered one after the other however many runs open at once.

    Args:
        url: address of the database.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    def open(self, test_digest: str, run_key: str) -> int:
        """Record that a run opens a test; which opening it is, counting from 1."""
        with transaction(self._url) as made:
            made.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 2))", [f"test {test_digest}"])
            numbers = dict(
                made.execute(
                    "SELECT run_key, opening FROM minorkey_openings WHERE test_digest = %s", [test_digest]
                ).fetchall()
            )
            self._require_whole(test_digest, numbers)
            if run_key not in numbers:
                numbers[run_key] = len(numbers) + 1
                made.execute(
                    "INSERT INTO minorkey_openings (test_digest, opening, run_key) VALUES (%s, %s, %s)",
                    [test_digest, numbers[run_key], run_key],
                )
            return numbers[run_key]

    def openings(self, test_digest: str) -> int:
        """How often a test has been opened so far."""
        with transaction(self._url) as made:
            row = made.execute(
                "SELECT coalesce(max(opening), 0) FROM minorkey_openings WHERE test_digest = %s",
                [test_digest],
            ).fetchone()
        return int(row[0]) if row else 0

    def _require_whole(self, test_digest: str, numbers: dict[str, int]) -> None:
        if sorted(numbers.values()) != list(range(1, len(numbers) + 1)):
            # Counting afresh would hand out alpha that is already spent.
            raise StateError(
                "the ledger of test openings has been altered",
                key=f"minorkey_openings, test {test_digest}",
                value=f"{shown(self._url)}: openings {sorted(numbers.values())}",
                allowed="openings numbered one after the other",
                remedy="restore the table from a backup",
            )
