import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from minorkey.endpoint.limits import Admission
from minorkey.endpoint.token import BearerToken
from minorkey.evaluation.logit_bins import LOGIT_BINS
from minorkey.feedback.app import MAX_BODY_BYTES, create_app
from minorkey.feedback.intake import Intake
from tests.feedback.places import NOW, Clock, intake_of, mature

TOKEN = "token-of-feedback"
BEARER = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def intake(tmp_path: Path, clock: Clock) -> Intake:
    return intake_of(f"sqlite:///{tmp_path / 'feedback.db'}", clock)


@pytest.fixture
def client(intake: Intake) -> TestClient:
    return client_of(intake)


def client_of(intake: Intake) -> TestClient:
    intake.announce()
    app = create_app(intake, BearerToken(TOKEN, None, key="token"))
    return TestClient(app, raise_server_exceptions=False, headers=BEARER)


def batch(*items: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"model": "cards", "version": "3", "threshold": 0.5, "records": list(items), **changes}


def row(number: int, **changes: Any) -> dict[str, Any]:
    return {"id": f"r{number}", "time": NOW, "score": 0.9, "features": {"amount": 1.5}, **changes}


def values(client: TestClient) -> dict[str, float]:
    found = {}
    for family in text_string_to_metric_families(client.get("/metrics").text):
        for sample in family.samples:
            labels = ",".join(f"{key}={value}" for key, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}"] = sample.value
    return found


def test_from_prediction_and_label_to_a_counted_outcome(
    client: TestClient, intake: Intake, clock: Clock
) -> None:
    assert client.post("/predictions", json=batch(row(1), row(2))).json()["recorded"] == 2
    alone = client.post("/labels", json={"model": "cards", "id": "r1", "label": 1})
    assert alone.json() == {"results": {"joined": 1}}
    many = {"model": "cards", "labels": [{"id": "r2", "label": 0}, {"id": "r9", "label": 1}, {"id": "r3"}]}
    answer = client.post("/labels", json=many).json()
    assert answer["results"] == {"joined": 1, "early": 1, "refused": 1}
    assert answer["refused"] == ["labels[2]: expected 'label', 'intervened' or 'propensity'"]
    name = "minorkey_outcome_total{{actual={},model=cards,predicted=1,version=3}}"
    assert values(client)[name.format(1)] == 0
    clock.now += 86_400.0 + 50
    assert values(client)["minorkey_feedback_backlog_seconds{model=cards}"] == 50
    clock.now -= 86_400.0
    mature(intake, clock)
    told = values(client)
    assert told[name.format(1)] == told[name.format(0)] == 1
    assert told["minorkey_outcome_label_total{actual=1,model=cards,version=3}"] == 1
    assert told["minorkey_label_received_total{model=cards,result=joined,version=3}"] == 2
    assert told["minorkey_feedback_backlog_seconds{model=cards}"] == 0
    bins = [key for key in told if key.startswith("minorkey_outcome_logit_bin_total")]
    assert len(bins) == 2 * len(LOGIT_BINS) and sum(told[key] for key in bins) == 2


def test_selective_outcomes_are_told_from_zero_with_what_the_audit_slice_stands_for(
    tmp_path: Path, clock: Clock
) -> None:
    intake = intake_of(f"sqlite:///{tmp_path / 'selective.db'}", clock, label_policy="selective")
    client = client_of(intake)
    client.post("/predictions", json=batch(row(1), row(2), row(3)))
    outcome = "minorkey_outcome_total{actual=1,model=cards,predicted=1,version=3}"
    audit = [
        f"minorkey_outcome_{name}_total{{model=cards,version=3}}"
        for name in ("audited", "audited_weight", "unlabelled")
    ]
    told = values(client)
    assert [told[name] for name in (outcome, *audit)] == [0, 0, 0, 0]
    for item in ({"id": "r1", "intervened": True}, {"id": "r2", "label": 1, "propensity": 0.5}):
        client.post("/labels", json={"model": "cards", "labels": [item]}).raise_for_status()
    mature(intake, clock)
    told = values(client)
    assert [told[name] for name in (outcome, *audit)] == [2, 1, 2, 1]
    assert told["minorkey_outcome_needs_audit{model=cards}"] == 1


def test_other_labels_need_no_audit(client: TestClient) -> None:
    assert values(client)["minorkey_outcome_needs_audit{model=cards}"] == 0


def test_series_that_an_earlier_version_did_not_have_begin_with_the_service(
    client: TestClient, intake: Intake
) -> None:
    client.post("/predictions", json=batch(row(1))).raise_for_status()
    name = "minorkey_outcome_audited_weight_total{model=cards,version=3}"
    with intake.books.transaction() as made:
        made.change("DELETE FROM minorkey_feedback_counts WHERE family IN ('audited_weight', 'record')")
    assert name not in values(client)
    intake.announce()
    assert values(client)[name] == 0


def test_records_whose_id_is_known_are_told(client: TestClient) -> None:
    name = "minorkey_record_received_total{{model=cards,result={},version=3}}"
    client.post("/predictions", json=batch(row(1), row(2))).raise_for_status()
    told = values(client)
    assert (told[name.format("recorded")], told[name.format("known")]) == (2, 0)
    for moment in range(5):
        client.post("/predictions", json=batch(row(1, time=NOW + moment))).raise_for_status()
    assert client.post("/predictions", json=batch()).status_code == 400
    told = values(client)
    assert (told[name.format("recorded")], told[name.format("known")]) == (2, 5)


@pytest.mark.parametrize("path", ["/predictions", "/labels"])
def test_without_the_token_nothing_is_heard(client: TestClient, path: str) -> None:
    assert client.post(path, json=batch(row(1)), headers={"authorization": "Bearer x"}).status_code == 401
    assert client.delete("/rows/cards/r1", headers={"authorization": ""}).status_code == 401


def test_requests_without_the_token_use_up_no_room(intake: Intake) -> None:
    admission = Admission(at_once=4, a_second=0.001, burst=2)
    client = TestClient(create_app(intake, BearerToken(TOKEN, None, key="token"), admission))
    for _ in range(5):
        assert client.post("/labels", json={}).status_code == 401
        assert client.delete("/rows/cards/r1").status_code == 401
    codes = [client.post("/predictions", json=batch(row(n)), headers=BEARER).status_code for n in range(3)]
    assert codes == [200, 200, 503]


@pytest.mark.parametrize(
    ("path", "body", "reason"),
    [
        ("/predictions", [], "expected an object"),
        ("/predictions", batch(), "at least one"),
        ("/predictions", batch(row(1), extra=1), "unknown key 'extra'"),
        ("/predictions", batch(row(1, score=1.5)), "'score' from 0 to 1"),
        ("/predictions", batch(row(1, score="0.5")), "finite number"),
        ("/predictions", batch(row(1, time="soon")), "ISO 8601"),
        ("/predictions", batch(row(1, id="")), "printable"),
        ("/predictions", batch(row(1, id="a\0")), "printable"),
        ("/predictions", batch(row(1, features=[])), "'features'"),
        ("/predictions", batch(row(1), threshold=None), "threshold"),
        ("/labels", {"model": "cards", "labels": {}}, "at least one"),
        ("/labels", {"model": "cards", "id": "r1", "label": 2}, "0 or 1"),
        ("/labels", {"model": "cards", "id": "r1", "label": "1"}, "0 or 1"),
        ("/labels", {"model": "cards", "id": "r1", "label": 1.0}, "0 or 1"),
        ("/labels", {"model": "cards", "id": "r1", "label": 1, "propensity": 0}, "above 0"),
        ("/labels", {"model": "cards", "id": "r1", "intervened": 1}, "true or false"),
        ("/labels", {"model": "cards", "id": "r1", "intervened": True, "propensity": 0.1}, "let through"),
        ("/labels", {"id": "r1", "label": 1}, "model"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(client: TestClient, path: str, body: Any, reason: str) -> None:
    answer = client.post(path, json=body)
    assert answer.status_code == 400 and reason in answer.json()["error"]


def test_a_label_that_does_not_fit_is_counted_alone_as_in_a_list(client: TestClient) -> None:
    name = "minorkey_label_received_total{model=cards,result=refused,version=}"
    bad = {"id": "r1", "label": "fraud"}
    assert client.post("/labels", json={"model": "cards", **bad}).status_code == 400
    assert values(client)[name] == 1
    assert client.post("/labels", json={"model": "cards", "labels": [bad]}).status_code == 200
    assert values(client)[name] == 2
    assert client.post("/labels", json={"model": "stranger", **bad}).status_code == 404
    assert not [key for key in values(client) if "stranger" in key]


def test_a_huge_body_an_unknown_model_and_row_are_refused(client: TestClient) -> None:
    assert client.post("/labels", content=b" " * (MAX_BODY_BYTES + 1)).status_code == 413
    assert client.post("/labels", json={"model": "x", "id": "r1", "label": 1}).status_code == 404
    assert client.delete("/rows/cards/none").status_code == 404
    client.post("/predictions", json=batch(row(1, id="a/b c")))
    assert client.delete("/rows/cards/a/b%20c").json() == {"deleted": True}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
label_keys = st.sampled_from(["id", "label", "time", "intervened", "propensity", "model", "labels"])
record_keys = st.sampled_from(["id", "time", "score", "features"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(label_keys, json_values), st.dictionaries(record_keys, json_values))
def test_no_json_makes_the_service_fail(client: TestClient, label: dict, record: dict) -> None:
    for path, body in (
        ("/labels", {"model": "cards", "id": "r1", "label": 1} | label),
        ("/labels", {"model": "cards", "labels": [{"id": "r2", "label": 0} | label]}),
        ("/predictions", batch(row(5) | record)),
    ):
        answer = client.post(path, content=json.dumps(body).encode())
        assert answer.status_code < 500, answer.text


def test_what_was_scored_in_shadow_is_told_by_names_of_its_own(
    client: TestClient, intake: Intake, clock: Clock
) -> None:
    client.post("/predictions", json=batch(row(1), row(2))).raise_for_status()
    before = values(client)
    shadow = batch(row(1, features={}), row(2, score=0.1, features={}), version="4", champion="3")
    assert client.post("/predictions", json=shadow).json() == {"recorded": 2, "known": 0}
    cell = (
        "minorkey_shadow_outcome_total{{actual=0,champion=3,champion_predicted=1,"
        "model=cards,predicted={},version=4}}"
    )
    assert values(client)[cell.format(1)] == values(client)[cell.format(0)] == 0
    mature(intake, clock)
    told = values(client)
    assert told[cell.format(1)] == told[cell.format(0)] == 1
    assert told["minorkey_shadow_outcome_label_total{actual=0,champion=3,model=cards,version=4}"] == 2
    new = {name for name in told if name not in before}
    assert new and all(name.startswith("minorkey_shadow_") for name in new)


def test_selective_outcomes_of_a_shadow_are_told_from_zero(tmp_path: Path, clock: Clock) -> None:
    intake = intake_of(f"sqlite:///{tmp_path / 'feedback.db'}", clock, label_policy="selective")
    client = client_of(intake)
    shadow = batch(row(1), row(2), version="4", champion="3")
    for body in (batch(row(1), row(2)), shadow):
        client.post("/predictions", json=body).raise_for_status()

    def cells() -> list[float]:
        told = values(client).items()
        return [value for name, value in told if name.startswith("minorkey_shadow_outcome_total")]

    assert cells() == [0.0] * 8
    client.post("/labels", json={"model": "cards", "labels": [{"id": "r1", "label": 1, "propensity": 0.5}]})
    mature(intake, clock)
    assert sum(cells()) == 3.0


@pytest.mark.parametrize("champion", ["", "3", 7, None])
def test_a_champion_that_is_none_is_refused(client: TestClient, champion: Any) -> None:
    answer = client.post("/predictions", json=batch(row(1), champion=champion))
    assert answer.status_code == 400 and "champion" in answer.json()["error"]
