"""A challenger beside the champion: every row once, apart from all that is the champion's, in no answer."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import structlog

from minorkey.bundle.bundle import Bundle
from minorkey.data.dataset import Feature
from minorkey.errors import StateError
from minorkey.serving.columns import Columns
from minorkey.serving.pointer import Target
from minorkey.serving.predictor import Prediction, Predictor
from minorkey.serving.samples import sample_rows
from minorkey.serving.shadow import Shadow, require_fit
from minorkey.serving.shadow_follower import ShadowFollower
from minorkey.serving.slot import Slot
from minorkey.serving.verification import inference_body
from tests.retune.surroundings import wait_until
from tests.serving.bundles import ROW, SCHEMA, small_bundle
from tests.serving.test_metrics import Series, named, of, read

INFER = "/v2/models/cards/infer"


@pytest.fixture
def challenger(other_bundle: Bundle) -> Predictor:
    """Another model, which calls more rows positive."""
    found = Predictor(other_bundle, "cards", "2")
    found.threshold = 0.2
    return found


@pytest.fixture
def shadow(slot: Slot) -> Iterator[Shadow]:
    slot.shadow.start()
    yield slot.shadow
    slot.shadow.stop()


def told(slot: Slot) -> Series:
    return read(slot.metrics.text())


def decisions(series: Series, champion: str = "1", version: str = "2") -> np.ndarray:
    table = np.zeros((2, 2))
    for decided in (0, 1):
        for predicted in (0, 1):
            labels = {"champion_predicted": str(decided), "predicted": str(predicted), "champion": champion}
            table[decided, predicted] = of(series, "minorkey_shadow_prediction_total", version, **labels)
    return table


def scored(slot: Slot) -> int:
    return int(decisions(told(slot)).sum())


@pytest.mark.parametrize("sizes", [[1] * 40, [3, 200, 1]])
def test_every_row_is_scored_once_and_counted_by_both_decisions(
    slot: Slot, shadow: Shadow, http: httpx.Client, challenger: Predictor, sizes: list[int]
) -> None:
    shadow.load(challenger, slot.current)
    before = told(slot)
    assert decisions(before).tolist() == [[0, 0], [0, 0]]
    assert of(before, "minorkey_shadow_info", "2", digest=challenger.bundle.digest) == 1
    expected, both = np.zeros((2, 2)), np.zeros((2, 2))
    for seed, rows in enumerate(sizes):
        columns = sample_rows(slot.current.bundle.info, rows, seed=seed)
        http.post(INFER, json=inference_body(columns)).raise_for_status()
        decided, apart = slot.current.predict(columns), challenger.predict(columns)
        np.add.at(both, (decided.predicted, apart.predicted), 1)
        np.add.at(expected, (apart.predicted, 1), apart.score)
        np.add.at(expected, (apart.predicted, 0), 1 - apart.score)
    wait_until(lambda: scored(slot) == sum(sizes))
    series = told(slot)
    assert decisions(series).tolist() == both.tolist() and both[0, 1] > 0
    for predicted in (0, 1):
        for actual in (0, 1):
            labels = {"predicted": str(predicted), "actual": str(actual)}
            promised = of(series, "minorkey_shadow_expected_outcome_total", "2", **labels)
            assert promised == pytest.approx(expected[predicted, actual])
    assert sum(named(series, "minorkey_shadow_score_bin_total", "2").values()) == sum(sizes)
    shares = named(series, "minorkey_shadow_score_reference_fraction", "2")
    assert sum(shares.values()) == pytest.approx(1) and len(shares) > 2
    for scorer in ("champion", "challenger"):
        assert of(series, "minorkey_shadow_seconds_count", "2", scorer=scorer) == len(sizes)


def test_answers_and_all_that_is_counted_of_the_champion_are_as_without_a_shadow(
    slot: Slot, shadow: Shadow, bundle: Bundle, http: httpx.Client, challenger: Predictor
) -> None:
    columns = sample_rows(bundle.info, 50)
    body = inference_body(columns)

    def play() -> tuple[list[Any], Series]:
        answers = [http.post(path, json=sent).json() for path, sent in ((INFER, body), ("/predict", ROW))]
        return answers, told(slot)

    plain, first = play()
    shadow.load(challenger, slot.current)
    beside, second = play()
    wait_until(lambda: scored(slot) == 51)
    assert beside == plain
    slot.metrics.text()
    own = {key for key in second if not key[0].startswith("minorkey_shadow_")}
    assert own == set(first) - {key for key in first if key[0].startswith("minorkey_shadow_")}
    timed = "minorkey_request_seconds"
    for key in own:
        grown = second[key] - first[key]
        if key[0].endswith("_total") and not key[0].startswith(timed):
            assert grown == pytest.approx(first[key]), key  # the same traffic again, and nothing beside it
    assert {dict(labels)["version"] for _, labels in own} == {"1"}


class Broken(Predictor):
    """Fails on every row, once it is warm; other versions than 2 give scores that are no numbers."""

    broken = False

    def warm(self) -> None:
        super().warm()
        self.broken = True

    def predict(self, columns: Columns, reasons: int = 0) -> Prediction:
        if self.broken and self.version == "2":
            raise MemoryError("no room")
        found = super().predict(columns, reasons)
        return replace(found, score=found.score * np.nan) if self.broken else found


def test_a_challenger_that_fails_is_counted_and_reaches_no_client(
    slot: Slot, shadow: Shadow, http: httpx.Client, other_bundle: Bundle, challenger: Predictor
) -> None:
    shadow.load(Broken(other_bundle, "cards", "2"), slot.current)
    with structlog.testing.capture_logs() as logs:
        answers = [http.post("/predict", json=[ROW, ROW]).status_code for _ in range(3)]
        wait_until(lambda: of(told(slot), "minorkey_shadow_error_total", "2", reason="failed") == 6)
    assert answers == [200] * 3 and [log["event"] for log in logs] == ["shadow_failed"]
    assert scored(slot) == 0 and of(told(slot), "minorkey_request_total", code="500") == 0
    shadow.load(Broken(other_bundle, "cards", "3"), slot.current)
    http.post("/predict", json=ROW).raise_for_status()
    wait_until(lambda: of(told(slot), "minorkey_shadow_error_total", "3", reason="failed") == 1)
    shadow.load(challenger, slot.current)
    http.post("/predict", json=ROW)
    wait_until(lambda: scored(slot) == 1)


class Slow(Predictor):
    """Waits until it is let go."""

    gate: threading.Event

    def warm(self) -> None:
        self.gate = threading.Event()

    def predict(self, columns: Columns, reasons: int = 0) -> Prediction:
        assert self.gate.wait(60)
        return super().predict(columns, reasons)


def test_a_slow_challenger_holds_nothing_up_and_what_finds_no_room_is_counted(
    slot: Slot, http: httpx.Client, other_bundle: Bundle
) -> None:
    slot.shadow = Shadow(type(slot.metrics.registry)(), room_rows=5)
    slow = Slow(other_bundle, "cards", "2")
    slot.shadow.load(slow, slot.current)
    slot.shadow.start()
    assert [http.post("/predict", json=[ROW, ROW]).status_code for _ in range(8)] == [200] * 8
    count = slot.shadow.metrics._missed.labels("cards", "2")._value.get
    assert count() == 12  # two requests wait, one of them half scored; nothing more than five rows
    slow.gate.set()
    wait_until(lambda: not slot.shadow._waiting)
    http.post("/predict", json=[ROW] * 5).raise_for_status()
    wait_until(lambda: not slot.shadow._waiting)
    assert count() == 12
    slot.shadow.stop()


def test_what_waits_when_the_predictor_ends_is_counted_as_dropped(slot: Slot, challenger: Predictor) -> None:
    slot.shadow.load(challenger, slot.current)
    columns = sample_rows(slot.current.bundle.info, 4)
    slot.shadow.offer(slot.current, columns, slot.current.predict(columns), None, None)
    slot.shadow.stop()
    assert of(told(slot), "minorkey_shadow_dropped_total", "2") == 4


def test_requests_with_reasons_are_scored_and_not_timed(
    slot: Slot, shadow: Shadow, http: httpx.Client, challenger: Predictor
) -> None:
    shadow.load(challenger, slot.current)
    answer = http.post("/predict", json={"rows": [ROW], "reasons": 2}).json()
    assert len(answer["predictions"][0]["reasons"]) == 2
    wait_until(lambda: scored(slot) == 1)
    assert of(told(slot), "minorkey_shadow_seconds_count", "2", scorer="champion") == 0


def test_a_version_that_comes_to_serve_leaves_the_shadow_and_another_champion_begins_at_zero(
    slot: Slot, shadow: Shadow, http: httpx.Client, bundle: Bundle, challenger: Predictor
) -> None:
    shadow.load(challenger, slot.current)
    http.post("/predict", json=ROW)
    wait_until(lambda: scored(slot) == 1)
    slot.swap(Predictor(bundle, "cards", "3"))
    assert decisions(told(slot), champion="3").tolist() == [[0, 0], [0, 0]]
    http.post("/predict", json=ROW)
    wait_until(lambda: decisions(told(slot), champion="3").sum() == 1)
    assert decisions(told(slot)).sum() == 1
    slot.swap(challenger)
    http.post("/predict", json=ROW).raise_for_status()
    assert not shadow._waiting
    assert not [labels for _, labels in told(slot) if ("champion", "2") in labels]


def test_a_challenger_needs_what_requests_hold(
    slot: Slot, shadow: Shadow, http: httpx.Client, tmp_path: Path
) -> None:
    fewer = small_bundle(tmp_path / "fewer", schema=replace(SCHEMA, features=SCHEMA.features[:2]))
    require_fit(Predictor(fewer, "cards", "2"), slot.current)
    times = (Feature("amount", "datetime"), *SCHEMA.features[1:])
    for features, strange in (((*SCHEMA.features, Feature("age", "numeric")), "age"), (times, "amount")):
        other = Predictor(slot.current.bundle, "cards", "9")
        other.schema = replace(SCHEMA, features=features)
        with pytest.raises(StateError) as caught:
            require_fit(other, slot.current)
        assert strange in caught.value.key
    shadow.load(other, slot.current)
    assert http.post("/predict", json=ROW).status_code == 200
    wait_until(lambda: of(told(slot), "minorkey_shadow_error_total", "9", reason="unfit") == 1)


def test_the_follower_loads_unloads_and_survives_a_bad_bundle(
    slot: Slot, bundle: Bundle, other_bundle: Bundle, tmp_path: Path
) -> None:
    pointed: list[Target | None] = [None]
    follower = ShadowFollower(slot, lambda: pointed[0], seconds=60)

    def version() -> str:
        with structlog.testing.capture_logs() as logs:
            follower.look()
            follower.look()
        assert len([log for log in logs if log["event"] == "shadow_not_loaded"]) <= 1
        return slot.shadow.challenger.version if slot.shadow.challenger else ""

    assert version() == ""
    for target, found in (
        (Target("2", str(other_bundle.folder)), "2"),
        (Target("3", str(tmp_path)), ""),
        (Target("4", str(other_bundle.folder)), "4"),
        (Target("1", str(bundle.folder)), ""),  # it serves
        (Target("4", str(other_bundle.folder)), "4"),
        (None, ""),
    ):
        pointed[0] = target
        assert version() == found
    assert not [labels for name, labels in told(slot) if name == "minorkey_shadow_info"]
    pointed[0] = Target("4", str(other_bundle.folder))
    assert version() == "4"
    slot.swap(Predictor(other_bundle, "cards", "4"))
    assert version() == ""
