"""A new champion that does harm is taken back, once; with the registry real."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from minorkey.errors import SpecError, StateError
from minorkey.registry import champion_before, champion_since, move_champion, rollback_note
from minorkey.retune.launcher import Launch, Seen
from minorkey.retune.ledger import Ledger
from minorkey.retune.metrics import TriggerMetrics
from minorkey.retune.spec import ModelSpec, RetuneSpec
from minorkey.retune.trigger import Surroundings, Trigger
from minorkey.retune.undo import undo
from minorkey.retune.views import figures, page
from minorkey.rollback import roll_back
from minorkey.serving import local
from minorkey.tracking import champion_version, client
from tests.retune.surroundings import alert, delivery
from tests.test_rollback import promoted

BURN = {"kind": "error_budget_burn", "alertname": "MinorkeyErrorBudgetBurnFast"}


class NoRuns:
    """A launcher that must not be asked."""

    def launch(self, launch: Launch) -> str:
        raise AssertionError(f"a rollback is no run: {launch}")

    def look(self, run_id: str) -> Seen:
        raise AssertionError(run_id)

    def cancel(self, launch: Launch, run_id: str, why: str) -> None:
        raise AssertionError(why)

    def forget(self, key: str) -> None:
        raise AssertionError(key)


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MINORKEY_HOME", str(tmp_path / "home"))
    for name in ("MLFLOW_TRACKING_URI", "MINORKEY_BUNDLE_ROOT", "MINORKEY_ERROR"):
        monkeypatch.delenv(name, raising=False)
    yield
    local.stop("cards")


def trigger_of(
    folder: Path, taking_back: Callable[..., tuple[str, str]] = undo, **changes: object
) -> Trigger:
    spec = RetuneSpec(models={"cards": ModelSpec(spec="unused.yaml")}, **changes)
    surroundings = Surroundings(
        champion_version, lambda model: "", lambda *_: (None, ""), taking_back, champion_before
    )
    return Trigger(spec, Ledger(f"sqlite:///{folder / 'retune.db'}"), NoRuns(), surroundings)


def statuses(trigger: Trigger) -> list[tuple[str, str]]:
    return [(action.status, action.detail) for action in page(trigger.ledger, 9).actions]


def burning(version: str, number: int = 1):
    return delivery(alert(number, labels={**BURN, "version": version}))


def test_a_burning_champion_is_taken_back_once_however_often_it_is_told(tmp_path: Path) -> None:
    (first, *_), (second, *_) = promoted(tmp_path, 2)
    trigger = trigger_of(tmp_path)
    trigger.look()
    assert trigger.champions() == {"cards": (second, first)}
    for number in range(50):
        trigger.receive(burning(second, number % 5))
        trigger.look()
    assert champion_version("cards") == first
    told = statuses(trigger)
    assert told[-1] == ("rolled_back", f"version {first} serves again, version {second} was left")
    assert {status for status, _ in told[:-1]} <= {"skipped"}
    assert figures(trigger.ledger).counts["retune", "cards", "error_budget_burn", "rolled_back"] == 1
    assert trigger.champions() == {"cards": (first, "")}


def test_a_trigger_that_is_killed_in_between_finds_it_done(tmp_path: Path) -> None:
    (first, *_), (second, *_) = promoted(tmp_path, 2)

    def killed(*wanted: object, dry_run: bool) -> tuple[str, str]:
        undo(*wanted, dry_run=dry_run)
        raise KeyboardInterrupt

    trigger = trigger_of(tmp_path, killed)
    trigger.receive(burning(second))
    with pytest.raises(KeyboardInterrupt):
        trigger.look()
    assert champion_version("cards") == first
    again = trigger_of(tmp_path)
    again.look()
    assert statuses(again) == [("rolled_back", f"version {second} was left, version {first} serves")]


def test_a_rollback_that_is_killed_before_its_note_is_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first, *_), (second, *_) = promoted(tmp_path, 2)

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("minorkey.rollback.note_rollback", killed)
        undo("cards", frozenset({second}), 1e9, "burns (action 1)")
    assert champion_version("cards") == first and rollback_note("cards", second) == ""
    again = undo("cards", frozenset({second}), 1e9, "burns (action 1)")
    assert again == ("rolled_back", f"version {second} was left, version {first} serves")
    assert "burns (action 1)" in rollback_note("cards", second)


def test_who_came_long_ago_or_alone_or_was_left_before_stays(tmp_path: Path) -> None:
    (first, *_), (second, *_), (third, *_) = promoted(tmp_path, 3)
    old = undo("cards", frozenset({third}), 0.0, "r")
    assert old[0] == "skipped" and "past its probation" in old[1]
    other = undo("cards", frozenset({"7"}), 1e9, "r")
    assert other == ("skipped", f"the alerts tell of 7; version {third} serves")
    assert undo("cards", frozenset({""}), 1e9, "r")[0] == "skipped"
    roll_back("cards", reason="by hand")
    move_champion("cards", third, expected=second)
    again = undo("cards", frozenset({third}), 1e9, "r")
    assert again[0] == "skipped" and "somebody made it champion again" in again[1]
    move_champion("cards", first, expected=third)
    alone = undo("cards", frozenset({first}), 1e9, "r")
    assert alone == ("skipped", f"there is no champion before version {first}")
    assert champion_version("cards") == first


def test_champions_are_not_taken_back_one_after_the_other(tmp_path: Path) -> None:
    _, (second, *_), (third, *_) = promoted(tmp_path, 3)
    trigger = trigger_of(tmp_path)
    for number, version in enumerate((third, second)):
        trigger.receive(burning(version, number))
        trigger.look()
    refused, done = statuses(trigger)
    assert done[0] == "rolled_back" and champion_version("cards") == second
    assert refused[0] == "skipped" and "came back" in refused[1]


@pytest.mark.parametrize(("hours", "outcome"), [(1, "dry_run"), (24 * 8, "skipped")])
def test_probation_begins_when_a_version_becomes_champion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hours: int, outcome: str
) -> None:
    promotion = datetime.now(UTC) + timedelta(days=60)  # a challenger that was long in shadow
    with monkeypatch.context() as then:
        then.setattr("minorkey.registry.champions._now", promotion.isoformat)
        *_, (second, *_) = promoted(tmp_path, 2)
    now = promotion.timestamp() + hours * 3_600
    monkeypatch.setattr("minorkey.retune.undo.time", SimpleNamespace(time=lambda: now))
    assert undo("cards", frozenset({second}), 7 * 86_400.0, "r", dry_run=True)[0] == outcome


def test_a_version_without_a_date_became_champion_when_it_was_registered(tmp_path: Path) -> None:
    ((version, *_),) = promoted(tmp_path, 1)
    assert champion_since("cards", version) == pytest.approx(time.time(), abs=600)
    client().delete_model_version_tag("cards", version, "minorkey.champion_since")
    registered = client().get_model_version("cards", version).creation_timestamp / 1_000
    assert champion_since("cards", version) == registered
    move_champion("cards", version, expected=version)
    assert champion_since("cards", version) >= registered // 1, "a kill between alias and date is made up for"


def test_an_earlier_version_that_is_broken_leaves_the_champion_and_is_a_failure(tmp_path: Path) -> None:
    (_, _, kept), (second, *_) = promoted(tmp_path, 2)
    (kept / "bundle.json").write_text("{}")
    trigger = trigger_of(tmp_path)
    trigger.receive(burning(second))
    trigger.look()
    (action,) = page(trigger.ledger, 9).actions
    assert action.status == "failed" and "rollback cards --to" in action.detail
    assert champion_version("cards") == second
    counts = figures(trigger.ledger).counts
    assert counts["retune", "cards", "error_budget_burn", "failed"] == 1
    assert trigger.receive(burning(second)).dispositions == {"duplicate": 1}


def test_a_registry_that_is_away_is_waited_for_and_how_long_is_told(tmp_path: Path) -> None:
    def away(*wanted: object, dry_run: bool) -> tuple[str, str]:
        raise StateError("the registry does not answer")

    trigger = trigger_of(tmp_path, away)
    trigger.receive(burning("2"))
    assert waited(trigger)["look"] > 0
    trigger.look()
    (action,) = page(trigger.ledger, 9).actions
    assert (action.status, action.waiting_for) == ("waiting", "unreachable")
    first = waited(trigger)["unreachable"]
    assert 0 < first < waited(trigger)["unreachable"] and waited(trigger)["look"] == 0


def waited(trigger: Trigger) -> dict[str, float]:
    """By reason, what the metrics tell of how long an action of the model cards has waited."""
    (family,) = (
        one
        for one in text_string_to_metric_families(
            TriggerMetrics(trigger.ledger, trigger.spec).text().decode()
        )
        if one.name == "minorkey_retune_waiting_seconds"
    )
    return {sample.labels["reason"]: sample.value for sample in family.samples}


def test_a_dry_run_says_whether_it_would_and_a_trigger_without_rollback_leaves_the_champion(
    tmp_path: Path,
) -> None:
    (first, *_), (second, *_) = promoted(tmp_path, 2)
    dry = trigger_of(tmp_path, dry_run=True)
    for number, version in enumerate((second, "7")):
        dry.receive(burning(version, number))
        dry.look()
    skipped, would = statuses(dry)
    assert would == ("dry_run", f"version {second} would be left for version {first} now; dry_run is set")
    assert skipped == ("skipped", f"the alerts tell of 7; version {second} serves")
    assert rollback_note("cards", second) == ""
    off = trigger_of(tmp_path / "off", rollback={"on": []})
    assert off.receive(burning(second)).dispositions == {"informed": 1}
    assert champion_version("cards") == second


def test_only_the_expected_champion_is_left(tmp_path: Path) -> None:
    (first, *_), (second, *_) = promoted(tmp_path, 2)
    with pytest.raises(StateError, match="another one by now"):
        roll_back("cards", expected=first, reason="r")
    assert champion_version("cards") == second


def test_a_kind_leads_to_one_thing_only() -> None:
    with pytest.raises(SpecError) as caught:
        RetuneSpec(models={"cards": ModelSpec(spec="x")}, act_on=("error_budget_burn",))
    assert caught.value.key == "act_on"
