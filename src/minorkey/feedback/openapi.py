"""The feedback service in OpenAPI."""

from typing import Any

from minorkey.data.iso8601 import FURTHEST
from minorkey.endpoint.openapi import MOMENT, body, description, operation, text
from minorkey.feedback.messages import LONGEST_ID, MAX_ITEMS

__all__ = ["FEEDBACK"]

#: Other printable characters are taken too; a pattern of all of them would be pages long.
_TEXT = {"type": "string", "minLength": 1, "maxLength": LONGEST_ID, "pattern": "^[ -~]+$"}
_SCORE = {"type": "number", "minimum": 0, "maximum": 1}
_TIME = {
    "description": "ISO 8601, or seconds since 1970.",
    "anyOf": [
        MOMENT,
        {"type": "number", "exclusiveMinimum": -FURTHEST, "exclusiveMaximum": FURTHEST},
    ],
}
_RECORD = {
    "type": "object",
    "required": ["id", "time", "score"],
    "properties": {"id": _TEXT, "time": _TIME, "score": _SCORE, "features": {"type": "object"}},
    "additionalProperties": False,
}
_LABEL: dict[str, Any] = {
    "id": _TEXT,
    "label": {"enum": [0, 1, True, False, None]},
    "time": {"anyOf": [*_TIME["anyOf"], {"type": "null"}]},
    "intervened": {"type": "boolean"},
    "propensity": {"anyOf": [{"type": "number", "exclusiveMinimum": 0, "maximum": 1}, {"type": "null"}]},
}
#: A row was intervened in, or let through for an audit.
_NOT_BOTH = {
    "required": ["intervened", "propensity"],
    "properties": {"intervened": {"const": True}, "propensity": {"type": "number"}},
}
_COUNTS = {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}}
_MODEL = {**_TEXT, "description": "A model that the service's specification names."}

FEEDBACK = description(
    "minorkey feedback",
    {
        "/predictions": {
            "post": operation(
                "Take what was scored.",
                {"200": body("What became of the records.", _COUNTS)},
                errors=("400", "401", "404", "413", "415", "503"),
                asks={
                    "type": "object",
                    "required": ["model", "version", "threshold", "records"],
                    "properties": {
                        "model": _MODEL,
                        "version": _TEXT,
                        "threshold": {"type": "number"},
                        "champion": {
                            **_TEXT,
                            "description": "Where the rows were scored in shadow: another version, whose "
                            "answers the clients got. The features are not kept then.",
                        },
                        "records": {
                            "type": "array",
                            "items": _RECORD,
                            "minItems": 1,
                            "maxItems": MAX_ITEMS,
                        },
                    },
                    "additionalProperties": False,
                },
            )
        },
        "/labels": {
            "post": operation(
                "Take labels: a list, or one beside its model.",
                {
                    "200": body(
                        "How many labels came to each result, and why some were refused.",
                        {
                            "type": "object",
                            "required": ["results"],
                            "properties": {
                                "results": _COUNTS,
                                "refused": {"type": "array", "items": {"type": "string"}},
                            },
                            "additionalProperties": False,
                        },
                    )
                },
                errors=("400", "401", "404", "413", "415", "503"),
                asks={
                    "anyOf": [
                        {
                            "type": "object",
                            "required": ["model", "labels"],
                            "properties": {
                                "model": _MODEL,
                                "labels": {
                                    "type": "array",
                                    "items": {
                                        "type": "object",
                                        "required": ["id"],
                                        "properties": _LABEL,
                                        "additionalProperties": False,
                                        "not": _NOT_BOTH,
                                    },
                                    "minItems": 1,
                                    "maxItems": MAX_ITEMS,
                                },
                            },
                            "additionalProperties": False,
                        },
                        {
                            "type": "object",
                            "required": ["model", "id", "label"],
                            "properties": {"model": _MODEL, **_LABEL, "label": {"enum": [0, 1, True, False]}},
                            "additionalProperties": False,
                            "not": _NOT_BOTH,
                        },
                    ]
                },
            )
        },
        "/rows/{model}/{identity}": {
            "delete": operation(
                "Delete the row of a request id.",
                {
                    "200": body(
                        "It is gone.",
                        {"type": "object", "properties": {"deleted": {"const": True}}},
                    )
                },
                errors=("401", "404", "503"),
                parameters=[
                    {"name": name, "in": "path", "required": True, "schema": _TEXT}
                    for name in ("model", "identity")
                ],
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
                "Whether the database answers.",
                {"200": body("It does.", {"type": "object", "properties": {"ready": {"const": True}}})},
                errors=("503",),
                open_to_all=True,
            )
        },
    },
)
