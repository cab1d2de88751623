"""The retune trigger in OpenAPI.

Source of the webhook: Prometheus documentation, "Alerting: configuration", section webhook_config.
"""

from minorkey.endpoint.openapi import MOMENT, body, description, operation, text
from minorkey.retune.webhook import LONGEST, MAX_ALERTS

__all__ = ["MOST_SHOWN", "TRIGGER"]

#: Most actions and events that ``/ledger`` shows.
MOST_SHOWN = 1_000
_SHORT = {"type": "string", "maxLength": LONGEST, "pattern": "^[^\\u0000]*$"}
_TEXTS = {"type": "object", "additionalProperties": _SHORT}
_ALERT = {
    "type": "object",
    "required": ["status", "labels", "fingerprint", "startsAt"],
    "properties": {
        "status": {"enum": ["firing", "resolved"]},
        "labels": _TEXTS,
        "annotations": _TEXTS,
        "fingerprint": {**_SHORT, "minLength": 1},
        "startsAt": MOMENT,
    },
}
_COUNTS = {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}}

TRIGGER = description(
    "minorkey retune",
    {
        "/webhook": {
            "post": operation(
                "Take a delivery of Alertmanager, version 4.",
                {
                    "202": body(
                        "It is in the ledger: what became of its alerts, and their actions.",
                        {
                            "type": "object",
                            "required": ["recorded", "actions"],
                            "properties": {
                                "recorded": _COUNTS,
                                "actions": {"type": "array", "items": {"type": "integer"}},
                            },
                            "additionalProperties": False,
                        },
                    )
                },
                errors=("400", "401", "413", "415", "503"),
                asks={
                    "type": "object",
                    "required": ["version", "alerts"],
                    "properties": {
                        "version": {"const": "4"},
                        "alerts": {
                            "type": "array",
                            "items": _ALERT,
                            "minItems": 1,
                            "maxItems": MAX_ALERTS,
                        },
                        "truncatedAlerts": {"type": "integer", "minimum": 0},
                    },
                },
            )
        },
        "/ledger": {
            "get": operation(
                "The newest actions and events.",
                {
                    "200": {
                        "description": "As JSON, or as a page.",
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "object",
                                    "required": ["now", "actions", "events", "counts"],
                                    "properties": {
                                        "now": {"type": "number"},
                                        **{
                                            name: {"type": "array", "items": {"type": "object"}}
                                            for name in ("actions", "events", "stages", "cancels", "counts")
                                        },
                                    },
                                }
                            },
                            "text/html": {"schema": {"type": "string"}},
                        },
                    }
                },
                errors=("400", "503"),
                parameters=[
                    {
                        "name": "limit",
                        "in": "query",
                        "schema": {"type": "integer", "minimum": 1, "maximum": MOST_SHOWN},
                    },
                    {"name": "format", "in": "query", "schema": {"enum": ["json", "html"]}},
                ],
                open_to_all=True,
            )
        },
        "/metrics": {
            "get": operation(
                "Counts for Prometheus.",
                {"200": text("Prometheus' text format.", "text/plain")},
                errors=("503",),
                open_to_all=True,
            )
        },
        "/health/ready": {
            "get": operation(
                "Whether the ledger answers.",
                {"200": body("It does.", {"type": "object", "properties": {"ready": {"const": True}}})},
                errors=("503",),
                open_to_all=True,
            )
        },
    },
)
