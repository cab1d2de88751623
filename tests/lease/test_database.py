from pathlib import Path

import psycopg
import pytest

from minorkey import lease
from minorkey.errors import StateError
from minorkey.lease import Leases
from minorkey.lease.database import DatabaseLeases
from tests.lease.lease_contract import LeaseContract


@pytest.fixture
def place(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Leases:
    monkeypatch.delenv("MINORKEY_DATABASE_URL", raising=False)
    (tmp_path / "url").write_text(f"{database}\n")
    monkeypatch.setenv("MINORKEY_DATABASE_URL_FILE", str(tmp_path / "url"))
    found = lease.leases()
    assert isinstance(found, DatabaseLeases)
    return found


class TestDatabase(LeaseContract):
    pass


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
