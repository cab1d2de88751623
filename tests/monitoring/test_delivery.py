"""Prometheus and Alertmanager configured: as committed, valid, and every alert goes where it belongs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from minorkey.drift.rules import (
    LOOP,
    PRODUCTION,
    TO_TRIGGER,
    Addresses,
    Windows,
    render,
    render_alertmanager,
    render_prometheus,
)
from minorkey.drift.rules.delivery import TRIGGER_URL
from minorkey.retune.spec import RetuneSpec
from minorkey.retune.webhook import MAX_ALERTS
from tests.monitoring.promtool import complaints, said

MONITORING = Path(__file__).parents[2] / "monitoring"
FOLDERS: dict[str, Callable[[Windows], str]] = {
    "alertmanager": render_alertmanager,
    "prometheus": render_prometheus,
}
BOTH = pytest.mark.parametrize("w", [PRODUCTION, LOOP], ids=lambda w: w.name)
ALERTS = [
    (rule["alert"], rule["labels"])
    for group in yaml.safe_load(render("alerts", PRODUCTION))["groups"]
    for rule in group["rules"]
]
#: Kinds whose alerts are about no model.
OF_NO_MODEL = {"predictor_down", "feedback_down", "trigger_down", "webhook_delivery_failing"}


@BOTH
@pytest.mark.parametrize("folder", FOLDERS)
def test_the_committed_files_are_the_templates_own(folder: str, w: Windows) -> None:
    committed = (MONITORING / folder / f"{w.name}.yaml").read_text(encoding="utf-8")
    assert committed == FOLDERS[folder](w), "run `make monitoring`"


@BOTH
def test_promtool_finds_no_fault(w: Windows, promtool: None) -> None:
    assert complaints("check", "config", MONITORING / "prometheus" / f"{w.name}.yaml") == ""


@pytest.mark.monitoring
@BOTH
def test_amtool_finds_no_fault(w: Windows, alertmanager: None) -> None:
    assert said("amtool", "check-config", MONITORING / "alertmanager" / f"{w.name}.yaml") == ""


@pytest.mark.monitoring
@BOTH
@pytest.mark.parametrize(("name", "labels"), ALERTS, ids=[name for name, _ in ALERTS])
def test_every_alert_goes_where_it_belongs(
    name: str, labels: dict[str, str], w: Windows, alertmanager: None
) -> None:
    told = {"alertname": name, **labels}
    if labels["kind"] not in OF_NO_MODEL:
        told |= {"model": "cards", "version": "7"}
    receivers = "retune,people" if labels["kind"] in TO_TRIGGER else "people"
    assert route(w, told, receivers) == ""


@pytest.mark.monitoring
@pytest.mark.parametrize(
    "labels",
    [
        {},
        {"kind": "performance_down", "severity": "ticket"},
        {"kind": "performance_down_again", "model": "a"},
    ],
)
def test_what_names_no_model_or_is_not_ours_does_not_reach_the_trigger(
    labels: dict[str, str], alertmanager: None
) -> None:
    assert route(PRODUCTION, labels, "people") == ""
    assert "WARNING: Expected receivers did not match" in route(PRODUCTION, labels, "retune,people")


def route(w: Windows, labels: dict[str, str], receivers: str) -> str:
    """What amtool says where alerts with these labels go elsewhere."""
    config = f"--config.file={MONITORING / 'alertmanager' / f'{w.name}.yaml'}"
    pairs = [f"{key}={value}" for key, value in labels.items()]
    return said("amtool", "config", "routes", "test", config, f"--verify.receivers={receivers}", *pairs)


def test_the_trigger_gets_every_kind_that_it_acts_on_and_no_kind_that_nobody_raises() -> None:
    acts_on = RetuneSpec.model_fields["act_on"].default
    assert set(acts_on) < set(TO_TRIGGER) <= {labels["kind"] for _, labels in ALERTS}


@BOTH
def test_the_trigger_is_told_again_within_its_cool_down_and_can_read_what_it_gets(w: Windows) -> None:
    told = yaml.safe_load(render_alertmanager(w))
    (webhook,) = next(one for one in told["receivers"] if one["name"] == "retune")["webhook_configs"]
    assert webhook["max_alerts"] <= MAX_ALERTS and not webhook["send_resolved"]
    default = RetuneSpec(models={"cards": {"spec": "cards.yaml"}}).cool_down_seconds  # type: ignore[dict-item]
    assert w.group < w.tell_trigger < default


def test_every_kind_that_silences_or_is_silenced_is_raised() -> None:
    raised = {labels["kind"] for _, labels in ALERTS}
    for rule in yaml.safe_load(render_alertmanager(PRODUCTION))["inhibit_rules"]:
        source, target = (rule[side][0].split(" ", 2)[2].strip('"').split("|") for side in SIDES)
        assert {*source, *target} <= raised
        known = {*source, *target} & OF_NO_MODEL
        assert known or rule["equal"] == ["model", "version"]


SIDES = ("source_matchers", "target_matchers")


def test_url_token_and_addresses_are_filled_in(tmp_path: Path) -> None:
    token = str(tmp_path / 'to"ken: #1')
    told = yaml.safe_load(
        render_alertmanager(LOOP, trigger_url="http://127.0.0.1:1/webhook", token_file=token)
    )
    (webhook,) = next(one for one in told["receivers"] if one["name"] == "retune")["webhook_configs"]
    assert webhook["url"] == "http://127.0.0.1:1/webhook" != TRIGGER_URL
    assert webhook["http_config"]["authorization"] == {"type": "Bearer", "credentials_file": token}
    places = Addresses(("a:1", "b:1"), ("c:2",), ("d:3",), ("e:4",), ("f:5",))
    scraped = yaml.safe_load(render_prometheus(LOOP, places, monitoring="/etc/minorkey"))
    assert targets(scraped) == {
        "minorkey-predictor": ["a:1", "b:1"],
        "minorkey-feedback": ["c:2"],
        "minorkey-trigger": ["d:3"],
        "alertmanager": ["e:4"],
        "prometheus": ["f:5"],
    }
    assert scraped["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] == ["e:4"]
    assert scraped["rule_files"] == ["/etc/minorkey/rules/loop.yaml", "/etc/minorkey/alerts/loop.yaml"]


def targets(config: dict[str, Any]) -> dict[str, list[str]]:
    return {job["job_name"]: job["static_configs"][0]["targets"] for job in config["scrape_configs"]}


@BOTH
def test_jobs_that_alerts_name_are_scraped_often_enough(w: Windows) -> None:
    alerts = render("alerts", w)
    scraped = targets(yaml.safe_load(render_prometheus(w)))
    assert {job for job in scraped if f'up{{job="{job}"}}' in alerts} == {
        "minorkey-predictor",
        "minorkey-feedback",
        "minorkey-trigger",
    }
    assert 4 * w.scrape <= min(*w.burn[0], *w.burn[1], w.traffic, w.quiet)
