import concurrent.futures

import psycopg
import pytest

from minorkey.errors import StateError
from minorkey.settings import settings
from minorkey.stores.database import require_database, transaction
from tests.stores.postgres import PASSWORD, Postgres
from tests.stores.processes import free_ports


def refusal(url: str) -> StateError:
    with pytest.raises(StateError) as caught, transaction(url):
        pass
    assert caught.value.remedy and PASSWORD not in str(caught.value)
    return caught.value


def test_tables_are_made_once_however_many_ask(database: str) -> None:
    def versions(_: int) -> list[int]:
        with transaction(database) as made:
            return [version for (version,) in made.execute("SELECT version FROM minorkey_schema")]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert list(pool.map(versions, range(8))) == [[1]] * 8


def test_tables_of_another_version_are_refused(database: str) -> None:
    with transaction(database) as made:
        made.execute("UPDATE minorkey_schema SET version = 9")
    assert "version 9" in str(refusal(database).value)


def test_an_error_undoes_the_transaction(database: str) -> None:
    with pytest.raises(ZeroDivisionError), transaction(database) as made:
        made.execute("INSERT INTO minorkey_leases VALUES ('cards', 'a', 'host', '', 0)")
        raise ZeroDivisionError
    with transaction(database) as made:
        assert made.execute("SELECT count(*) FROM minorkey_leases").fetchone() == (0,)


def test_a_wrong_password_is_named_and_not_shown(postgres_server: Postgres) -> None:
    error = refusal(postgres_server.url(password="wrong-password"))
    assert "user and password" in error.remedy
    assert "wrong-password" not in str(error)


def test_a_missing_database_is_named(postgres_server: Postgres) -> None:
    assert "create the database" in refusal(postgres_server.url("nowhere")).remedy


def test_a_database_that_does_not_answer_is_named() -> None:
    port = free_ports(1)[0]
    error = refusal(f"postgresql://me:{PASSWORD}@127.0.0.1:{port}/minorkey")
    assert error.value == f"postgresql://me@127.0.0.1:{port}/minorkey"


def test_a_user_who_may_make_no_tables_is_named(database: str, postgres_server: Postgres) -> None:
    with psycopg.connect(database, autocommit=True) as made:
        made.execute("CREATE ROLE reader LOGIN PASSWORD 'reads'")
    url = database.replace(f"minorkey:{PASSWORD}", "reader:reads")
    assert "GRANT CREATE" in refusal(url).remedy


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://me:{PASSWORD}@host/name",
        f"postgresql://me:{PASSWORD}@host",
        f"host=localhost password={PASSWORD}",
        f"postgresql://me:{PASSWORD}@host:port/name",
    ],
)
def test_what_is_no_address_is_refused_without_showing_it(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    refusal(url)
    monkeypatch.setenv("MINORKEY_DATABASE_URL", url)
    with pytest.raises(StateError) as caught:
        require_database()
    assert PASSWORD not in str(caught.value)


def test_without_an_address_a_cluster_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MINORKEY_DATABASE_URL", "MINORKEY_DATABASE_URL_FILE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(StateError) as caught:
        require_database()
    assert "MINORKEY_DATABASE_URL_FILE" in caught.value.remedy


def test_the_address_comes_from_the_variable_or_the_file(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "url").write_text("postgresql://file/name\n")
    monkeypatch.delenv("MINORKEY_DATABASE_URL", raising=False)
    monkeypatch.setenv("MINORKEY_DATABASE_URL_FILE", str(tmp_path / "url"))
    assert settings().database_url == "postgresql://file/name"
    monkeypatch.setenv("MINORKEY_DATABASE_URL", f"postgresql://me:{PASSWORD}@variable/name")
    assert settings().database_url == f"postgresql://me:{PASSWORD}@variable/name"
    assert PASSWORD not in repr(settings())
    monkeypatch.delenv("MINORKEY_DATABASE_URL")
    (tmp_path / "url").unlink()
    with pytest.raises(StateError) as caught:
        _ = settings().database_url
    assert caught.value.key == "MINORKEY_DATABASE_URL_FILE"
