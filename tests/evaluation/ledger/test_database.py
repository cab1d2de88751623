import psycopg
import pytest

from minorkey.errors import StateError
from minorkey.evaluation.ledger import OpeningLedger, open_ledger
from minorkey.evaluation.ledger.database import DatabaseLedger
from tests.evaluation.ledger.ledger_contract import LedgerContract


@pytest.fixture
def ledger(database: str, monkeypatch: pytest.MonkeyPatch) -> OpeningLedger:
    monkeypatch.setenv("MINORKEY_DATABASE_URL", database)
    found = open_ledger()
    assert isinstance(found, DatabaseLedger)
    return found


class TestDatabase(LedgerContract):
    pass


def test_a_ledger_with_a_lost_row_is_refused(ledger: OpeningLedger, database: str) -> None:
    for run in ("one", "two", "three"):
        ledger.open("a", run)
    with psycopg.connect(database) as made:
        made.execute("DELETE FROM minorkey_openings WHERE run_key = 'two'")
    with pytest.raises(StateError, match="altered") as caught:
        ledger.open("a", "four")
    assert "backup" in caught.value.remedy
    assert ledger.openings("a") == 3
