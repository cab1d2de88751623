"""The openings in a JSON file."""

import json
import os
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from minorkey.errors import StateError

__all__ = ["FileLedger"]

_FORMAT = 1


class FileLedger:
    """A JSON file of openings, keyed by the test's digest; safe against crashes and other processes.

    Args:
        path: the file; it and its folder are made when first needed.
        timeout: seconds to wait for another process that holds the lock.
    """

    def __init__(self, path: Path, *, timeout: float = 60.0) -> None:
        self._path = path
        self._timeout = timeout

    def open(self, test_digest: str, run_key: str) -> int:
        """Record that a run opens a test, before it is looked at.

        Args:
            test_digest: digest of the test's content.
            run_key: identity of the run; a resumed run has the same key and spends nothing again.

        Returns:
            Which opening of this test the run's is, counting from 1.

        Raises:
            StateError: the ledger is altered, cannot be written, or stays locked.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self._path.with_suffix(".lock"), timeout=self._timeout):
                openings = self._read()
                runs = openings.setdefault(test_digest, [])
                if run_key not in runs:
                    runs.append(run_key)
                    self._write(openings)
                return runs.index(run_key) + 1
        except Timeout:
            raise StateError(
                "the ledger of test openings is locked by another process",
                key=str(self._path),
                remedy="wait until the other run has finished",
            ) from None
        except OSError as error:
            raise StateError(
                "the ledger of test openings cannot be written",
                key=str(self._path),
                value=error.strerror,
                remedy="check the folder's permissions and free space",
            ) from None

    def openings(self, test_digest: str) -> int:
        """How often a test has been opened so far.

        Raises:
            StateError: the ledger is altered.
        """
        return len(self._read().get(test_digest, []))

    def _read(self) -> dict[str, list[str]]:
        if not self._path.exists():
            return {}
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
            if content["format"] != _FORMAT:
                raise self._of_another(content["format"])
            return {str(digest): [str(run) for run in runs] for digest, runs in content["openings"].items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            # Starting afresh would hand out alpha that is already spent.
            raise StateError(
                "the ledger of test openings has been altered",
                key=str(self._path),
                value=error,
                remedy="restore the file from a backup",
            ) from None

    def _of_another(self, found: Any) -> StateError:
        return StateError(
            "the ledger of test openings is of a newer minorkey",
            key=str(self._path),
            value=f"format {found}",
            allowed=f"format {_FORMAT}",
            remedy="use the newer minorkey, or restore the file from before the upgrade",
        )

    def _write(self, openings: dict[str, list[str]]) -> None:
        aside = self._path.with_suffix(".partial")
        with aside.open("w", encoding="utf-8") as stream:
            json.dump({"format": _FORMAT, "openings": openings}, stream, indent=1)
            stream.flush()
            os.fsync(stream.fileno())
        aside.replace(self._path)
