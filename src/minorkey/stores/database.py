"""The PostgreSQL database of a cluster: connections, and the tables that minorkey keeps there itself."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from minorkey.errors import StateError
from minorkey.settings import settings
from minorkey.stores.migrations import migration

if TYPE_CHECKING:
    import psycopg

__all__ = ["connection", "driver", "problem", "require_address", "require_database", "shown", "transaction"]

#: Version of `_TABLES`, and by older version what brings its tables to the next one.
_VERSION = 1
_MIGRATIONS: dict[int, str] = {}
#: Key of the advisory lock under which tables are made: making them twice at once fails.
_MAKING = 7_041_776_001
_TABLES = """
CREATE TABLE IF NOT EXISTS minorkey_schema (version integer PRIMARY KEY);
INSERT INTO minorkey_schema SELECT 1 WHERE NOT EXISTS (SELECT FROM minorkey_schema);
CREATE TABLE IF NOT EXISTS minorkey_leases (
    model text PRIMARY KEY,
    run_key text NOT NULL,
    host text NOT NULL,
    owner text NOT NULL,
    heartbeat double precision NOT NULL
);
CREATE TABLE IF NOT EXISTS minorkey_openings (
    test_digest text NOT NULL,
    opening integer NOT NULL,
    run_key text NOT NULL,
    opened timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (test_digest, run_key),
    UNIQUE (test_digest, opening)
);
"""
_KEY = "MINORKEY_DATABASE_URL"
_ALLOWED = "postgresql://USER:PASSWORD@HOST:PORT/NAME of a PostgreSQL 13 or later"


def require_database() -> str:
    """The address of the database, for what must not run without one.

    Raises:
        StateError: none is set, or it is no PostgreSQL address.
    """
    url = settings().database_url
    if not url:
        raise StateError(
            "a run on a cluster needs a PostgreSQL database",
            key=_KEY,
            allowed=_ALLOWED,
            remedy="set MINORKEY_DATABASE_URL, or MINORKEY_DATABASE_URL_FILE to a file that holds it "
            "(on a cluster: the Secret that stores.database_secret names)",
        )
    require_address(url)
    return url


def shown(url: str) -> str:
    """An address without its password, for messages."""
    try:
        address = urlsplit(url)
        port = f":{address.port}" if address.port else ""
    except ValueError:
        return "postgresql://..."
    user = f"{address.username}@" if address.username else ""
    return f"{address.scheme}://{user}{address.hostname or ''}{port}{address.path}"


def problem(error: BaseException, url: str) -> StateError:
    """What the database or its driver says, as an error that names the database and a remedy."""
    said = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    password = urlsplit(url).password or ""
    said = said.replace(password, "***") if password else said
    remedy = "check that the database runs and can be reached from here, and run the same command again"
    if re.search(r"password|authentication|role .* does not exist|no pg_hba", said):
        remedy = f"check user and password in {_KEY}"
    elif re.search(r"database .* does not exist", said):
        remedy = "create the database, or correct its name"
    elif "permission denied" in said:
        remedy = "let this user create tables in the database's schema: GRANT CREATE ON SCHEMA public TO ..."
    elif re.search(r"too many (clients|connections)|remaining connection slots", said):
        remedy = "raise max_connections, or end other connections"
    return StateError(
        f"the database does not answer as expected: {said[:300]}",
        key=_KEY,
        value=shown(url),
        allowed=_ALLOWED,
        remedy=remedy,
    )


@contextmanager
def connection(url: str, **options: Any) -> Iterator["psycopg.Connection[Any]"]:
    """One connection, closed when the context ends.

    Args:
        url: address of the database.
        options: further options of ``psycopg.connect``.

    Raises:
        StateError: the address is none, or the database cannot be reached or refuses.
    """
    psycopg = driver()
    require_address(url)
    try:
        with psycopg.connect(
            url, **{"connect_timeout": 10, "application_name": "minorkey", **options}
        ) as made:
            yield made
    except psycopg.Error as error:
        raise problem(error, url) from None


@contextmanager
def transaction(url: str) -> Iterator["psycopg.Connection[Any]"]:
    """A transaction on a database that has minorkey's tables; they are made when they are not there.

    Raises:
        StateError: the database cannot be reached, refuses, or holds the tables of a newer version.
    """
    with connection(url, options="-c lock_timeout=60000") as made:
        (there,) = made.execute("SELECT to_regclass('minorkey_openings') IS NOT NULL").fetchone() or (False,)
        if not there:
            made.execute("SELECT pg_advisory_xact_lock(%s)", [_MAKING])
            for statement in filter(str.strip, _TABLES.split(";")):
                made.execute(statement.encode())
            made.commit()
        if _versions(made) != [_VERSION]:
            _migrate(made, url)
        yield made


def _versions(made: "psycopg.Connection[Any]") -> list[int]:
    return [version for (version,) in made.execute("SELECT version FROM minorkey_schema")]


def _migrate(made: "psycopg.Connection[Any]", url: str) -> None:
    made.execute("SELECT pg_advisory_xact_lock(%s)", [_MAKING])
    # Looked at again: another process may have been faster.
    found = _versions(made)
    for statement in migration(found, _VERSION, _MIGRATIONS, what="tables", key=_KEY, place=shown(url)):
        made.execute(statement.encode())
    made.execute("UPDATE minorkey_schema SET version = %s", [_VERSION])
    made.commit()


def driver() -> Any:
    """The package that speaks to PostgreSQL.

    Raises:
        StateError: it is not installed.
    """
    try:
        import psycopg
    except ImportError:
        raise StateError(
            "a database needs a package that is not installed",
            key="psycopg",
            remedy="install minorkey with its extra `cluster`: pip install 'minorkey[cluster]'",
        ) from None
    return psycopg


def require_address(url: str, key: str = _KEY) -> None:
    """Refuse what is no address of a PostgreSQL database.

    Raises:
        StateError: naming the key, never the address.
    """
    try:
        address = urlsplit(url)
        sound = address.scheme in ("postgresql", "postgres") and address.path.strip("/") != ""
        _ = address.port
    except ValueError:
        sound = False
    if not sound:
        # The address itself may hold a password, so it is not shown.
        raise StateError(
            "this is not the address of a PostgreSQL database",
            key=key,
            allowed=_ALLOWED,
            remedy=f"correct it (it is not shown here, because it may hold a password): {key}",
        )
