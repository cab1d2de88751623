"""From a request to a counted outcome: predictor and feedback service, both really listening."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn

from minorkey.bundle.bundle import Bundle
from minorkey.endpoint.token import BearerToken
from minorkey.feedback.app import create_app as create_feedback
from minorkey.feedback.intake import Intake
from minorkey.serving.predictor import Predictor
from minorkey.serving.records import Recorder, recorder_of_settings, request_id
from minorkey.serving.samples import sample_rows
from minorkey.serving.server import bind, url_of
from minorkey.serving.slot import Slot
from tests.feedback.places import spec_of
from tests.retune.surroundings import wait_until

TOKEN = "token-of-feedback"


@pytest.fixture
def intake(tmp_path: Path) -> Intake:
    return Intake(f"sqlite:///{tmp_path / 'feedback.db'}", spec_of())


@pytest.fixture
def feedback(intake: Intake) -> Iterator[str]:
    listener = bind("127.0.0.1", 0)
    app = create_feedback(intake, BearerToken(TOKEN, None, key="token"))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="critical"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield url_of(listener)
    server.should_exit = True
    thread.join(10)


def rows_of(intake: Intake) -> list[tuple]:
    with intake.books.transaction(alone=False) as made:
        return made.rows("SELECT id, version, score, time, features FROM minorkey_feedback_rows ORDER BY id")


def one_row(slot: Slot) -> dict:
    columns = sample_rows(slot.current.bundle.info, 1)
    row = {name: values.tolist()[0] for name, values in columns.items()}
    return {name: None if value != value else value for name, value in row.items()}


def dropped(slot: Slot) -> float:
    labels = {"model": slot.current.model, "version": slot.current.version}
    return slot.metrics.registry.get_sample_value("minorkey_record_dropped_total", labels) or 0.0


def test_every_scored_row_is_recorded_under_its_request_id(
    slot: Slot, http: httpx.Client, intake: Intake, feedback: str
) -> None:
    slot.recorder = Recorder(feedback, TOKEN, slot.metrics)
    slot.recorder.start()
    row = one_row(slot)
    alone = http.post("/predict", json=row, headers={"x-request-id": "order-17"}).json()
    several = http.post("/predict", json=[row, row]).json()
    assert alone["id"] == "order-17" and len(several["id"]) == 32
    wait_until(lambda: len(rows_of(intake)) == 3)
    slot.recorder.stop()
    by_id = {identity: rest for identity, *rest in rows_of(intake)}
    assert set(by_id) == {"order-17", f"{several['id']}/0", f"{several['id']}/1"}
    version, score, moment, features = by_id["order-17"]
    assert version == "1" and score == pytest.approx(alone["predictions"][0]["score"])
    assert abs(moment - time.time()) < 600 and set(json.loads(features)) == set(row)
    assert dropped(slot) == 0


def test_what_the_features_hold_can_be_scored_again(
    slot: Slot, http: httpx.Client, intake: Intake, feedback: str
) -> None:
    slot.recorder = Recorder(feedback, TOKEN, slot.metrics)
    slot.recorder.start()
    first = http.post("/predict", json=one_row(slot), headers={"x-request-id": "a"}).json()
    wait_until(lambda: len(rows_of(intake)) == 1)
    slot.recorder.stop()
    slot.recorder = None
    again = http.post("/predict", json=json.loads(rows_of(intake)[0][4])).json()
    assert again["predictions"] == first["predictions"] and "id" not in again


def test_while_the_service_is_away_requests_are_answered_and_drops_are_counted(
    slot: Slot, http: httpx.Client
) -> None:
    slot.recorder = Recorder("http://127.0.0.1:9", TOKEN, slot.metrics, buffer_rows=2)
    slot.recorder.start()
    row = one_row(slot)
    answers = [http.post("/predict", json=row).status_code for _ in range(5)]
    assert answers == [200] * 5 and dropped(slot) == 3
    slot.recorder.stop()
    assert dropped(slot) == 5


def test_records_wait_for_a_service_that_comes_later(
    slot: Slot, bundle: Bundle, intake: Intake, feedback: str, http: httpx.Client
) -> None:
    slot.recorder = Recorder(feedback, "wrong-token-of-feedback", slot.metrics)
    slot.recorder.start()
    http.post("/predict", json=one_row(slot))
    assert rows_of(intake) == []
    slot.recorder._client.headers["authorization"] = f"Bearer {TOKEN}"
    slot.swap(Predictor(bundle, "cards", "2"))
    http.post("/predict", json=one_row(slot))
    wait_until(lambda: {version for _, version, *_ in rows_of(intake)} == {"1", "2"})
    slot.recorder.stop()


def test_records_that_are_refused_are_dropped_and_do_not_block(
    slot: Slot, bundle: Bundle, intake: Intake, feedback: str, http: httpx.Client
) -> None:
    slot.swap(Predictor(bundle, "stranger", "1"))
    slot.recorder = Recorder(feedback, TOKEN, slot.metrics)
    slot.recorder.start()
    http.post("/predict", json=one_row(slot))
    wait_until(
        lambda: (
            'minorkey_record_dropped_total{model="stranger",version="1"} 1.0' in slot.metrics.text().decode()
        )
    )
    slot.swap(Predictor(bundle, "cards", "1"))
    http.post("/predict", json=one_row(slot))
    wait_until(lambda: len(rows_of(intake)) == 1)
    slot.recorder.stop()


@pytest.mark.parametrize("given", ["", None, "a\nb", "x" * 181, "\x00"])
def test_an_id_that_cannot_be_one_is_replaced(given: str | None) -> None:
    assert len(request_id(given)) == 32


def test_the_settings_say_where_records_go(
    slot: Slot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MINORKEY_FEEDBACK_URL", raising=False)
    assert recorder_of_settings(slot.metrics) is None
    monkeypatch.setenv("MINORKEY_FEEDBACK_URL", "http://127.0.0.1:9096")
    monkeypatch.setenv("MINORKEY_FEEDBACK_TOKEN_FILE", str(tmp_path / "none"))
    with pytest.raises(Exception, match="cannot be read"):
        recorder_of_settings(slot.metrics)
