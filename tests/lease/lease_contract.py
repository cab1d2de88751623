"""What every place for leases must do. A module of an implementation gives the fixture ``place``."""

import fcntl
import multiprocessing
import time
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from minorkey.errors import StateError
from minorkey.lease import Leases, leases
from minorkey.lease.renewal import renewing

#: Seconds that leases of the fixture ``brief`` last.
VALIDITY = 2.0


def _try(run_key: str) -> str:
    try:
        return leases().take("cards", run_key).run_key
    except StateError:
        return ""


def _work(place: Leases, ready: Connection) -> None:
    place.take("cards", "a")
    with renewing(place, "cards", "a", validity=VALIDITY):
        ready.send("working")
        ready.recv()


class LeaseContract:
    """The fixture ``place`` is what `leases` finds, in this process and in those that it starts.

    The fixture ``brief`` is one whose leases last `VALIDITY`.
    """

    def test_a_run_that_works_keeps_its_lease_and_one_that_is_killed_loses_it(self, brief: Leases) -> None:
        mine, its = multiprocessing.Pipe()
        run = multiprocessing.get_context("fork").Process(target=_work, args=(brief, its), daemon=True)
        run.start()
        assert mine.recv() == "working"
        until = time.monotonic() + 1.5 * VALIDITY
        while time.monotonic() < until:
            holder = brief.holder("cards")
            assert holder is not None and holder.run_key == "a"
            time.sleep(VALIDITY / 10)
        with pytest.raises(StateError):
            brief.take("cards", "b")
        run.kill()
        run.join()
        assert brief.holder("cards") is not None
        until = time.monotonic() + 3 * VALIDITY
        while brief.holder("cards") is not None:
            assert time.monotonic() < until
            time.sleep(VALIDITY / 10)
        assert brief.take("cards", "b").run_key == "b"

    def test_renewing_is_for_the_holder_alone(self, place: Leases) -> None:
        assert not place.renew("cards", "a")
        assert place.holder("cards") is None
        first = place.take("cards", "a", owner="")
        time.sleep(0.01)
        assert place.renew("cards", "a") and not place.renew("cards", "b")
        holder = place.holder("cards")
        assert holder is not None and holder.heartbeat > first.heartbeat
        assert (holder.run_key, holder.host, holder.owner) == (first.run_key, first.host, first.owner)

    def test_a_lease_that_another_run_has_taken_is_left_alone_and_told(
        self, brief: Leases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        events = tmp_path / "events.jsonl"
        monkeypatch.setenv("MINORKEY_EVENTS", str(events))
        brief.take("cards", "a")
        with renewing(brief, "cards", "a", validity=VALIDITY):
            time.sleep(VALIDITY / 4)
            assert brief.release("cards", "a") and brief.take("cards", "b")
            until = time.monotonic() + 3 * VALIDITY
            while not events.exists():
                assert time.monotonic() < until
                time.sleep(VALIDITY / 20)
        holder = brief.holder("cards")
        assert holder is not None and holder.run_key == "b"
        assert "model cards is gone" in events.read_text()

    def test_one_of_many_wins(self, place: Leases) -> None:
        with multiprocessing.get_context("fork").Pool(4) as pool:
            winners = [key for key in pool.map(_try, [f"run-{i}" for i in range(20)], chunksize=1) if key]
        holder = place.holder("cards")
        assert holder is not None
        assert winners == [holder.run_key]

    def test_release_is_for_the_holder_alone(self, place: Leases) -> None:
        place.take("cards", "a")
        assert not place.release("cards", "b")
        assert place.release("cards", "a")
        assert not place.release("cards", "a")
        assert place.holder("cards") is None
        assert place.take("cards", "b").run_key == "b"

    def test_models_do_not_hinder_each_other(self, place: Leases) -> None:
        place.take("cards", "a")
        assert place.take("claims", "b").run_key == "b"

    def test_taking_it_again_renews_it(self, place: Leases) -> None:
        first = place.take("cards", "a")
        time.sleep(0.01)
        assert place.take("cards", "a").heartbeat > first.heartbeat
        assert place.holder("cards") == place.holder("cards")

    def test_a_second_run_hears_who_holds_it(self, place: Leases) -> None:
        place.take("cards", "a")
        with pytest.raises(StateError) as caught:
            place.take("cards", "b")
        assert caught.value.key == "model cards" and "run a" in str(caught.value.value)
        assert caught.value.remedy

    def test_a_lease_ends_with_its_owner(self, place: Leases, tmp_path: Path) -> None:
        owner = tmp_path / "owner.lock"
        with owner.open("w") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            place.take("cards", "a", owner=str(owner))
            with pytest.raises(StateError) as caught:
                place.take("cards", "b")
            assert "run a" in str(caught.value.value)
        assert place.holder("cards") is None
        assert place.take("cards", "b").run_key == "b"
