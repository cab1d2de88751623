import fcntl
import json
import multiprocessing
from pathlib import Path

import pytest

from minorkey import lease
from minorkey.errors import StateError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MINORKEY_HOME", str(tmp_path))
    return tmp_path


def _try(run_key: str) -> str:
    try:
        return lease.take("cards", run_key).run_key
    except StateError:
        return ""


def test_one_of_many_wins() -> None:
    with multiprocessing.get_context("fork").Pool(4) as pool:
        winners = [key for key in pool.map(_try, [f"run-{i}" for i in range(20)], chunksize=1) if key]
    holder = lease.holder("cards")
    assert holder is not None
    assert winners == [holder.run_key]


def test_release_is_for_the_holder_alone() -> None:
    lease.take("cards", "a")
    assert not lease.release("cards", "b")
    assert lease.release("cards", "a")
    assert lease.holder("cards") is None
    assert lease.take("cards", "b").run_key == "b"


def test_models_do_not_hinder_each_other() -> None:
    lease.take("cards", "a")
    assert lease.take("claims", "b").run_key == "b"


def test_a_lease_ends_with_its_owner(tmp_path: Path) -> None:
    owner = tmp_path / "owner.lock"
    with owner.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        lease.take("cards", "a", owner=str(owner))
        with pytest.raises(StateError) as caught:
            lease.take("cards", "b")
        assert "run a" in str(caught.value.value)
    assert lease.holder("cards") is None
    assert lease.take("cards", "b").run_key == "b"


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
