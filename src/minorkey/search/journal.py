"""The study's journal file: one driver at a time, and a torn last record is mended."""

import datetime
import fcntl
import json
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

from minorkey.errors import StateError
from minorkey.progress import emit
from minorkey.trials.study_root import unusable

__all__ = ["mend_tail", "open_journal"]

_JOURNAL = "study.journal"
_LOCK = "study.lock"


@contextmanager
def open_journal(folder: Path) -> Iterator[JournalStorage]:
    """The journal of the study in a folder, owned until the context ends.

    The lock is the kernel's, so it is gone when its holder is, however the holder ended.

    Args:
        folder: the driver's folder; made if it is not there.

    Raises:
        StateError: another driver holds the study, the folder is full or not writable, or the journal
            is damaged before its last record.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / _LOCK).open("a+", encoding="utf-8")
    except OSError as error:
        unusable(error, folder)
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _held(folder / _LOCK) from None
        try:
            _sign(lock.fileno())
            mend_tail(folder / _JOURNAL)
            backend = _Backend(str(folder / _JOURNAL), lock_obj=_HeldByDriver())
        except OSError as error:
            unusable(error, folder)
        yield JournalStorage(backend)


def mend_tail(path: Path) -> bool:
    """Cut off a last record that a crash left unfinished, keeping a copy of the file beside it.

    Returns:
        Whether there was one.

    Raises:
        StateError: a record before the last one cannot be read.
    """
    if not path.exists():
        return False
    whole = 0
    with path.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            if not _is_record(line):
                rest = stream.read(1)
                if rest:
                    raise StateError(
                        "the study's journal is damaged",
                        key=f"{path}, line {number}",
                        remedy=f"remove {path}: it is built again from the finished trials",
                    )
                break
            whole += len(line)
        else:
            return False
    shutil.copy2(path, path.with_suffix(".journal.torn"))
    os.truncate(path, whole)
    emit("warned", text=f"the study's journal ended in an unfinished record, which was cut off: {path}")
    return True


def _is_record(line: bytes) -> bool:
    if not line.endswith(b"\n"):
        return False
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _sign(descriptor: int) -> None:
    holder = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
    os.truncate(descriptor, 0)
    os.write(descriptor, json.dumps(holder).encode())


def _held(lock: Path) -> StateError:
    try:
        holder = json.loads(lock.read_text(encoding="utf-8"))
        by = f"process {holder['pid']} on {holder['host']} since {holder['since']}"
    except (OSError, ValueError, KeyError):
        by = "another process"
    return StateError(
        f"the study is driven by {by}",
        key=str(lock),
        allowed="one driver a study",
        remedy="wait until it has finished, or end it, and run the same command again",
    )


class _Backend(JournalFileBackend):
    """Appends without waiting for the disk: ten waits a trial would cost more than the proposal.

    A killed driver loses nothing by it. A power cut can lose the end, which is built again from the
    study root, where plans and results are on disk before anything follows from them.
    """

    def __init__(self, file_path: str, lock_obj: JournalFileOpenLock) -> None:
        super().__init__(file_path, lock_obj)
        self._path = Path(file_path)

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        records = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs)
        with self._path.open("ab") as stream:
            stream.write(records.encode())


class _HeldByDriver(JournalFileOpenLock):
    """No lock for each record: the driver holds the study's lock as long as the journal is open."""

    def __init__(self) -> None:
        super().__init__("")

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        return None
