import json
import time
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from minorkey.endpoint.limits import Admission
from minorkey.endpoint.token import BearerToken
from minorkey.errors import StateError
from minorkey.retune.app import MAX_BODY_BYTES, create_app
from minorkey.retune.trigger import Trigger
from tests.retune.surroundings import Runs, World, alert, trigger_of, webhook

TOKEN = "token-of-the-trigger"
BEARER = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def trigger(tmp_path: Path) -> Trigger:
    return trigger_of(f"sqlite:///{tmp_path / 'retune.db'}", Runs(tmp_path / "runs"), World())


@pytest.fixture
def client(trigger: Trigger) -> TestClient:
    app = create_app(trigger, BearerToken(TOKEN, None, key="token"))
    return TestClient(app, raise_server_exceptions=False)


def values(client: TestClient) -> dict[str, float]:
    found = {}
    for family in text_string_to_metric_families(client.get("/metrics").text):
        for sample in family.samples:
            labels = ",".join(f"{key}={value}" for key, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}"] = sample.value
    return found


def test_what_is_answered_with_202_is_in_the_ledger(client: TestClient) -> None:
    answer = client.post("/webhook", json=webhook(alert(), alert(2, status="resolved")), headers=BEARER)
    assert answer.status_code == 202
    assert answer.json() == {"recorded": {"opened": 1, "resolved": 1}, "actions": [1]}
    shown = client.get("/ledger").json()
    assert [(action["id"], action["status"]) for action in shown["actions"]] == [(1, "waiting")]


def test_a_webhook_that_is_replayed_leads_to_nothing_more(client: TestClient) -> None:
    answers = [client.post("/webhook", json=webhook(alert()), headers=BEARER) for _ in range(3)]
    assert [answer.json()["recorded"] for answer in answers] == [
        {"opened": 1},
        {"duplicate": 1},
        {"duplicate": 1},
    ]
    assert [len(answer.json()["actions"]) for answer in answers] == [1, 0, 0]
    assert len(client.get("/ledger?format=json").json()["actions"]) == 1


@pytest.mark.parametrize(
    "headers",
    [{}, {"authorization": TOKEN}, {"authorization": "Bearer "}, {"authorization": "Bearer wrong"},
     {"authorization": f"Basic {TOKEN}"}, {"authorization": f"Bearer {TOKEN}x".encode()},
     {"authorization": b"Bearer \xff\xfe"}],
)  # fmt: skip
def test_without_the_token_nothing_is_heard(client: TestClient, headers: dict) -> None:
    answer = client.post("/webhook", json=webhook(alert()), headers=headers)
    assert answer.status_code == 401 and "Bearer TOKEN" in answer.json()["error"]
    assert client.get("/ledger").json()["events"] == []


def test_a_token_that_is_replaced_in_its_file_counts_at_once(trigger: Trigger, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("a" * 20 + "\n")
    client = TestClient(create_app(trigger, BearerToken("", file, key="token")))
    codes = [client.post("/webhook", json=webhook(alert()), headers={"authorization": f"Bearer {'a' * 20}"})]
    aside = tmp_path / "new"
    aside.write_text("b" * 20)
    aside.replace(file)
    codes += [
        client.post("/webhook", json=webhook(alert()), headers={"authorization": f"Bearer {letter * 20}"})
        for letter in "ab"
    ]
    assert [answer.status_code for answer in codes] == [202, 401, 202]


@pytest.mark.parametrize("value", ["", "short"])
def test_a_service_without_a_token_does_not_start(value: str) -> None:
    with pytest.raises(StateError) as caught:
        BearerToken(value, None, key="--token-file")
    assert "openssl rand" in caught.value.remedy


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"{", 400), (b"[" * 100_000, 400), (b"\xff", 400), (b"null", 400),
     (b'{"version": "4"}', 400), (b" " * (MAX_BODY_BYTES + 1), 413)],
    ids=["empty", "cut", "deep", "no text", "null", "no alerts", "huge"],
)  # fmt: skip
def test_malformed_and_huge_bodies_are_refused(client: TestClient, body: bytes, status: int) -> None:
    answer = client.post("/webhook", content=body, headers=BEARER)
    assert answer.status_code == status and answer.json()["error"]


def test_a_body_that_grows_beyond_the_limit_is_cut_off(client: TestClient) -> None:
    chunks = (b" " * 2**20 for _ in range(10))
    assert client.post("/webhook", content=chunks, headers=BEARER).status_code == 413


def test_too_many_are_told_to_come_again(trigger: Trigger) -> None:
    admission = Admission(at_once=10, a_second=0.001, burst=2)
    client = TestClient(create_app(trigger, BearerToken(TOKEN, None, key="token"), admission))
    answers = [client.post("/webhook", json=webhook(alert()), headers=BEARER) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 503]
    assert answers[-1].headers["retry-after"]


def test_a_rate_counts_by_time() -> None:
    now = 0.0
    admission = Admission(at_once=1, a_second=2.0, burst=1, clock=lambda: now)
    with admission.admitted(), pytest.raises(Exception, match="too many"), admission.admitted():
        pass
    now = 0.5
    with admission.admitted():
        pass


def test_a_ledger_that_is_away_is_503_and_told_in_the_metrics(client: TestClient, tmp_path: Path) -> None:
    assert client.get("/health/ready").status_code == 200
    for path in tmp_path.glob("retune.db*"):
        path.unlink()
    (tmp_path / "retune.db").write_bytes(b"no database " * 1_000)
    answer = client.post("/webhook", json=webhook(alert()), headers=BEARER)
    assert answer.status_code == 503 and answer.headers["retry-after"]
    assert client.get("/health/ready").status_code == 503 and client.get("/health/live").status_code == 200
    assert values(client)["minorkey_retune_ledger_up{}"] == 0


def test_metrics_begin_at_zero_and_outlive_the_process(client: TestClient, trigger: Trigger) -> None:
    before = values(client)
    name = "minorkey_retune_total{kind=performance_down,model=cards,outcome=failed}"
    assert before[name] == 0 and before["minorkey_retune_budget_left{model=cards}"] == 4
    assert before["minorkey_retune_postponed_total{model=cards,reason=budget}"] == 0
    assert before["minorkey_retune_started_timestamp_seconds{model=cards}"] == 0
    client.post("/webhook", json=webhook(alert()), headers=BEARER)
    trigger.look()
    again = TestClient(create_app(trigger, BearerToken(TOKEN, None, key="token")))
    after = values(again)
    assert after["minorkey_retune_budget_left{model=cards}"] == 3
    assert abs(after["minorkey_retune_started_timestamp_seconds{model=cards}"] - time.time()) < 600
    assert after["minorkey_retune_alert_total{disposition=opened,model=cards}"] == 1
    assert after["minorkey_retune_open{model=cards,status=running}"] == 1


def test_the_page_shows_what_came_and_runs_nothing(client: TestClient, trigger: Trigger) -> None:
    script = "<script>alert(1)</script>"
    hostile = alert(labels={"alertname": script}, annotations={"summary": script})
    client.post("/webhook", json=webhook(hostile), headers=BEARER)
    trigger.look()
    answer = client.get("/ledger", headers={"accept": "text/html,*/*"})
    assert answer.headers["content-type"].startswith("text/html")
    assert script not in answer.text and "&lt;script&gt;" in answer.text and "running" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "http" not in answer.text.replace("https", "http").partition("<body>")[0]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=x", "limit=99999999999999", f"limit=000000001{9 * 10**30}", "limit=²", "format=xml"],
)
def test_odd_questions_to_the_ledger_are_refused(client: TestClient, query: str) -> None:
    assert client.get(f"/ledger?{query}").status_code == 400


def test_unknown_paths_and_methods_are_told_in_json(client: TestClient) -> None:
    assert client.get("/nothing").status_code == 404
    assert client.get("/webhook").status_code == 405
    assert json.loads(client.get("/nothing").text)["error"]
