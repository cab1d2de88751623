import time
from pathlib import Path

import psycopg
import pytest

from minorkey import lease
from minorkey.errors import StateError
from minorkey.lease import Leases
from minorkey.lease.database import DatabaseLeases
from minorkey.lease.renewal import renewing
from tests.lease.lease_contract import VALIDITY, LeaseContract


@pytest.fixture
def place(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Leases:
    monkeypatch.delenv("MINORKEY_DATABASE_URL", raising=False)
    (tmp_path / "url").write_text(f"{database}\n")
    monkeypatch.setenv("MINORKEY_DATABASE_URL_FILE", str(tmp_path / "url"))
    found = lease.leases()
    assert isinstance(found, DatabaseLeases)
    return found


class TestDatabase(LeaseContract):
    @pytest.fixture
    def brief(self, database: str) -> Leases:
        return DatabaseLeases(database, validity=VALIDITY)


def test_a_renewal_outlives_a_database_that_is_away(
    place: Leases, database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    events = tmp_path / "events.jsonl"
    monkeypatch.setenv("MINORKEY_EVENTS", str(events))
    away = database.rpartition("/")[0] + "/absent"
    place.take("cards", "a")
    leases = DatabaseLeases(away, validity=VALIDITY)
    with renewing(leases, "cards", "a", validity=VALIDITY):
        until = time.monotonic() + 20
        while not events.exists():
            assert time.monotonic() < until
            time.sleep(0.05)
        before = place.holder("cards")
        leases._url = database
        while place.holder("cards") == before:
            assert time.monotonic() < until
            time.sleep(0.05)
    assert "could not be renewed" in events.read_text()


def test_a_silent_lease_expires_and_a_renewed_one_does_not(place: Leases, database: str) -> None:
    place.take("cards", "a")
    with psycopg.connect(database) as made:
        made.execute("UPDATE minorkey_leases SET heartbeat = heartbeat - %s", [lease.EXPIRY_SECONDS])
    assert place.holder("cards") is None
    place.take("cards", "a")
    with pytest.raises(StateError):
        place.take("cards", "b")


def test_an_expired_lease_is_another_runs_to_take(place: Leases, database: str) -> None:
    place.take("cards", "a")
    with psycopg.connect(database) as made:
        made.execute("UPDATE minorkey_leases SET heartbeat = 0")
    assert place.take("cards", "b").run_key == "b"
    assert not place.release("cards", "a")
