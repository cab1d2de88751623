import json
from pathlib import Path

import pytest

from minorkey import lease
from minorkey.errors import StateError
from minorkey.lease import Leases
from minorkey.lease.folder import FolderLeases
from tests.lease.lease_contract import VALIDITY, LeaseContract


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MINORKEY_HOME", str(tmp_path))
    for name in ("MINORKEY_DATABASE_URL", "MINORKEY_DATABASE_URL_FILE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


class TestFolder(LeaseContract):
    @pytest.fixture
    def place(self) -> Leases:
        return lease.leases()

    @pytest.fixture
    def brief(self, home: Path) -> Leases:
        return FolderLeases(home / "brief", validity=VALIDITY)


def test_a_silent_lease_expires_and_a_renewed_one_does_not(home: Path) -> None:
    lease.take("cards", "a")
    path = home / "leases" / "cards.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "heartbeat": content["heartbeat"] - lease.EXPIRY_SECONDS}))
    assert lease.holder("cards") is None
    lease.take("cards", "a")
    with pytest.raises(StateError):
        lease.take("cards", "b")


def test_a_damaged_lease_is_nobodys(home: Path) -> None:
    lease.take("cards", "a")
    (home / "leases" / "cards.json").write_text("{")
    assert lease.take("cards", "b").run_key == "b"


def test_an_unwritable_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MINORKEY_HOME", str(tmp_path / "file"))
    with pytest.raises(StateError, match="leases"):
        lease.take("cards", "a")
