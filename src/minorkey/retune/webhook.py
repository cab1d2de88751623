"""Alertmanager's webhook, version 4: from its JSON to events.

Source: Prometheus documentation, "Alerting: configuration", section webhook_config.
"""

from dataclasses import dataclass, field
from typing import Any

from minorkey.data.iso8601 import FURTHEST, parse_iso
from minorkey.serving.refusal import Refusal

__all__ = ["LONGEST", "MAX_ALERTS", "Delivery", "Event", "parse_webhook"]

#: Most alerts of one delivery; Alertmanager's `max_alerts` cuts larger ones.
MAX_ALERTS = 5_000
LONGEST = 200


@dataclass(frozen=True)
class Event:
    """One alert that fires: the same `fingerprint` and `starts_at` is the same event, however often it comes.

    Attributes:
        fingerprint: Alertmanager's digest of the alert's labels.
        starts_at: when the alert began to fire, milliseconds since 1970.
        model: label ``model``, "" if it has none.
        kind: label ``kind``, "" if it has none.
        version: label ``version``, "" if it has none.
        name: label ``alertname``.
        summary: annotation ``summary``, cut to a line.
        source: ``alert``, ``manual`` or ``schedule``.
    """

    fingerprint: str
    starts_at: int
    model: str
    kind: str
    version: str = ""
    name: str = ""
    summary: str = ""
    source: str = "alert"


@dataclass(frozen=True)
class Delivery:
    """What one webhook holds.

    Attributes:
        firing: events, without repetitions.
        resolved: alerts that no longer fire; they are dropped.
        malformed: why alerts could not be read, one text each.
        truncated: alerts that Alertmanager left out.
    """

    firing: list[Event] = field(default_factory=list)
    resolved: int = 0
    malformed: list[str] = field(default_factory=list)
    truncated: int = 0


def parse_webhook(content: Any) -> Delivery:
    """Read the body of a webhook.

    A single alert that cannot be read does not keep the others from being recorded: Alertmanager does
    not send again what was refused.

    Raises:
        Refusal: it is no such message, or none of its alerts can be read.
    """
    if not isinstance(content, dict):
        raise Refusal("expected Alertmanager's webhook, a JSON object")
    if content.get("version") != "4":
        raise Refusal(f"expected a webhook of version '4', got {_said(content.get('version'))}")
    alerts = content.get("alerts")
    if not isinstance(alerts, list) or not alerts:
        raise Refusal("expected a list of at least one alert in 'alerts'")
    if len(alerts) > MAX_ALERTS:
        raise Refusal(
            f"{len(alerts):,} alerts; at most {MAX_ALERTS:,} are allowed: set max_alerts in the receiver", 413
        )
    firing: dict[tuple[str, int], Event] = {}
    resolved, malformed = 0, []
    for number, alert in enumerate(alerts):
        try:
            event = _event(alert)
        except Refusal as refusal:
            malformed.append(f"alert {number}: {refusal.reason}")
            continue
        if event is None:
            resolved += 1
        else:
            firing[event.fingerprint, event.starts_at] = event
    if malformed and not firing and not resolved:
        raise Refusal(malformed[0])
    truncated = content.get("truncatedAlerts", 0)
    return Delivery(
        list(firing.values()),
        resolved,
        malformed,
        truncated if isinstance(truncated, int) and 0 <= truncated < 2**31 else 0,
    )


def _event(alert: Any) -> Event | None:
    """The event of an alert, None where it is resolved."""
    if not isinstance(alert, dict):
        raise Refusal("expected an object")
    status = alert.get("status")
    if status == "resolved":
        return None
    if status != "firing":
        raise Refusal(f"expected status 'firing' or 'resolved', got {_said(status)}")
    labels, annotations = _texts(alert, "labels"), _texts(alert, "annotations")
    return Event(
        fingerprint=_text(alert.get("fingerprint"), "fingerprint", needed=True),
        starts_at=_moment(alert.get("startsAt")),
        model=_text(labels.get("model", ""), "model"),
        kind=_text(labels.get("kind", ""), "kind"),
        version=_text(labels.get("version", ""), "version"),
        name=labels.get("alertname", "")[:LONGEST],
        summary=" ".join(annotations.get("summary", "").split())[:LONGEST],
    )


def _texts(alert: dict[str, Any], key: str) -> dict[str, str]:
    found = alert.get(key, {})
    if not isinstance(found, dict) or not all(_is_text(value) for value in found.values()):
        raise Refusal(f"expected '{key}' to be an object of texts")
    return found


def _text(value: Any, name: str, *, needed: bool = False) -> str:
    if not _is_text(value) or len(value) > LONGEST or (needed and not value):
        raise Refusal(f"expected '{name}' to be a text of at most {LONGEST} characters, got {_said(value)}")
    return str(value)


def _is_text(value: Any) -> bool:
    """Whether a value is a text that every database takes."""
    if not isinstance(value, str) or "\0" in value:
        return False
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _moment(value: Any) -> int:
    try:
        seconds = parse_iso(value)
    except (ValueError, TypeError):
        seconds = FURTHEST
    if abs(seconds) >= FURTHEST:
        raise Refusal(f"expected 'startsAt' to be a time in RFC 3339, got {_said(value)}")
    return round(seconds * 1_000)


def _said(value: Any) -> str:
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
