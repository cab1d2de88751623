import os
import re
import shutil
import threading
import time
from pathlib import Path

import psycopg
import pytest

from minorkey.errors import StateError
from minorkey.search.storage import open_storage
from minorkey.trials.local import LocalExecutor
from minorkey.trials.study_root import LocalStudyRoot, open_root
from minorkey.trials.trial import TrialResult
from tests.search.storage_contract import StorageContract, executor, states
from tests.search.studies import run_loop
from tests.stores.postgres import PASSWORD, Postgres

__all__ = ["executor"]


class TestPostgres(StorageContract):
    @pytest.fixture
    def url(self, database: str) -> str:
        return database


def end_connections(url: str) -> int:
    """End every other connection to the database, as a restarted server or a network does."""
    with psycopg.connect(url, autocommit=True) as made:
        return len(
            made.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND backend_type = 'client backend'"
            ).fetchall()
        )


def test_a_torn_connection_is_mended_under_the_same_lock(
    tmp_path: Path, database: str, executor: LocalExecutor
) -> None:
    torn = []

    def tear(result: TrialResult) -> None:
        if len(torn) < 3:
            torn.append(end_connections(database))

    done = run_loop(tmp_path, executor, trials=10, database=database, on_result=tear)
    assert [result.number for result in done.results] == list(range(10))
    assert torn == [1, 1, 1]


def test_a_database_that_is_away_for_a_while_is_waited_for(
    tmp_path: Path, database: str, postgres_server: Postgres, executor: LocalExecutor
) -> None:
    name = database.rpartition("/")[2]

    def allow(yes: bool) -> None:
        with psycopg.connect(postgres_server.url(), autocommit=True) as made:
            made.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {yes}')
            if not yes:
                made.execute(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", [name]
                )

    def go_away(result: TrialResult) -> None:
        if result.number == 2:
            allow(False)
            threading.Timer(1.0, allow, [True]).start()

    done = run_loop(tmp_path, executor, trials=5, database=database, on_result=go_away)
    assert [result.number for result in done.results] == list(range(5))


def test_a_driver_whose_connection_tore_ends_if_another_was_faster(tmp_path: Path, database: str) -> None:
    root = LocalStudyRoot(tmp_path)
    with (
        pytest.raises(StateError, match=f"driven by process {os.getpid()} on"),
        open_storage(root, database) as first,
    ):
        first.storage.get_all_studies()
        assert end_connections(database) == 1
        with open_storage(root, database):
            first.storage.get_all_studies()


def test_a_dead_connection_that_the_server_still_holds_is_ended_by_its_owner(
    tmp_path: Path, database: str
) -> None:
    """The network between is gone, so the server has not heard that the connection broke."""
    root = LocalStudyRoot(tmp_path)
    with open_storage(root, database) as books:
        engine = books.storage._backend.engine  # type: ignore[attr-defined]
        engine.pool = engine.pool.recreate()
        books.storage.get_all_studies()
        with pytest.raises(StateError, match="driven by"), open_storage(root, database):
            pass


def test_drivers_that_start_together_make_the_tables_once(database: str, tmp_path: Path) -> None:
    failures: list[BaseException] = []

    def start(name: str) -> None:
        try:
            with open_storage(LocalStudyRoot(tmp_path / name), database) as books:
                books.storage.get_all_studies()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=start, args=(str(number),)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_wrong_password_is_named_and_not_shown(tmp_path: Path, postgres_server: Postgres) -> None:
    url = postgres_server.url(password="wrong-password")
    with pytest.raises(StateError) as caught, open_storage(LocalStudyRoot(tmp_path), url):
        pass
    assert "wrong-password" not in str(caught.value) and "user and password" in caught.value.remedy


def test_the_password_is_in_nothing_that_is_left(
    tmp_path: Path, database: str, executor: LocalExecutor
) -> None:
    run_loop(tmp_path, executor, trials=2, database=database)
    assert not [
        path for path in tmp_path.rglob("*") if path.is_file() and PASSWORD.encode() in path.read_bytes()
    ]


def test_a_root_that_was_emptied_is_another_study(
    tmp_path: Path, database: str, executor: LocalExecutor
) -> None:
    folder = tmp_path / "study"
    for trials in (5, 3):
        run_loop(folder, executor, trials=trials, database=database)
        assert len(states(folder, database)) == trials
        shutil.rmtree(folder)


def test_the_lock_says_since_when(tmp_path: Path, database: str) -> None:
    root = LocalStudyRoot(tmp_path)
    with open_storage(root, database), pytest.raises(StateError) as caught, open_storage(root, database):
        pass
    year = time.strftime("%Y", time.gmtime())
    assert re.search(rf"since {year}-\d\d-\d\d \d\d:\d\d:\d\d", caught.value.problem)


def test_a_study_in_a_bucket_is_driven_from_a_database(s3: str, database: str) -> None:
    with open_storage(open_root(s3), database) as books:
        assert books.storage.get_all_studies() == []
