"""The study in PostgreSQL: one driver at a time, because every statement runs on a connection that holds
the study's lock.

The pool holds exactly one connection, and whatever opens it takes the study's advisory lock first. A
connection that is torn is replaced by one that has to take the lock again; if another driver was faster,
this one ends.
"""

import hashlib
import os
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage, RDBStorage, get_storage

from minorkey.errors import StateError
from minorkey.stores.database import connection, problem, shown

__all__ = ["open_database"]

#: Key of the advisory lock under which Optuna makes its tables: making them twice at once fails.
_MAKING = 7_041_776_002
#: The server looks after half a minute of silence whether the driver's machine is still there, so that
#: its lock is free a minute after a power cut. Nothing waits for the disk: what a crash of the server loses
#: is built again from the study root.
_SESSION = (
    "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3 "
    "-c synchronous_commit=off"
)
#: How long a database that went away during the study may stay away: a restart, a failover.
_AWAY_SECONDS = 120.0
#: PostgreSQL cuts application names at 63 bytes.
_NAME_BYTES = 63


@contextmanager
def open_database(url: str, study: str, place: str) -> Iterator[BaseStorage]:
    """Optuna's storage in the database, owned until the context ends.

    Args:
        url: address of the database.
        study: what the lock stands for; the same for every driver of the study.
        place: where the study is, for messages.

    Raises:
        StateError: another driver holds the study, or the database refuses or does not answer.
    """
    from sqlalchemy import event
    from sqlalchemy.exc import SQLAlchemyError

    _make_tables(url)
    lock = _Lock(url, study, place)
    engine_options = {
        "pool_size": 1,
        "max_overflow": 0,
        "pool_pre_ping": True,
        "connect_args": {"connect_timeout": 10, "application_name": lock.name, "options": _SESSION},
    }
    storage = None
    try:
        # The check needs two connections at once, and `_make_tables` has made it.
        storage = RDBStorage(
            _address(url), engine_options, skip_compatibility_check=True, skip_table_creation=True
        )
        storage.engine.dispose()
        event.listen(storage.engine, "connect", lambda made, _: lock.take(made))
        with storage.engine.connect():
            pass
        event.listen(storage.engine, "do_connect", _connect_patiently)
        yield get_storage(storage)
    except (SQLAlchemyError, StorageInternalError) as error:
        raise problem(_origin(error), url) from None
    finally:
        if storage is not None:
            storage.remove_session()
            storage.engine.dispose()


def _connect_patiently(dialect: Any, record: Any, args: Any, options: Any) -> Any:
    """Connect again, also to a database that is away for a while."""
    end = time.monotonic() + _AWAY_SECONDS
    while True:
        try:
            return dialect.connect(*args, **options)
        except dialect.loaded_dbapi.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.5)


class _Lock:
    """The advisory lock of one study, and who holds it."""

    def __init__(self, url: str, study: str, place: str) -> None:
        self._url = url
        self._place = place
        digest = hashlib.sha256(f"minorkey study {study}".encode()).digest()
        self._key = int.from_bytes(digest[:8], "big", signed=True)
        self._token = uuid.uuid4().hex[:8]

    @property
    def name(self) -> str:
        """Name of the connection: other drivers read from it who holds the study."""
        start, end = f"minorkey process {os.getpid()} on ", f" {self._token}"
        room = _NAME_BYTES - len(start) - len(end)
        return f"{start}{socket.gethostname().encode('ascii', 'replace').decode()[:room]}{end}"

    def take(self, made: Any) -> None:
        """Take the lock on a new connection.

        A connection of our own that broke may be alive for the server: it is ended there.

        Raises:
            StateError: another driver holds the study.
        """
        with made.cursor() as cursor:
            for _ in range(2):
                cursor.execute("SELECT pg_try_advisory_lock(%s)", [self._key])
                if cursor.fetchone()[0]:
                    made.commit()
                    return
                holder = self._holder(cursor)
                if not holder or not holder[1].endswith(self._token):
                    break
                cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [holder[0]])
        made.close()
        raise self._held(holder)

    def _holder(self, cursor: Any) -> tuple[int, str, str, str] | None:
        cursor.execute(
            "SELECT a.pid, coalesce(a.application_name, ''), coalesce(host(a.client_addr), 'this host'),"
            " coalesce(to_char(a.backend_start, 'YYYY-MM-DD HH24:MI:SSOF'), '?')"
            " FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
            " WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1"
            " AND l.classid::bigint = %s AND l.objid::bigint = %s"
            " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            [(self._key >> 32) & 0xFFFFFFFF, self._key & 0xFFFFFFFF],
        )
        found: tuple[int, str, str, str] | None = cursor.fetchone()
        return found

    def _held(self, holder: tuple[int, str, str, str] | None) -> StateError:
        by = "another process"
        if holder:
            name = holder[1].removeprefix("minorkey ").rpartition(" ")[0] or "another process"
            by = f"{name} (at {holder[2]}) since {holder[3]}"
        return StateError(
            f"the study is driven by {by}",
            key=self._place,
            value=shown(self._url),
            allowed="one driver a study",
            remedy="wait until it has finished, or end it, and run the same command again",
        )


def _make_tables(url: str) -> None:
    """Optuna's tables, made where they are not there, or checked to be of this Optuna."""
    from sqlalchemy.exc import SQLAlchemyError

    with connection(url) as made:
        made.execute("SELECT pg_advisory_xact_lock(%s)", [_MAKING])
        try:
            RDBStorage(_address(url)).engine.dispose()
        except (SQLAlchemyError, StorageInternalError) as error:
            raise problem(_origin(error), url) from None
        except RuntimeError as error:
            raise StateError(
                f"the database holds the tables of another Optuna: {str(error).splitlines()[0]}",
                key="MINORKEY_DATABASE_URL",
                value=shown(url),
                remedy="run `optuna storage upgrade` on it, or use another database",
            ) from None


def _address(url: str) -> str:
    from sqlalchemy.engine import make_url

    return make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def _origin(error: BaseException) -> BaseException:
    """What the database itself said, below what SQLAlchemy and Optuna made of it."""
    while error.__cause__ is not None:
        error = error.__cause__
    return getattr(error, "orig", None) or error
