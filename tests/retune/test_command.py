"""The command and its specification."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from minorkey.cli import app
from minorkey.errors import SpecError
from minorkey.retune.local_runs import LocalRuns
from minorkey.retune.service import build_trigger
from minorkey.retune.spec import load_retune_spec
from minorkey.retune.status import retune_status
from minorkey.settings import settings
from tests.retune.surroundings import alert, delivery, wait_until, webhook
from tests.stores.processes import free_ports


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MINORKEY_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cards.yaml").write_text("model: cards\n")
    path = tmp_path / "retune.yaml"
    path.write_text("models: {cards: {spec: cards.yaml}}\ndry_run: true\n")
    return path


def test_now_goes_the_path_of_the_alerts(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    app(["retune", "now", str(spec), "cards", "--reason", "new terminals"], result_action="return_value")
    assert "action 1: dry_run" in capsys.readouterr().out
    app(["retune", "now", str(spec), "cards", "--reason", "again"], result_action="return_value")
    told = capsys.readouterr().out
    assert "action 2: waiting: the last start is less than 6h ago" in told and "retune serve" in told


def test_status_tells_what_waits_and_cancel_ends_it(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec.write_text(
        "models: {cards: {spec: cards.yaml}}\ndry_run: true\nschedules: [{model: cards, cron: 0 3 * * *}]\n"
    )

    def told(*words: str) -> str:
        app(["retune", *words], result_action="return_value")
        return capsys.readouterr().out

    assert "nothing has been asked for yet" in told("status", str(spec))
    for _ in range(2):
        told("now", str(spec), "cards", "--reason", "new terminals")
    text = told("status", str(spec), "--model", "cards")
    assert "cards: 3 of 4 starts left today, next by the clock 20" in text
    assert "2  waiting" in text and "waits for cool_down, next look in " in text
    found = json.loads(told("status", str(spec), "--json", "--limit", "1"))
    assert [one["id"] for one in found["actions"]] == [2] and found["models"]["cards"]["budget_left"] == 3
    text = told("cancel", str(spec), "2", "--reason", "the data are wrong", "--by", "ann")
    assert text == "action 2: cancelled: cancelled by ann: the data are wrong\n"
    with pytest.raises(SpecError, match="has ended: cancelled"):
        told("cancel", str(spec), "2", "--reason", "again")
    with pytest.raises(SpecError, match="does not name"):
        told("status", str(spec), "--model", "claims")


def test_cancel_ends_a_run_that_goes_on(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No service runs: the command carries it out itself, on a run in a process of its own."""
    spec.write_text("models: {cards: {spec: cards.yaml}}\n")
    wanted = load_retune_spec(spec)
    trigger = build_trigger(wanted)
    trigger._launcher = LocalRuns(settings().home / "retune", lambda launch, out: ["sleep", "120"])
    trigger.receive(delivery(alert(labels={"version": ""})))
    trigger.look()
    status = retune_status(wanted)
    assert status.seen == {1: "running"} and "seen now: running" in status.text()
    app(
        ["retune", "cancel", str(spec), "1", "--reason", "not now", "--by", "ann"],
        result_action="return_value",
    )
    assert "action 1: cancelled: cancelled by ann: not now; log: " in capsys.readouterr().out
    assert trigger.ledger.action(1).status == "cancelled"


def test_now_for_an_unknown_model_is_refused(spec: Path) -> None:
    with pytest.raises(SpecError, match="does not name"):
        app(["retune", "now", str(spec), "claims", "--reason", "x"], result_action="return_value")


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ("models: {}", "models"),
        ("models: {cards: {spec: nowhere.yaml}}", "models.cards.spec"),
        ("models: {'Cards!': {spec: cards.yaml}}", "models"),
        ("models: {cards: {spec: cards.yaml}}\ncool_down: soon", "cool_down"),
        ("models: {cards: {spec: cards.yaml}}\nact_on: [performnce_down]", "act_on"),
        ("models: {cards: {spec: cards.yaml}}\nact_on: [performance_down, retune_failed]", "act_on"),
        ("models: {cards: {spec: cards.yaml}}\nrollback: {on: [burn]}", "rollback.on"),
        ("models: {cards: {spec: cards.yaml}}\nlaunch: kubeflow", "(the whole)"),
        ("models: {cards: {spec: cards.yaml}}\ndaily_budget: 0", "daily_budget"),
        ("models: {cards: {spec: cards.yaml}}\nbudget: 3", "budget"),
        ("- 1", "(the whole)"),
        ("{", None),
    ],
)
def test_a_specification_that_does_not_fit_names_the_key(spec: Path, content: str, key: str | None) -> None:
    spec.write_text(content)
    with pytest.raises(SpecError) as caught:
        load_retune_spec(spec)
    assert caught.value.key == (key or str(spec))


def test_a_key_that_yaml_takes_for_true_is_read(spec: Path) -> None:
    spec.write_text(
        "models: {cards: {spec: cards.yaml}}\nrollback: {on: [worse_than_before], probation: 3d}\n"
    )
    assert load_retune_spec(spec).rollback.on == ("worse_than_before",)


def test_the_service_answers_records_and_ends(spec: Path, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("token-of-the-trigger")
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "minorkey", "retune", "serve", str(spec), "--port", str(port)]
    url = f"http://127.0.0.1:{port}"
    log = (tmp_path / "log").open("wb")
    with subprocess.Popen(
        [*command, "--token-file", "token"], cwd=tmp_path, env=os.environ, stdout=log, stderr=log
    ) as process:
        try:
            wait_until(lambda: answers(url), seconds=120)
            bearer = {"authorization": "Bearer token-of-the-trigger"}
            assert httpx.post(f"{url}/webhook", json=webhook(alert()), headers=bearer).status_code == 202
            wait_until(lambda: ended(url) == ["dry_run"], seconds=120)
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) in (0, -signal.SIGTERM)
        finally:
            process.kill()
            log.close()


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready").status_code == 200
    except httpx.HTTPError:
        return False


def ended(url: str) -> list[str]:
    reply = httpx.get(f"{url}/ledger")
    if reply.status_code == 503:  # asked too often
        return []
    return [one["status"] for one in reply.json()["actions"] if one["ended"]]
