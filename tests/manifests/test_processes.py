"""What the manifests start does start and answer, and shows no secret: in logs, answers or arguments."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.manifests.built import build, one
from tests.manifests.processes import Process, process_of
from tests.retune.surroundings import alert, webhook
from tests.stores.postgres import PASSWORD
from tests.stores.processes import free_ports, running

#: One a secret; none may be seen anywhere.
MARKS = {
    "feedback": "marker-of-the-feedback-token",
    "retune": "marker-of-the-retune-token",
    "tracking": "marker-of-the-tracking-password",
    "s3": "marker-of-the-secret-key-of-s3",
    "account": "marker-of-the-service-account",
}
WRONG = {"Authorization": "Bearer another-token-altogether"}
#: No server listens there.
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def secrets(database: str) -> dict[str, dict[str, str]]:
    return {
        "minorkey-artifacts": {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": MARKS["s3"]},
        "minorkey-database": {"url": database},
        "minorkey-feedback-token": {"token": MARKS["feedback"]},
        "minorkey-retune-token": {"token": MARKS["retune"]},
        "minorkey-tracking": {
            "MLFLOW_TRACKING_USERNAME": "minorkey",
            "MLFLOW_TRACKING_PASSWORD": MARKS["tracking"],
        },
    }


def process(component: str, folder: Path, secrets: dict[str, dict[str, str]], **instead: str) -> Process:
    folder.mkdir()
    manifests = build("overlays/prod")
    if component == "sweeper":
        pod = one(manifests, "CronJob", "minorkey-sweeper")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    else:
        pod = one(manifests, "Deployment", f"minorkey-{component}")["spec"]["template"]["spec"]
    stand_ins = {
        "https://mlflow.example.org": NOWHERE,
        "http://ml-pipeline.kubeflow.svc:8888": NOWHERE,
        "--host=0.0.0.0": "--host=127.0.0.1",
        **instead,
    }
    return process_of(manifests, pod, folder, secrets=secrets, instead=stand_ins)


def seen(log: Path, *answers: str, arguments: str) -> list[str]:
    """Secrets that can be seen."""
    told = "\n".join([log.read_text(errors="replace"), *answers, arguments])
    return [mark for mark in (*MARKS.values(), PASSWORD) if mark in told]


def arguments_of(server: subprocess.Popen[bytes]) -> str:
    mine = psutil.Process(server.pid)
    return "\n".join(" ".join(one.cmdline()) for one in (mine, *mine.children(recursive=True)))


@pytest.fixture
def port() -> Iterator[str]:
    yield str(free_ports(1)[0])


def test_the_feedback_service(tmp_path: Path, secrets: dict[str, dict[str, str]], port: str) -> None:
    made = process("feedback", tmp_path / "feedback", secrets, **{"--port=9096": f"--port={port}"})
    url, log = f"http://127.0.0.1:{port}", tmp_path / "log"
    ready = lambda: httpx.get(f"{url}/health/ready").status_code == 200  # noqa: E731
    with running(made.command, log=log, ready=ready, environment=made.environment) as server:
        label = {"model": "prod-cards", "id": "1", "label": 1}
        headers = {"Authorization": f"Bearer {MARKS['feedback']}"}
        answers = [
            httpx.post(f"{url}/labels", json=label, headers=headers),
            httpx.post(f"{url}/labels", json=label, headers=WRONG),
            httpx.post(f"{url}/labels", content=b"{", headers=headers),
            *(httpx.get(f"{url}{path}") for path in ("/metrics", "/openapi.json", "/health/live")),
        ]
        arguments = arguments_of(server)
    assert [answer.status_code for answer in answers] == [200, 401, 400, 200, 200, 200]
    assert seen(log, *(answer.text for answer in answers), arguments=arguments) == []


def test_the_trigger_with_everything_else_away(
    tmp_path: Path, secrets: dict[str, dict[str, str]], port: str
) -> None:
    """It takes an alert of a model, and tells of MLflow and Kubeflow that they are not reached."""
    made = process("trigger", tmp_path / "trigger", secrets, **{"--port=9095": f"--port={port}"})
    url, log = f"http://127.0.0.1:{port}", tmp_path / "log"
    ready = lambda: httpx.get(f"{url}/health/ready").status_code == 200  # noqa: E731
    with running(made.command, log=log, ready=ready, environment=made.environment) as server:
        told = webhook(alert(labels={"model": "prod-cards", "version": "1", "kind": "performance_down"}))
        headers = {"Authorization": f"Bearer {MARKS['retune']}"}
        answers = [
            httpx.post(f"{url}/webhook", json=told, headers=headers),
            httpx.post(f"{url}/webhook", json=told, headers=WRONG),
        ]
        ledger = httpx.get(f"{url}/ledger", params={"format": "json"})
        answers += [
            ledger,
            *(httpx.get(f"{url}{path}") for path in ("/metrics", "/openapi.json", "/health/live")),
        ]
        arguments = arguments_of(server)
    assert [answer.status_code for answer in answers] == [202, 401, 200, 200, 200, 200]
    assert "prod-cards" in json.dumps(ledger.json())
    assert seen(log, *(answer.text for answer in answers), arguments=arguments) == []


def test_the_sweeper_without_an_api(tmp_path: Path, secrets: dict[str, dict[str, str]]) -> None:
    """It says whom it does not reach and ends with 2."""
    made = process("sweeper", tmp_path / "sweeper", secrets)
    assert made.command[-2:] == ["--namespace", "minorkey-prod-trials"]
    done = subprocess.run(
        made.command, env=made.environment, capture_output=True, text=True, timeout=120, check=False
    )
    (tmp_path / "log").write_text(done.stdout + done.stderr)
    assert done.returncode == 2 and "Kubernetes API" in done.stderr
    assert seen(tmp_path / "log", arguments=" ".join(made.command)) == []


def test_a_secret_that_is_seen_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(f"cannot reach postgresql://minorkey:{PASSWORD}@host/name")
    assert seen(tmp_path / "log", arguments=f"--token={MARKS['retune']}") == [MARKS["retune"], PASSWORD]
