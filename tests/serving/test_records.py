"""From a request to a counted outcome: predictor and feedback service, both really listening."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
import uvicorn

from minorkey.bundle.bundle import Bundle
from minorkey.endpoint.token import BearerToken
from minorkey.feedback.app import create_app as create_feedback
from minorkey.feedback.export import export_rows
from minorkey.feedback.intake import Intake
from minorkey.feedback.messages import Label
from minorkey.feedback.ripening import ripen
from minorkey.serving.predictor import Predictor
from minorkey.serving.records import Recorder, recorder_of_settings, request_id
from minorkey.serving.samples import sample_rows
from minorkey.serving.server import bind, url_of
from minorkey.serving.shadow_counts import outcomes_of
from minorkey.serving.slot import Slot
from minorkey.serving.verification import inference_body
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


def test_a_challenger_in_shadow_is_measured_on_the_champions_rows_and_labels(
    slot: Slot, other_bundle: Bundle, tmp_path: Path, feedback: str, intake: Intake, http: httpx.Client
) -> None:
    slot.recorder = Recorder(feedback, TOKEN, slot.metrics)
    slot.shadow.recorder = Recorder(feedback, TOKEN, slot.shadow.metrics)
    threads = (slot.recorder, slot.shadow, slot.shadow.recorder)
    challenger = Predictor(other_bundle, "cards", "2")
    challenger.threshold = 0.2
    slot.shadow.load(challenger, slot.current)
    for thread in threads:
        thread.start()
    columns = sample_rows(slot.current.bundle.info, 60, seed=5)
    http.post("/v2/models/cards/infer", json={**inference_body(columns), "id": "r"}).raise_for_status()
    wait_until(lambda: len(rows_of(intake)) == 60 and shadows(intake) == 60)
    for thread in threads:
        thread.stop()
    actual = np.arange(60) % 3 == 0
    intake.labels("cards", [Label(f"r/{place}", 1) for place in np.flatnonzero(actual).tolist()])
    intake.clock = lambda: time.time() + 2 * 86_400
    assert ripen(intake) == 60
    expected = np.zeros((2, 2, 2))
    decided, apart = slot.current.predict(columns).predicted, challenger.predict(columns).predicted
    np.add.at(expected, (decided, apart, actual.astype(int)), 1)
    text = httpx.get(f"{feedback}/metrics", trust_env=False).text
    (found,) = outcomes_of(text, "cards").values()
    assert (found.version, found.champion, found.cells.tolist()) == ("2", "1", expected.tolist())
    assert found.labels.tolist() == [40, 20]
    assert export_rows(intake, "cards", tmp_path / "fresh.parquet") == 60
    assert 'minorkey_outcome_total{actual="1",model="cards",predicted="1",version="2"}' not in text


def shadows(intake: Intake) -> int:
    with intake.books.transaction(alone=False) as made:
        return made.rows("SELECT count(*) FROM minorkey_feedback_shadows")[0][0]


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
