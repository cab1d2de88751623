"""A study root in an S3 bucket."""

import functools
import tempfile
from pathlib import Path

from minorkey.errors import ContractError, StateError
from minorkey.stores.bucket import Bucket

__all__ = ["S3StudyRoot"]

#: Put once for each study root, to see that the store keeps what was put first. Never listed.
_PROBE = ".put-if-absent"
#: Attempts of the first request: a wrong address is told in seconds, a later outage is waited out.
_FIRST_ATTEMPTS = 4


class S3StudyRoot:
    """A study root under ``s3://bucket/prefix``.

    Args:
        location: the place. Everything under it belongs to one study root.

    Raises:
        StateError: the bucket is missing, refuses or does not answer, or its store does not honour
            conditional puts (``If-None-Match: *``).
    """

    def __init__(self, location: str) -> None:
        _require_conditional_puts(Bucket(location, attempts=_FIRST_ATTEMPTS))
        self._bucket = Bucket(location)

    @property
    def location(self) -> str:
        """``s3://bucket/prefix``."""
        return self._bucket.location

    @property
    def driver_folder(self) -> Path:
        """A temporary folder of this process, gone when it ends."""
        return Path(self._temporary.name)

    @functools.cached_property
    def _temporary(self) -> "tempfile.TemporaryDirectory[str]":
        return tempfile.TemporaryDirectory(prefix="minorkey-driver-", ignore_cleanup_errors=True)

    def put_if_absent(self, key: str, content: bytes) -> bool:
        """Store content under a key unless the key is there: one conditional put."""
        return self._bucket.put_if_absent(_checked(key), content)

    def get(self, key: str) -> bytes | None:
        """What a key holds, None if it is not there."""
        return self._bucket.get(_checked(key))

    def list(self, prefix: str) -> list[str]:
        """Every key that begins with the prefix, sorted."""
        return [key for key in self._bucket.list(prefix) if key != _PROBE]


def _require_conditional_puts(bucket: Bucket) -> None:
    """Put the same key twice: a store that ignores the condition would let two writers win."""
    if not bucket.put_if_absent(_PROBE, b"") or not bucket.put_if_absent(_PROBE, b""):
        return
    raise StateError(
        "the S3 store ignores the condition of a conditional put (If-None-Match)",
        key=bucket.location,
        allowed="AWS S3, MinIO, SeaweedFS 4, or another store that honours it",
        remedy="upgrade the store, or use a folder of a shared volume as study root",
    )


def _checked(key: str) -> str:
    parts = key.split("/")
    if not all(parts) or {".", ".."} & set(parts) or key == _PROBE:
        raise ContractError(f"{key!r} is not a key of a study root")
    return key
