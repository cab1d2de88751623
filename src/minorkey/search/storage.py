"""Where a study's books are kept: a journal file beside the study root here, PostgreSQL on a cluster.

The books can be built again from the study root. What the storage adds is the lock: one driver a study.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from optuna.storages import BaseStorage

from minorkey.errors import StateError
from minorkey.search.journal import open_journal
from minorkey.search.postgres import open_database
from minorkey.stores.database import require_database
from minorkey.trials.study_root import StudyRoot

__all__ = ["StudyStorage", "open_storage", "require_database"]

_IDENTITY = "storage/study.id"


@dataclass(frozen=True)
class StudyStorage:
    """An open storage.

    Attributes:
        storage: Optuna's storage, owned by this process alone as far as the study goes.
        prefix: begins the names of the study's Optuna studies, which share a database with others.
    """

    storage: BaseStorage
    prefix: str = ""


@contextmanager
def open_storage(root: StudyRoot, database_url: str) -> Iterator[StudyStorage]:
    """The storage of the study whose records lie under a root, owned until the context ends.

    Args:
        root: the study's root.
        database_url: address of a PostgreSQL database; "" for a journal file in the driver's folder.

    Raises:
        StateError: another driver holds the study, the storage cannot be used, or the root is in a bucket
            and there is no database that could keep a second driver away.
    """
    if database_url:
        study = _identity(root)
        with open_database(database_url, study, root.location) as storage:
            yield StudyStorage(storage, f"{study}/")
        return
    if "://" in root.location:
        raise StateError(
            "a study in a bucket needs a database",
            key="MINORKEY_DATABASE_URL",
            value=root.location,
            allowed="the address of a PostgreSQL database: its lock keeps out a second driver",
            remedy="set MINORKEY_DATABASE_URL, or use a folder as study root",
        )
    with open_journal(root.driver_folder) as journal:
        yield StudyStorage(journal)


def _identity(root: StudyRoot) -> str:
    """What the study is called in the database, kept in the root itself.

    So a root that was emptied, or the same path on another machine, is another study.
    """
    drawn = uuid.uuid4().hex
    root.put_if_absent(_IDENTITY, drawn.encode())
    return (root.get(_IDENTITY) or drawn.encode()).decode()
