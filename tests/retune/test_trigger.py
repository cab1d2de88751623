import sqlite3
from pathlib import Path

import pytest

from minorkey.errors import StateError
from minorkey.retune.launcher import Seen
from minorkey.retune.ledger import Ledger
from minorkey.retune.views import page
from tests.retune.surroundings import Runs, Time, World, alert, delivery, trigger_of
from tests.retune.trigger_contract import TriggerContract


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'books' / 'retune.db'}"


class TestSqlite(TriggerContract):
    pass


class TestPostgres(TriggerContract):
    @pytest.fixture
    def url(self, database: str) -> str:
        return database


@pytest.mark.parametrize("jump", [-86_400.0, 7 * 86_400.0, 0.0])
def test_a_wall_clock_that_jumps_neither_shortens_nor_lengthens_a_cool_down(
    url: str, tmp_path: Path, jump: float
) -> None:
    machine, runs = Time(), Runs(tmp_path / "runs")
    trigger = trigger_of(url, runs, World(), machine.clock(), cool_down="1h")
    trigger.receive(delivery(alert(1)))
    trigger.look()
    runs.ended[runs.keys[0]] = Seen("failed", "no")
    trigger.look()
    trigger.receive(delivery(alert(2)))
    machine.wall_time += jump
    machine.go_on(3_590)
    trigger = trigger_of(url, runs, World(), machine.clock(), cool_down="1h")
    trigger.look()
    assert len(runs.keys) == 1
    machine.go_on(11)
    trigger.look()
    assert len(runs.keys) == 2


def test_harm_that_is_still_told_after_a_run_and_a_cool_down_leads_to_another_run(
    url: str, tmp_path: Path
) -> None:
    machine, runs, world = Time(), Runs(tmp_path / "runs"), World()
    trigger = trigger_of(url, runs, world, machine.clock(), cool_down="1h")
    for pause in (0, 60, 3_500):
        machine.go_on(pause)
        assert trigger.receive(delivery(alert())).actions == ((1,) if pause == 0 else ())
        trigger.look()
        runs.ended[runs.keys[0]] = Seen("succeeded", "kept the champion")
        trigger.look()
    machine.go_on(60)
    assert trigger.receive(delivery(alert(status="resolved"))).actions == ()
    assert trigger.receive(delivery(alert())).dispositions == {"opened": 1}
    trigger.look()
    assert len(runs.keys) == 2
    (event,) = page(trigger.ledger, 9).events
    assert (event["action"], event["deliveries"]) == (2, 4)
    runs.ended[runs.keys[1]], world.champions["cards"] = Seen("succeeded", "done"), "4"
    runs.ended[runs.keys[0]] = Seen("succeeded", "done")
    trigger.look()
    machine.go_on(4_000)
    assert trigger.receive(delivery(alert())).dispositions == {"duplicate": 1}


def test_who_is_away_while_a_run_goes_on_or_ends_is_recorded_and_asked_again(
    url: str, tmp_path: Path
) -> None:
    machine, runs, world = Time(), Runs(tmp_path / "runs"), World()
    trigger = trigger_of(url, runs, world, machine.clock())
    trigger.receive(delivery(alert()))
    trigger.look()

    def now() -> tuple[str, str]:
        (action,) = page(trigger.ledger, 9).actions
        return action.status, action.detail

    runs.away = True  # Kubeflow Pipelines, say
    trigger.look()
    assert now() == ("running", "nobody answers")
    runs.away, runs.ended[runs.keys[0]] = False, Seen("succeeded", "search: better")
    world.away = True  # the registry, which knows what the run came to
    trigger.look()
    assert now() == ("running", "the registry does not answer")
    world.away, world.champions["cards"] = False, "4"
    for _ in range(2):
        trigger.look()
    assert now() == ("promoted", "search: better") and len(runs.keys) == 1


def test_after_a_restart_of_the_machine_time_does_not_go_back(url: str, tmp_path: Path) -> None:
    machine, runs = Time(), Runs(tmp_path / "runs")
    trigger_of(url, runs, World(), machine.clock()).receive(delivery(alert(1)))
    machine.wall_time -= 500.0
    machine.steady_time = 5.0
    rebooted = trigger_of(url, runs, World(), machine.clock())
    (before,) = page(rebooted.ledger, 9).actions
    rebooted.look()
    (after,) = page(rebooted.ledger, 9).actions
    assert after.started is not None and after.started >= before.created


def test_a_cut_short_launch_is_taken_over_only_after_its_claim(url: str, tmp_path: Path) -> None:
    machine, runs = Time(), Runs(tmp_path / "runs")
    trigger = trigger_of(url, runs, World(), machine.clock(), claim_seconds=60.0)
    trigger.receive(delivery(alert()))
    trigger.ledger.consider(trigger.ledger.waiting()[0], trigger.spec, _world(World()))
    (claimed,) = trigger.ledger.claim_launches(60.0)
    other = trigger_of(url, runs, World(), machine.clock(), claim_seconds=60.0)
    other.look()
    assert runs.keys == []
    machine.go_on(61)
    other.look()
    assert runs.keys == [claimed.run_key]
    trigger.look()
    assert not trigger.ledger.launched(claimed, "late")


def test_a_damaged_file_and_a_folder_that_is_none_are_told(tmp_path: Path) -> None:
    (tmp_path / "retune.db").write_text("this is no database, and long enough to be read as one" * 40)
    (tmp_path / "file").touch()
    for place in ("retune.db", "file/retune.db"):
        with pytest.raises(StateError) as caught:
            Ledger(f"sqlite:///{tmp_path / place}")
        assert caught.value.remedy and place in caught.value.key


def test_a_ledger_that_another_process_holds_refuses_rather_than_waits_for_ever(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("minorkey.stores.sql._PATIENCE", 0.1)
    trigger = trigger_of(url, Runs(tmp_path / "runs"), World())
    holder = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    trigger.ledger.close()
    with pytest.raises(StateError, match="locked"):
        trigger.receive(delivery(alert()))
    holder.execute("ROLLBACK")
    holder.close()
    assert trigger.receive(delivery(alert())).dispositions == {"opened": 1}


def _world(world: World):
    from minorkey.retune.policy import World as Told

    return Told(world.champion("cards"), "", None, "unknown")
