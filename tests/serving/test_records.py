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
from minorkey.serving.columns import take_rows
from minorkey.serving.predictor import Prediction, Predictor
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
def posts() -> list[int]:
    """Status of every answer to a post, in order."""
    return []


@pytest.fixture
def away() -> set[int]:
    """Places of the posts that are written down, but whose answer becomes 503."""
    return set()


@pytest.fixture
def feedback(intake: Intake, posts: list[int], away: set[int]) -> Iterator[str]:
    listener = bind("127.0.0.1", 0)
    service = create_feedback(intake, BearerToken(TOKEN, None, key="token"))

    async def app(scope, receive, send) -> None:
        async def told(message) -> None:
            if message["type"] == "http.response.start" and scope["path"] == "/predictions":
                if len(posts) in away:
                    message["status"] = 503
                posts.append(message["status"])
            await send(message)

        await service(scope, receive, told)

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


def offer(slot: Slot, recorder: Recorder, countries: list[str], *, at_once: bool = False) -> None:
    """Offer a row for each country, ``row-0`` and so on, or as one request."""
    columns = sample_rows(slot.current.bundle.info, len(countries))
    columns["country"] = np.array(countries, dtype=object)
    prediction = slot.current.predict(columns)
    if at_once:
        recorder.offer(slot.current, "row", columns, prediction)
        return
    for place in range(len(countries)):
        one = take_rows(columns, np.array([place]))
        alone = Prediction(prediction.score[[place]], prediction.predicted[[place]])
        recorder.offer(slot.current, f"row-{place}", one, alone)


def test_rows_that_are_too_long_together_are_sent_apart(
    slot: Slot, intake: Intake, feedback: str, posts: list[int]
) -> None:
    recorder = Recorder(feedback, TOKEN, slot.metrics)
    offer(slot, recorder, ["x" * 40_000] * 300)
    recorder.stop()
    assert len(rows_of(intake)) == 300 and dropped(slot) == 0
    assert set(posts) == {200}


@pytest.mark.parametrize("at_once", [True, False])
def test_a_row_that_is_refused_takes_no_other_with_it(
    slot: Slot, intake: Intake, feedback: str, at_once: bool
) -> None:
    recorder = Recorder(feedback, TOKEN, slot.metrics)
    countries = ["NL"] * 400
    countries[100] = countries[399] = "x" * 70_000
    offer(slot, recorder, countries, at_once=at_once)
    recorder.stop()
    join = "/" if at_once else "-"
    lost = {f"row{join}100", f"row{join}399"}
    assert {row[0] for row in rows_of(intake)} == {f"row{join}{place}" for place in range(400)} - lost
    assert dropped(slot) == 2


@pytest.mark.parametrize("unanswered", range(1, 9))
def test_a_service_that_goes_away_between_two_halves_loses_nothing_and_counts_nothing_twice(
    slot: Slot, intake: Intake, feedback: str, posts: list[int], away: set[int], unanswered: int
) -> None:
    recorder = Recorder(feedback, TOKEN, slot.metrics)
    offer(slot, recorder, ["NL", "x" * 70_000, "NL", "NL", "BE", "x" * 70_000, "BE", "BE"])
    away.add(unanswered)
    recorder.start()
    wait_until(lambda: not recorder._waiting)
    recorder.stop()
    assert [row[0] for row in rows_of(intake)] == [f"row-{place}" for place in (0, 2, 3, 4, 6, 7)]
    assert dropped(slot) == 2
    assert posts.count(503) == 1


def test_what_a_service_took_before_it_went_away_is_not_counted_as_dropped(
    slot: Slot, intake: Intake, feedback: str, away: set[int]
) -> None:
    recorder = Recorder(feedback, TOKEN, slot.metrics)
    offer(slot, recorder, ["NL"] * 1_200, at_once=True)
    away.update(range(1, 99))
    recorder.stop()
    assert len(rows_of(intake)) == 1_000  # the second post was taken, but its answer did not come
    assert dropped(slot) == 700


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
