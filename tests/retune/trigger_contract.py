"""What a trigger does, whatever its ledger is kept in. A module gives the fixture ``url``."""

import concurrent.futures
import random
from pathlib import Path

import pytest

from minorkey.errors import StateError
from minorkey.retune.cancelling import ask_cancel
from minorkey.retune.launcher import Seen
from minorkey.retune.ledger import Ledger
from minorkey.retune.policy import DAY_SECONDS
from minorkey.retune.schedules import Schedules
from minorkey.retune.spec import ScheduleSpec
from minorkey.retune.trigger import Trigger
from minorkey.retune.views import figures, page
from tests.retune.surroundings import Runs, World, alert, delivery, trigger_of, wish


def statuses(trigger: Trigger) -> list[str]:
    return [action.status for action in reversed(page(trigger.ledger, 100).actions)]


class TriggerContract:
    @pytest.fixture
    def runs(self, tmp_path: Path) -> Runs:
        return Runs(tmp_path / "runs")

    def test_an_alert_leads_to_one_run_and_its_end_is_written_down(self, url: str, runs: Runs) -> None:
        world = World()
        trigger = trigger_of(url, runs, world)
        assert trigger.receive(delivery(alert())).dispositions == {"opened": 1}
        trigger.look()
        (key,) = runs.keys
        assert statuses(trigger) == ["running"]
        runs.ended[key], world.champions["cards"] = Seen("succeeded", "done"), "4"
        trigger.look()
        (action,) = page(trigger.ledger, 10).actions
        assert (action.status, action.base_version, action.detail) == ("promoted", "3", "done")
        assert figures(trigger.ledger).counts["retune", "cards", "performance_down", "promoted"] == 1

    def test_a_storm_of_repetitions_in_any_order_leads_to_one_run(self, url: str, runs: Runs) -> None:
        trigger = trigger_of(url, runs, World())
        storm = [alert(number) for number in range(4)] * 10
        storm += [alert(number, status="resolved") for number in range(4)] * 5
        random.Random(0).shuffle(storm)
        total = {"opened": 0, "joined": 0, "duplicate": 0}
        for start in range(0, len(storm), 6):
            recorded = trigger.receive(delivery(*storm[start : start + 6])).dispositions
            total = {name: total[name] + recorded.get(name, 0) for name in total}
            trigger.look()
        assert total["opened"] + total["joined"] == 4
        assert len(runs.keys) == 1
        events = page(trigger.ledger, 10).events
        assert len(events) == 4 and all(event["action"] is not None for event in events)

    def test_what_only_informs_and_who_is_unknown_start_nothing(self, url: str, runs: Runs) -> None:
        trigger = trigger_of(url, runs, World())
        recorded = trigger.receive(
            delivery(
                alert(1, labels={"kind": "data_drift"}),
                alert(2, labels={"model": "stranger"}),
                alert(3, labels={"model": "", "kind": "predictor_down"}),
                alert(4, status="resolved"),
            )
        )
        trigger.look()
        assert recorded.dispositions == {"informed": 2, "unknown_model": 1, "resolved": 1}
        assert runs.keys == [] and statuses(trigger) == []
        models = {model for _, model, _, _ in figures(trigger.ledger).counts}
        assert models <= {"cards", "(unknown)"}

    def test_two_triggers_on_one_ledger_start_one_run(self, url: str, runs: Runs) -> None:
        world = World()
        triggers = [trigger_of(url, runs, world) for _ in range(2)]
        for number in range(3):
            triggers[number % 2].receive(delivery(alert(number, labels={"kind": "calibration_off"})))
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for _ in range(5):
                list(pool.map(lambda trigger: trigger.look(), triggers * 2))
        (key,) = runs.keys
        assert len((runs.folder / key).read_text().splitlines()) == 1
        assert statuses(triggers[0]) == ["running"]

    def test_one_run_a_model_at_a_time_and_models_do_not_hinder_each_other(
        self, url: str, runs: Runs
    ) -> None:
        trigger = trigger_of(url, runs, World())
        trigger.receive(delivery(alert(1), alert(2, labels={"kind": "prior_shift"})))
        trigger.receive(delivery(alert(3, labels={"model": "claims"})))
        trigger.look()
        assert statuses(trigger) == ["running", "waiting", "running"]
        assert page(trigger.ledger, 9).actions[1].waiting_for == "lease"

    def test_a_lease_that_somebody_else_holds_is_waited_for_and_recorded(self, url: str, runs: Runs) -> None:
        world = World(holders={"cards": "by-hand"})
        trigger = trigger_of(url, runs, world, poll_seconds=0.001)
        trigger.receive(delivery(alert()))
        trigger.look()
        outside, wanted = page(trigger.ledger, 9).actions
        assert (outside.source, outside.status, outside.run_id) == ("outside", "running", "by-hand")
        assert (wanted.status, wanted.waiting_for) == ("waiting", "lease")
        world.holders.clear()
        for _ in range(50):
            trigger.look()
        assert statuses(trigger) == ["running", "gone"] and len(runs.keys) == 1

    def test_labels_are_waited_for_and_unknown_is_recorded(self, url: str, runs: Runs) -> None:
        world = World(ready=(False, "12 of 50 positives"))
        trigger = trigger_of(url, runs, world, poll_seconds=0.001)
        trigger.receive(delivery(alert()))
        trigger.look()
        (action,) = page(trigger.ledger, 9).actions
        assert (action.status, action.waiting_for, action.detail) == (
            "waiting",
            "labels",
            "12 of 50 positives",
        )
        world.ready = (None, "unknown: nobody counts")
        for _ in range(50):
            trigger.look()
        (action,) = page(trigger.ledger, 9).actions
        assert (action.status, action.labels) == ("running", "unknown: nobody counts")

    def test_a_dry_run_decides_and_starts_nothing(self, url: str, runs: Runs) -> None:
        trigger = trigger_of(url, runs, World(), dry_run=True)
        trigger.receive(delivery(alert()))
        trigger.look()
        trigger.receive(delivery(alert(2)))
        trigger.look()
        assert statuses(trigger) == ["dry_run", "waiting"] and runs.keys == []
        assert figures(trigger.ledger).counts["postponed", "cards", "", "dry_run"] == 1

    @pytest.mark.parametrize("left", ["launching", "lost", "next", "busy"])
    def test_a_dry_run_goes_on_with_no_launch_of_before(self, url: str, runs: Runs, left: str) -> None:
        before = trigger_of(url, runs, World(), poll_seconds=1e-6)
        before.receive(delivery(alert()))
        runs.away = left == "launching"
        before.look()
        runs.away = False
        made = {key: (runs.folder / key).read_text() for key in runs.keys}
        runs.ended = {key: Seen(left) for key in made}  # type: ignore[arg-type]
        dry = trigger_of(url, runs, World(), poll_seconds=1e-6, dry_run=True)
        for _ in range(20):
            dry.look()
        assert {key: (runs.folder / key).read_text() for key in runs.keys} == made
        action = dry.ledger.action(1)
        assert action.status == "launching" and "dry_run is set" in action.detail
        ask_cancel(dry.ledger, 1, "cancelled by ann: no")
        dry.look_at_cancelled(1)
        assert statuses(dry) == ["cancelled"]

    def test_an_alert_about_a_replaced_version_is_not_acted_on(self, url: str, runs: Runs) -> None:
        trigger = trigger_of(url, runs, World(champions={"cards": "4"}))
        trigger.receive(delivery(alert()))
        trigger.look()
        (action,) = page(trigger.ledger, 9).actions
        assert action.status == "skipped" and "version 4 serves" in action.detail and runs.keys == []
        trigger.receive(delivery(alert(2, labels={"version": "4"})))
        trigger.look()
        assert len(runs.keys) == 1

    def test_an_error_that_nobody_expects_holds_up_no_other_model(self, url: str, runs: Runs) -> None:
        world = World(broken={"cards"})
        trigger = trigger_of(url, runs, world, poll_seconds=0.001)
        trigger.receive(delivery(alert(1), alert(2, labels={"model": "claims"})))
        trigger.look()
        claims, cards = page(trigger.ledger, 9).actions
        assert (claims.status, cards.status, cards.waiting_for) == ("running", "waiting", "unreachable")
        assert cards.detail == "RuntimeError: a defect"

        world.broken, runs.broken = set(), {"cards"}
        for _ in range(20):
            trigger.look()
        assert statuses(trigger) == ["launching", "running"]
        runs.broken = set()
        for _ in range(50):
            trigger.look()
        assert statuses(trigger) == ["running", "running"]
        (key,) = (one.run_key for one in page(trigger.ledger, 9).actions if one.model == "claims")
        runs.broken, runs.ended[key] = {"cards"}, Seen("failed", "no rows")
        trigger.look()
        assert statuses(trigger) == ["running", "failed"]

    def test_a_registry_that_is_away_loses_nothing(self, url: str, runs: Runs) -> None:
        world = World(away=True)
        trigger = trigger_of(url, runs, world, poll_seconds=0.001)
        trigger.receive(delivery(alert()))
        for _ in range(3):
            trigger.look()
        (action,) = page(trigger.ledger, 9).actions
        assert (action.status, action.waiting_for) == ("waiting", "unreachable")
        assert action.detail == "the registry does not answer"
        world.away = False
        for _ in range(100):
            trigger.look()
        assert len(runs.keys) == 1

    def test_a_launch_that_fails_is_tried_again_under_the_same_key(self, url: str, runs: Runs) -> None:
        runs.away = True
        trigger = trigger_of(url, runs, World(), poll_seconds=0.001)
        trigger.receive(delivery(alert()))
        for _ in range(5):
            trigger.look()
        (action,) = page(trigger.ledger, 9).actions
        assert action.status == "launching" and action.attempts >= 1 and action.detail == "nobody answers"
        assert ("cards", "unreachable") in figures(trigger.ledger).oldest
        runs.away = False
        for _ in range(200):
            trigger.look()
        assert runs.keys == [action.run_key] and statuses(trigger) == ["running"]

    def test_a_relaunch_that_was_cut_short_does_not_wait_for_its_own_run(self, url: str, runs: Runs) -> None:
        world = World()
        trigger = trigger_of(url, runs, world, poll_seconds=1e-6)
        trigger.receive(delivery(alert()))
        trigger.look()
        (key,) = runs.keys
        runs.ended[key] = Seen("busy")
        world.holders["cards"] = "by-hand"
        trigger.look()
        launch, own = trigger.ledger.action(1), f"{key}-again1"
        assert (launch.status, launch.waiting_for, launch.run_key) == ("launching", "lease", own)
        world.holders["cards"] = own
        for _ in range(20):
            trigger.look()
        action = trigger.ledger.action(1)
        assert (action.status, action.run_id) == ("running", own)

    def test_a_lost_run_is_resumed_and_given_up_in_the_end(self, url: str, runs: Runs) -> None:
        trigger = trigger_of(url, runs, World(), poll_seconds=1e-6)
        trigger.receive(delivery(alert()))
        trigger.look()
        (key,) = runs.keys
        runs.ended[key] = Seen("lost", "no word")
        for _ in range(60):
            trigger.look()
        assert runs.keys == [key]
        (action,) = page(trigger.ledger, 9).actions
        assert action.status == "failed"

    def test_a_run_that_met_another_one_is_tried_again_under_another_key(self, url: str, runs: Runs) -> None:
        trigger = trigger_of(url, runs, World(), poll_seconds=1e-6)
        trigger.receive(delivery(alert()))
        trigger.look()
        (key,) = runs.keys
        runs.ended[key] = Seen("busy", "in flight")
        for _ in range(20):
            trigger.look()
        assert len(runs.keys) == 2 and statuses(trigger) == ["running"]

    def test_a_run_that_meets_others_again_and_again_is_tried_ever_later_and_named_briefly(
        self, url: str, runs: Runs
    ) -> None:
        world = World()
        trigger = trigger_of(url, runs, world, poll_seconds=1e-6)
        trigger.receive(delivery(alert()))
        trigger.look()
        for number in range(1, 61):
            key = trigger.ledger.action(1).run_key
            runs.ended[key] = Seen("busy", "in flight")
            while trigger.ledger.action(1).run_key == key or statuses(trigger) != ["running"]:
                trigger.look()
            assert trigger.ledger.action(1).attempts == number, "each time twice as late, to ten minutes"
        first, last = min(runs.keys, key=len), trigger.ledger.action(1).run_key
        assert last == f"{first}-again60" and len(runs.keys) == 61

    def test_a_run_that_met_another_one_is_not_tried_again_while_that_one_goes_on(
        self, url: str, runs: Runs
    ) -> None:
        world = World()
        trigger = trigger_of(url, runs, world, poll_seconds=1e-6)
        trigger.receive(delivery(alert()))
        trigger.look()
        (key,) = runs.keys
        runs.ended[key], world.holders["cards"] = Seen("busy", "in flight"), "by-hand"
        for _ in range(20):
            trigger.look()
        action = trigger.ledger.action(1)
        assert (action.status, action.waiting_for, action.attempts) == ("launching", "lease", 1)
        assert "by-hand" in action.detail and runs.keys == [key]
        world.holders.clear()
        for _ in range(20):
            trigger.look()
        assert (trigger.ledger.action(1).status, len(runs.keys)) == ("running", 2)

    def test_a_wish_by_hand_goes_the_same_path(self, url: str, runs: Runs) -> None:
        trigger = trigger_of(url, runs, World(), daily_budget=1)
        (number,) = trigger.receive(wish()).actions
        trigger.look()
        assert trigger.ledger.action(number).source == "manual"
        trigger.receive(wish("schedule"))
        trigger.look()
        assert page(trigger.ledger, 9).actions[0].waiting_for == "budget"

    def test_old_rows_are_forgotten_and_open_ones_are_not(self, url: str, runs: Runs) -> None:
        trigger = trigger_of(url, runs, World())
        trigger.receive(delivery(alert(1), alert(2, labels={"kind": "prior_shift"})))
        trigger.look()
        runs.ended[runs.keys[0]] = Seen("failed", "no")
        trigger.look()
        trigger.ledger.forget(-1.0)
        found = page(trigger.ledger, 9)
        assert [action.kind for action in found.actions] == ["prior_shift"]
        assert [event["kind"] for event in found.events] == ["prior_shift"]
        assert found.counts["retune", "cards", "performance_down", "failed"] == 1

    def test_tables_of_another_version_are_refused(self, url: str) -> None:
        ledger = Ledger(url)
        with ledger.books.transaction() as made:
            made.change("UPDATE minorkey_retune_schema SET version = 99")
        with pytest.raises(StateError) as caught:
            Ledger(url)
        assert "99" in str(caught.value.value)

    def test_many_deliveries_at_once_are_all_written(self, url: str, runs: Runs) -> None:
        trigger = trigger_of(url, runs, World())
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda number: trigger.receive(delivery(alert(number % 10))), range(40)))
        events = page(trigger.ledger, 100).events
        assert len(events) == 10 and sum(event["deliveries"] for event in events) == 40
        assert len(page(trigger.ledger, 100).actions) == 1

    def test_a_day_has_a_budget(self, url: str, runs: Runs) -> None:
        trigger = trigger_of(url, runs, World(), daily_budget=2, cool_down="1s")
        for number, kind in enumerate(("performance_down", "calibration_off", "prior_shift")):
            trigger.receive(delivery(alert(number, labels={"kind": kind})))
            trigger.look()
            for key in runs.keys:
                runs.ended[key] = Seen("failed", "no")
            trigger.look()
        action = page(trigger.ledger, 9).actions[0]
        assert (action.status, action.waiting_for) == ("waiting", "budget")
        assert action.not_before - action.created == pytest.approx(DAY_SECONDS, abs=60)
        assert len(runs.keys) == 2

    def test_stages_what_is_called_off_and_ticks_are_written_down(self, url: str, runs: Runs) -> None:
        nightly = ScheduleSpec(model="claims", cron="0 3 * * *")
        trigger = trigger_of(url, runs, World(), schedules=(nightly,))
        wall = [1_800_000_000.0]
        trigger._schedules = Schedules(trigger.ledger, (nightly,), lambda: wall[0])
        trigger.receive(delivery(alert()))
        trigger.look()
        (key,) = runs.keys
        runs.ended[key] = Seen("next", "adjust: keep; next: refit")
        trigger.look()
        runs.ended.clear()
        found = page(trigger.ledger, 9)
        assert [(one.status, one.attempts) for one in found.actions] == [("running", 0)]
        assert [(stage["run_id"], stage["detail"]) for stage in found.stages] == [
            (key, "adjust: keep; next: refit")
        ]
        assert (runs.folder / key).read_text().count("\n") == 2, "the same key is launched again"
        ask_cancel(trigger.ledger, 1, "cancelled by ann: no")
        ask_cancel(trigger.ledger, 1, "cancelled by bob: no")
        wall[0] += DAY_SECONDS
        trigger.look()
        runs.ended[key] = Seen("cancelled")
        for _ in range(2):
            trigger.look()
        found = page(trigger.ledger, 9)
        assert [(one.model, one.status) for one in found.actions] == [
            ("claims", "running"),
            ("cards", "cancelled"),
        ]
        assert found.actions[1].detail == "cancelled by ann: no"
        trigger.ledger.forget(-1.0)
        assert [one.model for one in page(trigger.ledger, 9).actions] == ["claims"]
        assert page(trigger.ledger, 9).stages == []
