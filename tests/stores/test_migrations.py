"""Tables are brought to this version in one transaction; those of a newer one are left as they are."""

import concurrent.futures

import pytest

from minorkey.errors import StateError
from minorkey.stores import database as cluster
from minorkey.stores.sql import Books

FIRST = "CREATE TABLE IF NOT EXISTS minorkey_shop_rows (id text PRIMARY KEY)"
SECOND = (
    "CREATE TABLE IF NOT EXISTS minorkey_shop_rows (id text PRIMARY KEY, price integer NOT NULL DEFAULT 7)"
)
ADD = {1: "ALTER TABLE minorkey_shop_rows ADD COLUMN price integer NOT NULL DEFAULT 7"}


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/shop.db"
    return request.getfixturevalue("database")


def rows(books):
    with books.transaction(alone=False) as made:
        return made.rows("SELECT * FROM minorkey_shop_rows ORDER BY id")


def told(books):
    with books.transaction(alone=False) as made:
        return made.rows("SELECT version FROM minorkey_shop_schema")


def test_old_tables_are_brought_on_once_while_an_old_process_goes_on(url):
    old = Books(url, "shop", FIRST, 1)
    with old.transaction() as made:
        made.change("INSERT INTO minorkey_shop_rows (id) VALUES (%s)", "a")
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        several = list(pool.map(lambda _: Books(url, "shop", SECOND, 2, ADD), range(4)))
    with old.transaction() as made:
        made.change("INSERT INTO minorkey_shop_rows (id) VALUES (%s)", "b")
    assert [rows(books) for books in several] == [[("a", 7), ("b", 7)]] * 4
    assert told(old) == [(2,)]
    for books in (old, *several):
        books.close()


def test_newer_tables_are_refused_and_left_alone(url):
    newer = Books(url, "shop", SECOND, 2)
    with pytest.raises(StateError, match="newer minorkey") as caught:
        Books(url, "shop", FIRST + "; CREATE TABLE minorkey_shop_other (id text)", 1)
    assert "version 2" in caught.value.value and "backup" in caught.value.remedy
    assert told(newer) == [(2,)]
    newer.close()


def test_tables_that_are_too_old_are_refused(url):
    old = Books(url, "shop", FIRST, 1)
    with pytest.raises(StateError, match="too old") as caught:
        Books(url, "shop", SECOND, 3, {2: "SELECT 1"})
    assert (caught.value.allowed, told(old)) == ("version 2 to 3", [(1,)])
    old.close()


def test_a_migration_that_fails_changes_nothing(url):
    old = Books(url, "shop", FIRST, 1)
    broken = {1: ADD[1] + "; INSERT INTO nowhere VALUES (1)"}
    with pytest.raises(StateError):
        Books(url, "shop", SECOND, 2, broken)
    with old.transaction() as made:
        made.change("INSERT INTO minorkey_shop_rows (id) VALUES (%s)", "a")
    assert (rows(old), told(old)) == ([("a",)], [(1,)])
    old.close()


def test_the_tables_that_all_runs_share_are_brought_on_too(database, monkeypatch):
    with cluster.transaction(database) as made:
        made.execute("INSERT INTO minorkey_leases VALUES ('fraud', 'run', 'host', '', 0)")
    monkeypatch.setattr(cluster, "_VERSION", 2)
    add = "ALTER TABLE minorkey_leases ADD COLUMN reason text NOT NULL DEFAULT 'none'"
    monkeypatch.setattr(cluster, "_MIGRATIONS", {1: add})

    def reason(_):
        with cluster.transaction(database) as made:
            return made.execute("SELECT reason FROM minorkey_leases").fetchone()

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert list(pool.map(reason, range(4))) == [("none",)] * 4
    monkeypatch.setattr(cluster, "_VERSION", 1)
    with pytest.raises(StateError, match="newer minorkey"), cluster.transaction(database):
        pass
