"""What trials and driver exchange lies under one study root, through three operations.

Nothing is appended to and nothing is renamed, so that a folder, a volume shared by pods and an object
store can all hold it.
"""

import errno
import os
import uuid
from pathlib import Path, PurePosixPath
from typing import NoReturn, Protocol

from minorkey.errors import ContractError, StateError

__all__ = ["LocalStudyRoot", "StudyRoot", "open_root", "unusable"]

#: Where a file is written before it gets its name. Never listed.
_ASIDE = ".partial"

_UNUSABLE = {
    errno.ENOSPC: "free some space and run the same command again: finished trials are kept",
    errno.EDQUOT: "free some of the quota and run the same command again: finished trials are kept",
    errno.EROFS: "choose a folder that can be written",
    errno.EACCES: "choose a folder that this user may write, or change its permissions",
    errno.EPERM: "choose a folder that this user may write, or change its permissions",
}


class StudyRoot(Protocol):
    """A place for small immutable objects, named by keys such as ``trials/final/0007/result.json``."""

    @property
    def location(self) -> str:
        """Where it is, as `open_root` takes it in another process."""
        ...

    @property
    def driver_folder(self) -> Path:
        """A folder of the driver's own machine, for what has to be a file: its journal and its lock."""
        ...

    def put_if_absent(self, key: str, content: bytes) -> bool:
        """Store content under a key, whole or not at all.

        Returns:
            False if the key was there already; what it holds is kept.

        Raises:
            StateError: the root is full or not writable.
        """
        ...

    def get(self, key: str) -> bytes | None:
        """What a key holds, None if it is not there."""
        ...

    def list(self, prefix: str) -> list[str]:
        """Every key that begins with the prefix, sorted."""
        ...


class LocalStudyRoot:
    """A study root in a folder.

    Args:
        path: the folder; made when something is first put.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    @property
    def location(self) -> str:
        """The folder's path."""
        return str(self.path)

    @property
    def driver_folder(self) -> Path:
        """The folder itself."""
        return self.path

    def put_if_absent(self, key: str, content: bytes) -> bool:
        """Write beside, then link to the name: a link never replaces, and never shows half a file."""
        target = self._locate(key)
        if target.exists():
            return False
        try:
            return self._put(target, content)
        except OSError as error:
            unusable(error, self.path)

    def get(self, key: str) -> bytes | None:
        """What a key holds, None if it is not there."""
        try:
            return self._locate(key).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def list(self, prefix: str) -> list[str]:
        """Every key that begins with the prefix, sorted."""
        folder = self.path / prefix.rpartition("/")[0]
        found = []
        for place, folders, names in os.walk(folder):
            folders[:] = [name for name in folders if name != _ASIDE]
            keys = (Path(place, name).relative_to(self.path).as_posix() for name in names)
            found += [key for key in keys if key.startswith(prefix)]
        return sorted(found)

    def _put(self, target: Path, content: bytes) -> bool:
        aside_folder = self.path / _ASIDE
        aside_folder.mkdir(parents=True, exist_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = aside_folder / uuid.uuid4().hex
        # The umask decides who may read it: driver and pods need not be the same user.
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            os.link(aside, target)
        except FileExistsError:
            return False
        finally:
            aside.unlink(missing_ok=True)
        return True

    def _locate(self, key: str) -> Path:
        parts = PurePosixPath(key).parts
        if not parts or key.startswith("/") or ".." in parts or _ASIDE in parts:
            raise ContractError(f"{key!r} is not a key of a study root")
        return self.path.joinpath(*parts)


def open_root(location: str) -> StudyRoot:
    """The study root at a location: a folder, or ``s3://bucket/prefix``.

    Raises:
        StateError: the location has another scheme, or the bucket cannot be used.
    """
    scheme, separator, _ = location.partition("://")
    if not separator:
        return LocalStudyRoot(Path(location))
    if scheme == "s3":
        from minorkey.trials.s3_study_root import S3StudyRoot

        return S3StudyRoot(location)
    raise StateError(
        "there is no such kind of study root",
        key="MINORKEY_STUDY_ROOT",
        value=location,
        allowed="a folder, or s3://BUCKET/PREFIX",
        remedy="correct it",
    )


def unusable(error: OSError, place: Path) -> NoReturn:
    """Turn a full or read-only place into an error that says what to do.

    Raises:
        StateError: always.
    """
    raise StateError(
        "the study cannot be written",
        key=str(place),
        value=os.strerror(error.errno) if error.errno else str(error),
        allowed="a folder with free space that this user may write",
        remedy=_UNUSABLE.get(error.errno or 0, "check the folder and run the same command again"),
    ) from error
