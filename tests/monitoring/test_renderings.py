"""What is committed under `monitoring/` is what the templates give, is valid, and names only what exists."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from minorkey.drift.rules import KINDS, LOOP, PRODUCTION, Windows, render, render_alertmanager
from minorkey.drift.rules.operator import RENDERED
from minorkey.drift.rules.rendering import duration
from tests.monitoring.alert_cases import stories
from tests.monitoring.exporters import exported
from tests.monitoring.promtool import complaints

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "monitoring"
WINDOWS = {w.name: w for w in (PRODUCTION, LOOP)}
#: Metrics of Prometheus and Alertmanager themselves.
FOREIGN = {"up", "alertmanager_notifications_failed_total"}
NAME = re.compile(
    r"\b(?:model(?:_[a-z]+)*:[a-z0-9_]+:[a-z0-9_]+|minorkey_[a-z0-9_]+|alertmanager_\w+|up(?=\{))"
)


def rules(kind: str, w: Windows) -> Iterator[dict[str, Any]]:
    for group in yaml.safe_load(render(kind, w))["groups"]:
        yield from group["rules"]


def mentioned(expression: str) -> set[str]:
    """Names of series in an expression; values of labels are none."""
    return set(NAME.findall(re.sub(r'"[^"]*"', '""', expression)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", WINDOWS)
def test_the_committed_files_are_the_templates_own(kind: str, name: str) -> None:
    committed = (MONITORING / kind / f"{name}.yaml").read_text(encoding="utf-8")
    assert committed == render(kind, WINDOWS[name]), "run `make monitoring`"


@pytest.mark.parametrize("name", RENDERED)
def test_the_committed_objects_of_the_operator_are_the_templates_own(name: str) -> None:
    committed = (MONITORING / "kubernetes" / name).read_text(encoding="utf-8")
    assert committed == RENDERED[name](PRODUCTION), "run `make monitoring`"


def test_the_operator_gets_every_route_receiver_and_inhibition() -> None:
    """Back in Alertmanager's own keys, nothing of its configuration is missing."""
    made = yaml.safe_load(RENDERED["alertmanager-config.yaml"](PRODUCTION))["spec"]
    plain = yaml.safe_load(render_alertmanager(PRODUCTION))
    assert (plain.keys(), len(made["inhibitRules"])) == (
        {"route", "receivers", "inhibit_rules"},
        len(plain["inhibit_rules"]),
    )
    routes = [made["route"], *made["route"]["routes"]]
    for ours, theirs in zip(routes, [plain["route"], *plain["route"]["routes"]], strict=True):
        assert ours["receiver"] == theirs["receiver"]
        assert ours.get("repeatInterval") == theirs.get("repeat_interval")
        told = [f'{one["name"]} {one["matchType"]} "{one["value"]}"' for one in ours.get("matchers", ())]
        assert told == list(theirs.get("matchers", ()))
    assert [one["name"] for one in made["receivers"]] == [one["name"] for one in plain["receivers"]]


@pytest.mark.parametrize("kind", KINDS)
def test_promtool_finds_no_fault(kind: str, promtool: None) -> None:
    assert complaints("check", "rules", *sorted((MONITORING / kind).glob("*.yaml"))) == ""


@pytest.mark.parametrize("name", WINDOWS)
def test_recorded_names_say_level_metric_and_operation_and_are_unique(name: str) -> None:
    recorded = [rule["record"] for rule in rules("rules", WINDOWS[name])]
    assert len(set(recorded)) == len(recorded)
    assert [one for one in recorded if not re.fullmatch(r"model(_[a-z]+)*:minorkey_\w+:\w+", one)] == []


@pytest.mark.parametrize("name", WINDOWS)
def test_what_a_rule_reads_is_recorded_before_it(name: str) -> None:
    known: set[str] = set()
    for rule in rules("rules", WINDOWS[name]):
        # A rule may carry on what it came to before.
        expression = rule["expr"].replace(f"last_over_time({rule['record']}[", "")
        assert {one for one in mentioned(expression) if ":" in one} <= known, rule["record"]
        known.add(rule["record"])
    for rule in rules("alerts", WINDOWS[name]):
        assert {one for one in mentioned(rule["expr"]) if ":" in one} <= known, rule["alert"]


def test_both_renderings_have_the_same_rules_and_alerts() -> None:
    for kind in KINDS:
        first, second = (
            [rule.get("record") or rule["alert"] for rule in rules(kind, w)] for w in (PRODUCTION, LOOP)
        )
        assert first == second


def test_every_metric_in_a_rule_exists(tmp_path: Path) -> None:
    read = {
        name
        for kind in KINDS
        for rule in rules(kind, PRODUCTION)
        for name in mentioned(rule["expr"])
        if ":" not in name
    }
    assert read - FOREIGN - set(exported(tmp_path)) == set()


@pytest.mark.parametrize("name", WINDOWS)
def test_every_alert_says_all_that_it_should_and_has_a_chapter_and_a_story(name: str) -> None:
    runbook = (MONITORING / "runbook.md").read_text(encoding="utf-8")
    chapters = re.findall(r"^## (Minorkey\w+)$", runbook, re.MULTILINE)
    alerts = list(rules("alerts", WINDOWS[name]))
    for rule in alerts:
        assert re.fullmatch(r"Minorkey\w+", rule["alert"])
        assert rule["labels"]["severity"] in ("info", "ticket", "page") and rule["labels"]["kind"]
        assert re.fullmatch(r"\d+[smhd]", rule["for"])
        assert rule["annotations"]["runbook_url"].endswith(f"/monitoring/runbook.md#{rule['alert'].lower()}")
        assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    named = [rule["alert"] for rule in alerts]
    assert chapters == named
    assert set(stories(WINDOWS[name])) == set(named)


def test_every_chapter_of_the_runbook_answers_the_four_questions() -> None:
    runbook = (MONITORING / "runbook.md").read_text(encoding="utf-8")
    for chapter in runbook.split("\n## ")[1:]:
        found = re.findall(r"^\*\*([^*]+)\*\*", chapter, re.MULTILINE)
        title = chapter.splitlines()[0]
        if title.startswith("Minorkey"):
            assert found == ["Means.", "Look at.", "Do.", "By itself."], title


def test_statistical_alerts_of_production_are_looked_at_hourly() -> None:
    groups = {group["name"]: group for group in yaml.safe_load(render("alerts", PRODUCTION))["groups"]}
    assert groups["minorkey-statistical"]["interval"] == "1h"


@pytest.mark.parametrize(
    ("seconds", "text"), [(1, "1s"), (60, "1m"), (90, "90s"), (3_600, "1h"), (86_400, "1d"), (172_800, "2d")]
)
def test_durations_as_prometheus_writes_them(seconds: int, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize("path", sorted(MONITORING.glob("tests/*.yaml")), ids=lambda path: path.name)
def test_the_committed_examples_hold(path: Path, promtool: None) -> None:
    assert complaints("test", "rules", path) == ""


def test_there_are_committed_examples() -> None:
    assert len(list(MONITORING.glob("tests/*.yaml"))) >= 2
