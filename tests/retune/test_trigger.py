import json
import math
import sqlite3
import threading
from pathlib import Path

import pytest

from minorkey.errors import StateError
from minorkey.retune.cancelling import ask_cancel
from minorkey.retune.launcher import Seen
from minorkey.retune.ledger import Ledger
from minorkey.retune.spec import ModelSpec
from minorkey.retune.views import figures, page
from tests.retune.surroundings import Runs, Time, World, alert, delivery, trigger_of, wait_until, wish
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


def test_runs_that_keep_the_champion_come_at_growing_distances_until_the_alert_ends(
    url: str, tmp_path: Path
) -> None:
    machine, runs, world = Time(), Runs(tmp_path / "runs"), World()
    trigger = trigger_of(url, runs, world, machine.clock(), cool_down="1h", daily_budget=100)
    starts: list[int] = []
    again = "2026-03-02T00:00:00Z"
    for hour in range(24):
        trigger.receive(delivery(alert() if hour < 18 else alert(startsAt=again)))
        trigger.look()
        for key in set(runs.keys) - set(runs.ended):
            starts.append(hour)
            runs.ended[key] = Seen("succeeded", "kept the champion")
        trigger.look()
        machine.go_on(3_600)
    assert starts == [0, 1, 3, 7, 11, 15, 18, 19, 21], "it ended and began anew at 18"


def test_runs_that_fail_are_repeated_at_the_cool_down(url: str, tmp_path: Path) -> None:
    machine, runs = Time(), Runs(tmp_path / "runs")
    trigger = trigger_of(url, runs, World(), machine.clock(), cool_down="1h", daily_budget=100)
    for _ in range(5):
        trigger.receive(delivery(alert()))
        trigger.look()
        for key in runs.keys:
            runs.ended[key] = Seen("failed", "no room")
        trigger.look()
        machine.go_on(3_600)
    assert len(runs.keys) == 5


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({"dry_run": True}, {}),
        ({"models": {"claims": ModelSpec(spec="unused.yaml")}}, {}),
        ({"act_on": ["prior_shift"]}, {}),
    ],
    ids=["a dry run", "an unknown model", "a kind that informs"],
)
def test_an_alert_that_led_to_no_run_leads_to_one_when_the_reason_has_gone(
    url: str, tmp_path: Path, first: dict[str, object], then: dict[str, object]
) -> None:
    machine, runs = Time(), Runs(tmp_path / "runs")
    before = trigger_of(url, runs, World(), machine.clock(), **first)
    for _ in range(3):
        before.receive(delivery(alert()))
        before.look()
        machine.go_on(7_200)
    assert runs.keys == [] and len(page(before.ledger, 9).actions) == ("dry_run" in first)
    trigger = trigger_of(url, runs, World(), machine.clock(), **then)
    told = [trigger.receive(delivery(alert())).dispositions for _ in range(20)]
    trigger.look()
    assert told == [{"opened": 1}] + 19 * [{"duplicate": 1}] and len(runs.keys) == 1
    (event,) = page(trigger.ledger, 9).events
    assert (event["disposition"], event["deliveries"]) == ("opened", 23)


def test_what_is_old_is_forgotten_with_its_runs_while_the_trigger_goes_on(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine, runs, stop = Time(), Runs(tmp_path / "runs"), threading.Event()
    trigger = trigger_of(url, runs, World(), machine.clock(), keep_days=10.0, poll_seconds=0.01)
    trigger.receive(delivery(alert()))
    trigger.look()
    runs.ended[runs.keys[0]] = Seen("busy", "in flight")
    trigger.look()
    machine.go_on(60)
    trigger.look()
    assert len(runs.keys) == 2
    runs.ended[max(runs.keys, key=len)] = Seen("succeeded", "kept the champion")
    (tmp_path / "runs" / "of-somebody-else").touch()
    monkeypatch.setattr("minorkey.retune.trigger.DAY_SECONDS", 0.0)  # a day is over at each look
    watching = threading.Thread(target=trigger.watch, args=[stop])
    watching.start()
    try:
        wait_until(lambda: page(trigger.ledger, 9).actions[0].status == "kept")
        machine.go_on(11 * 86_400.0)
        wait_until(lambda: page(trigger.ledger, 9).actions == [])
    finally:
        stop.set()
        trigger.wake()
        watching.join()
    assert runs.keys == ["of-somebody-else"] and page(trigger.ledger, 9).events == []


def test_an_action_stays_for_as_long_as_its_alert_is_told(url: str, tmp_path: Path) -> None:
    machine, runs = Time(), Runs(tmp_path / "runs")
    trigger = trigger_of(url, runs, World(ready=(False, "few")), machine.clock())
    trigger.receive(delivery(alert()))
    ask_cancel(trigger.ledger, 1, "cancelled by ann: no")
    machine.go_on(11 * 86_400.0)
    trigger.receive(delivery(alert()))
    trigger.ledger.forget(10.0)
    assert [action.status for action in page(trigger.ledger, 9).actions] == ["cancelled"]
    machine.go_on(11 * 86_400.0)
    trigger.ledger.forget(10.0)
    assert page(trigger.ledger, 9).actions == [] and page(trigger.ledger, 9).events == []


def test_a_wish_by_hand_after_one_that_failed_waits_for_no_cool_down(url: str, tmp_path: Path) -> None:
    runs = Runs(tmp_path / "runs")
    trigger = trigger_of(url, runs, World(), cool_down="6h", daily_budget=3)
    for outcome in ("failed", "failed", "kept"):
        trigger.receive(wish())
        trigger.look()
        for key in set(runs.keys) - set(runs.ended):
            runs.ended[key] = Seen("failed", "no room") if outcome == "failed" else Seen("succeeded")
        trigger.look()
    assert len(runs.keys) == 3
    (number,) = trigger.receive(wish()).actions
    trigger.look()
    assert trigger.ledger.action(number).waiting_for == "cool_down"
    assert figures(trigger.ledger).starts == {"cards": 3}, "the budget counts them"


def test_a_dry_run_counts_for_the_cool_down(url: str, tmp_path: Path) -> None:
    machine, runs = Time(), Runs(tmp_path / "runs")
    before = trigger_of(url, runs, World(), machine.clock(), dry_run=True, cool_down="1h")
    before.receive(delivery(alert()))
    before.look()
    trigger = trigger_of(url, runs, World(), machine.clock(), cool_down="1h")
    for seconds in (10, 3_500, 100):
        machine.go_on(seconds)
        trigger.receive(delivery(alert()))
        trigger.look()
        assert len(runs.keys) == (seconds == 100)


def test_an_alert_about_a_version_that_serves_again_is_acted_on_a_cool_down_later(
    url: str, tmp_path: Path
) -> None:
    machine, runs, world = Time(), Runs(tmp_path / "runs"), World(champions={"cards": "4"})
    trigger = trigger_of(url, runs, world, machine.clock(), cool_down="1h")

    def told() -> dict[str, int]:
        trigger._asked = -math.inf  # the champion is asked for again
        trigger.look()
        found = trigger.receive(delivery(alert())).dispositions
        trigger.look()
        return found

    assert told() == {"opened": 1}, "it tells of version 3"
    machine.go_on(3_601)
    assert told() == {"duplicate": 1}, "that version still does not serve"
    world.champions["cards"] = "3"
    assert told() == {"opened": 1} and len(runs.keys) == 1
    assert [one.status for one in page(trigger.ledger, 9).actions] == ["running", "skipped"]


def test_what_was_cancelled_stays_so(url: str, tmp_path: Path) -> None:
    machine, runs = Time(), Runs(tmp_path / "runs")
    trigger = trigger_of(url, runs, World(ready=(False, "few")), machine.clock())
    trigger.receive(delivery(alert()))
    ask_cancel(trigger.ledger, 1, "cancelled by ann: no")
    machine.go_on(1e7)
    assert trigger.receive(delivery(alert())).dispositions == {"duplicate": 1}


def test_a_model_that_was_taken_out_of_the_specification_holds_up_no_other(url: str, tmp_path: Path) -> None:
    machine, runs, world = Time(), Runs(tmp_path / "runs"), World(holders={"claims": "by-hand"})
    whole = trigger_of(url, runs, world, machine.clock())
    whole.receive(delivery(alert(1, labels={"model": "claims"}), alert(2, labels={"kind": "prior_shift"})))
    runs.away = True
    whole.look()
    wanted = next(action for action in page(whole.ledger, 9).actions if action.model == "cards")
    assert wanted.status == "launching"
    runs.away = False
    world.holders.clear()
    machine.go_on(60)
    rest = trigger_of(url, runs, world, machine.clock(), models={"claims": ModelSpec(spec="unused.yaml")})
    rest.look()
    assert [json.loads((runs.folder / key).read_text())["model"] for key in runs.keys] == ["claims"]
    assert rest.ledger.action(wanted.id).status == "launching", "whoever names its model goes on with it"
    ask_cancel(rest.ledger, wanted.id, "cancelled by ann: taken out")
    rest.look_at_cancelled(wanted.id)
    assert rest.ledger.action(wanted.id).status == "cancelled"


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
    (claimed,) = trigger.ledger.claim_launches(60.0, trigger.spec.models)
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
