"""What every place for leases must do. A module of an implementation gives the fixture ``place``."""

import fcntl
import multiprocessing
import time
from pathlib import Path

import pytest

from minorkey.errors import StateError
from minorkey.lease import Leases, leases


def _try(run_key: str) -> str:
    try:
        return leases().take("cards", run_key).run_key
    except StateError:
        return ""


class LeaseContract:
    """The fixture ``place`` is what `leases` finds, in this process and in those that it starts."""

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
