import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minorkey.retune.webhook import MAX_ALERTS, parse_webhook
from minorkey.serving.protocol import parse_json
from minorkey.serving.refusal import Refusal
from tests.retune.surroundings import alert, webhook


def test_an_alert_is_read() -> None:
    (event,) = parse_webhook(webhook(alert(7))).firing
    assert (event.fingerprint, event.model, event.version) == (f"{7:016x}", "cards", "3")
    assert event.starts_at == 1_772_323_200_000 and event.summary == "performance is down"


@pytest.mark.parametrize(
    "moment", ["2026-03-01T01:00:00+01:00", "2026-03-01T00:00:00.000Z", "2026-03-01T00:00:00.0004Z"]
)
def test_the_same_moment_written_otherwise_is_the_same_event(moment: str) -> None:
    (event,) = parse_webhook(webhook(alert(), alert(startsAt=moment))).firing
    assert event.starts_at == 1_772_323_200_000


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ([], "a JSON object"),
        ({}, "version '4'"),
        (webhook(alert(), version="3"), "version '4'"),
        (webhook(alert(), version=4), "version '4'"),
        (webhook(), "at least one alert"),
        (webhook(alerts={}), "at least one alert"),
        (webhook(alert(status="maybe")), "'firing' or 'resolved'"),
        (webhook(alert(fingerprint="")), "'fingerprint'"),
        (webhook(alert(fingerprint=5)), "'fingerprint'"),
        (webhook(alert(fingerprint="x" * 201)), "'fingerprint'"),
        (webhook(alert(startsAt="yesterday")), "'startsAt'"),
        (webhook(alert(startsAt=None)), "'startsAt'"),
        (webhook(alert(startsAt="9999-01-01T00:00:00Z")), "'startsAt'"),
        (webhook(alert(labels={"model": 3})), "'labels'"),
        (webhook(alert(labels={"model": "a\0b"})), "'labels'"),
        (webhook(alert(labels={"model": "\ud800"})), "'labels'"),
        (webhook("alert"), "expected an object"),
        (webhook(alert() | {"labels": [1]}), "'labels'"),
    ],
)
def test_what_is_no_webhook_is_refused_with_what_was_expected(content: object, reason: str) -> None:
    with pytest.raises(Refusal, match=reason) as caught:
        parse_webhook(content)
    assert caught.value.status == 400


def test_one_bad_alert_does_not_lose_the_others() -> None:
    found = parse_webhook(webhook(alert(1), alert(2, startsAt="?"), alert(3, status="resolved")))
    assert len(found.firing) == 1 and found.resolved == 1
    assert found.malformed == ["alert 1: expected 'startsAt' to be a time in RFC 3339, got '?'"]


def test_too_many_alerts_are_refused() -> None:
    with pytest.raises(Refusal) as caught:
        parse_webhook(webhook(*[alert()] * (MAX_ALERTS + 1)))
    assert caught.value.status == 413


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
keys = st.sampled_from(["status", "labels", "annotations", "startsAt", "fingerprint", "truncatedAlerts"])


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(keys, json_values), st.dictionaries(st.text(max_size=12), json_values))
def test_nothing_but_refusals_comes_of_any_json(changes: dict, labels: dict) -> None:
    body = webhook(alert() | changes, alert() | {"labels": labels}, truncatedAlerts=changes.get("x", 0))
    try:
        found = parse_webhook(parse_json(json.dumps(body).encode()))
    except Refusal:
        return
    for event in found.firing:
        assert event.fingerprint and "\0" not in event.model + event.kind + event.version + event.summary
        event.summary.encode()
