"""From a real Alertmanager, configured as committed, to the ledger of a real trigger."""

import dataclasses
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from minorkey.drift.rules import LOOP, render_alertmanager
from tests.retune.surroundings import wait_until
from tests.stores.processes import free_ports, running

pytestmark = pytest.mark.monitoring

#: Told again every two seconds instead of every ten, so that a repetition comes soon.
OFTEN = dataclasses.replace(LOOP, tell_trigger=2)
#: Seconds between two looks at the trigger, which answers twenty a second.
LOOK = 0.2
TOKEN = "token-of-the-trigger"


@dataclass(frozen=True)
class Chain:
    """A trigger, an Alertmanager that brings it alerts, and the token that Alertmanager brings along."""

    trigger: str
    alertmanager: str
    token: Path

    def raise_alert(self, **labels: str) -> None:
        pairs = [f"{key}={value}" for key, value in labels.items()]
        self._amtool("alert", "add", *pairs, "--annotation=summary=harm")

    def inhibited(self) -> list[str]:
        told = json.loads(self._amtool("-o", "json", "alert", "query", "--inhibited"))
        return [alert["labels"]["kind"] for alert in told if alert["status"]["state"] == "suppressed"]

    def _amtool(self, *words: str) -> str:
        command = ["amtool", f"--alertmanager.url={self.alertmanager}", *words]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout

    def ledger(self) -> dict[str, Any]:
        return httpx.get(f"{self.trigger}/ledger").raise_for_status().json()

    def deliveries(self) -> dict[str, int]:
        """How often each kind was brought."""
        return {event["kind"]: event["deliveries"] for event in self.ledger()["events"]}

    def failed(self) -> float:
        """The counter that MinorkeyWebhookDeliveryFailing reads."""
        text = httpx.get(f"{self.alertmanager}/metrics").text
        name = r'^alertmanager_notifications_failed_total\{[^}]*integration="webhook"[^}]*\} (\S+)$'
        return sum(map(float, re.findall(name, text, re.MULTILINE)))

    def refused(self) -> float:
        text = httpx.get(f"{self.trigger}/metrics").text
        return float(
            re.findall(r'^minorkey_retune_webhook_total\{code="401"\} (\S+)$', text, re.MULTILINE)[0]
        )


@pytest.fixture
def chain(tmp_path: Path, alertmanager: None) -> Iterator[Chain]:
    (tmp_path / "cards.yaml").write_text("model: cards\n")
    (tmp_path / "retune.yaml").write_text("models: {cards: {spec: cards.yaml}}\n")
    for owner in ("trigger", "alertmanager"):
        (tmp_path / f"{owner}-token").write_text(f"{TOKEN}\n")
    ports = free_ports(2)
    trigger, alerts = (f"http://127.0.0.1:{port}" for port in ports)
    config = tmp_path / "alertmanager.yaml"
    config.write_text(
        render_alertmanager(OFTEN, trigger_url=f"{trigger}/webhook", token_file="alertmanager-token")
    )
    serve = [sys.executable, "-m", "minorkey", "retune", "serve", "retune.yaml", "--dry-run"]
    serve += ["--port", str(ports[0]), "--token-file", "trigger-token"]
    manage = ["prometheus-alertmanager", f"--config.file={config}", f"--storage.path={tmp_path / 'alerts'}"]
    manage += [f"--web.listen-address=127.0.0.1:{ports[1]}", "--cluster.listen-address="]
    own = os.environ | {"MINORKEY_HOME": str(tmp_path / "home")}
    with (
        running(
            serve,
            log=tmp_path / "trigger.log",
            environment=own,
            ready=lambda: httpx.get(f"{trigger}/health/ready").status_code == 200,
        ),
        running(
            manage,
            log=tmp_path / "alertmanager.log",
            ready=lambda: httpx.get(f"{alerts}/-/ready").status_code == 200,
        ),
    ):
        yield Chain(trigger, alerts, tmp_path / "alertmanager-token")


def test_harm_reaches_the_ledger_once_and_a_wrong_token_is_refused_and_counted(chain: Chain) -> None:
    harm = {"alertname": "MinorkeyPerformanceDown", "kind": "performance_down", "severity": "ticket"}
    other = {"alertname": "MinorkeyCalibrationOff", "kind": "calibration_off", "severity": "ticket"}
    cards = {"model": "cards", "version": "3"}
    chain.raise_alert(alertname="MinorkeyPredictorDown", kind="predictor_down", severity="page")
    chain.raise_alert(alertname="MinorkeyNoTraffic", kind="no_traffic", severity="ticket", **cards)
    chain.raise_alert(**harm, **cards)
    chain.raise_alert(**harm, **cards)

    wait_until(lambda: chain.deliveries().get("performance_down", 0) >= 2, seconds=60, every=LOOK)
    assert [action["kind"] for action in chain.ledger()["actions"]] == ["performance_down"]
    assert list(chain.deliveries()) == ["performance_down"]
    assert chain.inhibited() == ["no_traffic"]
    assert chain.failed() == chain.refused() == 0

    chain.token.write_text("another-token")
    chain.raise_alert(**other, **cards)
    wait_until(lambda: chain.failed() >= 1 and chain.refused() >= 1, seconds=60, every=LOOK)
    assert list(chain.deliveries()) == ["performance_down"]

    chain.token.write_text(TOKEN)
    wait_until(lambda: "calibration_off" in chain.deliveries(), seconds=60, every=LOOK)
    assert sorted(action["kind"] for action in chain.ledger()["actions"]) == [
        "calibration_off",
        "performance_down",
    ]
