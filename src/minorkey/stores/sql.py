"""The books of a service: tables in SQLite on one machine or PostgreSQL on a cluster, by the same statements.

Statements are written with PostgreSQL's ``%s``; they hold no other percent sign.
"""

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from minorkey.errors import StateError
from minorkey.stores.database import driver, problem, require_address, shown
from minorkey.stores.migrations import migration

__all__ = ["Books", "Transaction"]

_SQLITE = "sqlite:///"
#: Seconds to wait for another process's transaction.
_PATIENCE = 30.0
_IDLE_KEPT = 8


class Transaction(Protocol):
    """Statements that are committed together."""

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """What a statement returns."""
        ...

    def change(self, statement: str, *values: Any) -> int:
        """How many rows a statement changed."""
        ...

    def change_each(self, statement: str, values: Sequence[Sequence[Any]]) -> None:
        """A statement for each row of values."""
        ...


class Books:
    """The tables of one service.

    Args:
        url: ``sqlite:///PATH`` or ``postgresql://USER:PASSWORD@HOST/NAME``.
        name: of the service, the prefix of its tables: ``minorkey_NAME_...``.
        tables: the statements that make the tables where they are not there, separated by ``;``.
        version: of the tables.
        migrations: by older version, what brings its tables to the next one
            (`minorkey.stores.migrations.migration`).

    Raises:
        StateError: the address is none, the database cannot be reached, or its tables are of a newer version.
    """

    def __init__(
        self, url: str, name: str, tables: str, version: int, migrations: Mapping[int, str] | None = None
    ) -> None:
        self._url, self._name, self._version = url, name, version
        self._idle: list[tuple[tuple[int, int] | None, Any]] = []
        self._lock = threading.Lock()
        self.embedded = url.startswith(_SQLITE)
        if not self.embedded:
            require_address(url, _key(name))
        with self.transaction() as made:
            self._prepare(made, tables, migrations or {})

    def _prepare(self, made: Transaction, tables: str, migrations: Mapping[int, str]) -> None:
        """Make the tables, or bring them to this version; those of a newer one stay as they are."""
        schema = f"minorkey_{self._name}_schema"
        made.change(f"CREATE TABLE IF NOT EXISTS {schema} (version integer PRIMARY KEY)")
        found = [int(row[0]) for row in made.rows(f"SELECT version FROM {schema}")]  # noqa: S608
        if not found:
            made.change(f"INSERT INTO {schema} VALUES (%s)", self._version)  # noqa: S608
        else:
            what = f"{self._name} tables"
            place = {"key": _key(self._name), "place": self.place}
            for statement in migration(found, self._version, migrations, what=what, **place):
                made.change(statement)
            made.change(f"UPDATE {schema} SET version = %s", self._version)  # noqa: S608
        for statement in filter(str.strip, tables.split(";")):
            made.change(statement)

    @property
    def place(self) -> str:
        """Where the tables are, without a password."""
        return self._url if self.embedded else shown(self._url)

    @contextmanager
    def transaction(self, *, alone: bool = True) -> Iterator[Transaction]:
        """A transaction, committed when the block ends and undone when it raises.

        Args:
            alone: no other transaction of this service that is alone runs at the same time, here or
                anywhere. SQLite always writes alone.

        Raises:
            StateError: the database does not answer, refuses, or its disk is full.
        """
        connection, made = self._begun(alone)
        try:
            yield made
            connection.commit()
        except BaseException as error:
            self._undo(connection)
            if isinstance(error, self._errors()):
                raise self._explained(error) from None
            raise
        state = self._file_state()
        with self._lock:
            if len(self._idle) < _IDLE_KEPT:
                self._idle.append((state, connection))
                return
        connection.close()

    def now(self, made: Transaction) -> float | None:
        """The database's own clock, seconds since 1970; None where the database has none of its own."""
        if self.embedded:
            return None
        ((now,),) = made.rows("SELECT extract(epoch FROM clock_timestamp())::double precision")
        return float(now)

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            idle, self._idle = self._idle, []
        for _, connection in idle:
            connection.close()

    def _begun(self, alone: bool) -> tuple[Any, Transaction]:
        """A connection in a transaction: an idle one if it still works, else a new one."""
        while (connection := self._idle_one()) is not None:
            try:
                return connection, self._begin(connection, alone)
            except self._errors() as error:
                self._undo(connection)
                if self.embedded:
                    raise self._explained(error) from None
        try:
            connection = self._connected()
        except self._errors() as error:
            raise self._explained(error) from None
        try:
            return connection, self._begin(connection, alone)
        except self._errors() as error:
            self._undo(connection)
            raise self._explained(error) from None

    def _idle_one(self) -> Any:
        """An idle connection; none to a file that is no longer at its place, where writing would be lost."""
        state = self._file_state()
        with self._lock:
            while self._idle:
                known, connection = self._idle.pop()
                if known == state:
                    return connection
                connection.close()
        return None

    def _file_state(self) -> tuple[int, int] | None:
        if not self.embedded:
            return None
        try:
            found = Path(self._url.removeprefix(_SQLITE)).stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _connected(self) -> Any:
        if not self.embedded:
            return driver().connect(
                self._url,
                connect_timeout=10,
                application_name=f"minorkey {self._name}",
                options="-c lock_timeout=30000 -c tcp_user_timeout=20000",
            )
        path = Path(self._url.removeprefix(_SQLITE))
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            # What is answered for must outlive a loss of power, not only of the process.
            connection.execute("PRAGMA synchronous=FULL")
        except BaseException:
            connection.close()
            raise
        return connection

    def _begin(self, connection: Any, alone: bool) -> Transaction:
        if self.embedded:
            connection.execute("BEGIN IMMEDIATE")
            return _Sqlite(connection)
        if alone:
            connection.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 3))", [f"minorkey {self._name}"]
            )
        return _Postgres(connection)

    def _undo(self, connection: Any) -> None:
        with suppress(*self._errors()):
            connection.rollback()
        with suppress(*self._errors()):
            connection.close()

    def _errors(self) -> tuple[type[Exception], ...]:
        return (sqlite3.Error, OSError) if self.embedded else (driver().Error, OSError)

    def _explained(self, error: Exception) -> StateError:
        if not self.embedded:
            return problem(error, self._url)
        return StateError(
            f"the {self._name} database cannot be used: {error}",
            key=self.place,
            allowed="an SQLite file in a folder of this machine that can be written, with space",
            remedy="check permissions and free space; a damaged file is restored from a backup",
        )


class _Sqlite:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        return self._connection.execute(statement.replace("%s", "?"), values).fetchall()

    def change(self, statement: str, *values: Any) -> int:
        return self._connection.execute(statement.replace("%s", "?"), values).rowcount

    def change_each(self, statement: str, values: Sequence[Sequence[Any]]) -> None:
        self._connection.executemany(statement.replace("%s", "?"), values)


class _Postgres:
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self._connection.execute(statement, values or None).fetchall()
        return found

    def change(self, statement: str, *values: Any) -> int:
        return int(self._connection.execute(statement, values or None).rowcount)

    def change_each(self, statement: str, values: Sequence[Sequence[Any]]) -> None:
        with self._connection.cursor() as cursor:
            cursor.executemany(statement, values)


def _key(name: str) -> str:
    return f"database of {name}"
