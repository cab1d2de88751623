"""The predictor in OpenAPI: paths and bodies of the model that it serves now.

Source: Open Inference Protocol, version 2, "REST API" (open-inference.github.io).
"""

from minorkey.data.dataset import Feature
from minorkey.endpoint.openapi import MOMENT, Described, body, description, operation, text
from minorkey.serving.predictor import Predictor
from minorkey.serving.protocol import ALLOWED, MAX_ROWS, OUTPUTS

__all__ = ["predictor_description"]

_ERRORS = ("400", "404", "413", "415", "503")
#: Largest size of a number, by datatype.
_LARGEST = {"FP16": 6.5e4, "FP32": 3.4e38, "FP64": 1.7e308}
_NUMBER = {"type": "number", "minimum": -_LARGEST["FP64"], "maximum": _LARGEST["FP64"]}
_DIGITS = {"type": "string", "pattern": r"^-?[0-9]{1,18}(\.[0-9]{1,18})?$"}
#: Integers stay within 64 bits; the parser takes what a double holds.
_WHOLE = {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1}
_MISSING = [{"const": ""}, {"type": "null"}]
_TEXT = {"type": "string", "maxLength": 1_000}
#: By kind of a feature, the values that a row of ``POST /predict`` may hold.
_VALUES: dict[str, list[Described]] = {
    "numeric": [_NUMBER, {"type": "boolean"}, _DIGITS, *_MISSING],
    "categorical": [_TEXT, _NUMBER, {"type": "boolean"}, {"type": "null"}],
    "datetime": [MOMENT, _NUMBER, *_MISSING],
}
_READY: Described = {"ready": {"const": True}}
_SCORE = {"type": "number", "minimum": 0, "maximum": 1}
_ABOUT: dict[str, Described] = {
    "threshold": {"type": "number"},
    "target": {"type": "string"},
    "positive": {"type": "string"},
}


def predictor_description(predictor: Predictor) -> Described:
    """The description of a predictor with its present model, version and features."""
    named = {"model": predictor.model, "version": predictor.version}
    paths: dict[str, Described] = {
        "/v2": _get("Name and version of the server.", {"name": {"const": "minorkey"}}),
        "/v2/health/live": _get("Whether the process lives.", {"live": {"const": True}}),
        "/v2/health/ready": _get("Whether a model is loaded.", _READY),
        "/predict": _post("Score plain rows.", _rows_asked(predictor), _rows_told()),
        "/metrics": {
            "get": operation(
                "Counts for Prometheus.",
                {"200": text("Prometheus' text format.", "text/plain")},
            )
        },
    }
    for prefix, names in (
        ("/v2/models/{model}", ("model",)),
        ("/v2/models/{model}/versions/{version}", ("model", "version")),
    ):
        of = [_parameter(name, named[name]) for name in names]
        paths[prefix] = _get("What the model takes and gives.", _metadata_told(), of)
        paths[f"{prefix}/ready"] = _get("Whether the model answers.", _READY, of)
        paths[f"{prefix}/infer"] = _post("Score tensors.", _tensors_asked(predictor), _tensors_told(), of)
    return description("minorkey predictor", paths, token=False)


def _get(summary: str, told: Described, parameters: list[Described] | None = None) -> Described:
    schema = {"type": "object", "required": list(told), "properties": told}
    errors = ("404",) if parameters else ()
    return {"get": operation(summary, {"200": body(summary, schema)}, errors=errors, parameters=parameters)}


def _post(
    summary: str, asks: Described, told: Described, parameters: list[Described] | None = None
) -> Described:
    answers = {"200": body("What the model says.", told)}
    return {"post": operation(summary, answers, errors=_ERRORS, asks=asks, parameters=parameters)}


def _parameter(name: str, served: str) -> Described:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "enum": [served]}}


def _rows_asked(predictor: Predictor) -> Described:
    features = predictor.schema.features
    row = {
        "type": "object",
        "required": [feature.name for feature in features],
        "properties": {feature.name: {"anyOf": _VALUES[feature.kind]} for feature in features},
        "additionalProperties": False,
    }
    rows = {"type": "array", "items": row, "minItems": 1, "maxItems": MAX_ROWS}
    if "rows" in predictor.schema.names():
        return {"anyOf": [row, rows]}
    several = {
        "type": "object",
        "required": ["rows"],
        "properties": {"rows": rows, "reasons": _reasons(predictor)},
        "additionalProperties": False,
    }
    return {"anyOf": [row, rows, several]}


def _rows_told() -> Described:
    reason = _object({"feature": {"type": "string"}, "effect": {"type": "number"}})
    row = _object(
        {"score": _SCORE, "predicted": {"enum": [0, 1]}},
        {"reasons": {"type": "array", "items": reason}},
    )
    return _object(
        {
            "model": {"type": "string"},
            "version": {"type": "string"},
            **_ABOUT,
            "predictions": {"type": "array", "items": row, "minItems": 1, "maxItems": MAX_ROWS},
        },
        {"id": {"type": "string"}},
    )


def _tensors_asked(predictor: Predictor) -> Described:
    """One tensor of each feature, in any order; that their lengths agree no schema can say."""
    features = predictor.schema.features
    output = {"type": "object", "required": ["name"], "properties": {"name": {"enum": list(OUTPUTS)}}}
    return {
        "type": "object",
        "required": ["inputs"],
        "properties": {
            "id": {"type": ["string", "null"]},
            "inputs": {
                "type": "array",
                "items": {"anyOf": [one for feature in features for one in _tensors_of(feature)]},
                "minItems": len(features),
                "maxItems": len(features),
            },
            "outputs": {"anyOf": [{"type": "array", "items": output}, {"type": "null"}]},
            "parameters": {"type": "object", "properties": {"reasons": _reasons(predictor)}},
        },
    }


def _tensors_of(feature: Feature) -> list[Described]:
    """A tensor of a feature, by datatype."""
    return [
        {
            "type": "object",
            "required": ["name", "datatype", "shape", "data"],
            "properties": {
                "name": {"const": feature.name},
                "datatype": {"const": datatype},
                "shape": {
                    "description": "[n] or [n, 1]",
                    "type": "array",
                    "prefixItems": [{"type": "integer", "minimum": 1, "maximum": MAX_ROWS}, {"const": 1}],
                    "items": False,
                    "minItems": 1,
                },
                "data": {
                    "type": "array",
                    "items": {"anyOf": [_value(feature, datatype), {"type": "null"}]},
                    "minItems": 1,
                    "maxItems": MAX_ROWS,
                },
            },
        }
        for datatype in sorted(ALLOWED[feature.kind])
    ]


def _value(feature: Feature, datatype: str) -> Described:
    if datatype == "BOOL":
        return {"type": "boolean"}
    if datatype == "BYTES":
        return _TEXT if feature.kind == "categorical" else {"anyOf": [MOMENT, {"const": ""}]}
    if datatype in _LARGEST:
        return {"type": "number", "minimum": -_LARGEST[datatype], "maximum": _LARGEST[datatype]}
    return {**_WHOLE, "minimum": 0} if datatype.startswith("U") else _WHOLE


def _reasons(predictor: Predictor) -> Described:
    return {"type": "integer", "minimum": 0, "maximum": len(predictor.schema.features)}


def _tensors_told() -> Described:
    data = {"type": "array", "items": {"type": ["number", "string"]}}
    output = _object(
        {
            "name": {"enum": list(OUTPUTS)},
            "shape": {"type": "array", "items": {"type": "integer", "minimum": 1}},
            "datatype": {"enum": sorted(set(OUTPUTS.values()))},
            "data": data,
        }
    )
    return _object(
        {
            "model_name": {"type": "string"},
            "model_version": {"type": "string"},
            "outputs": {"type": "array", "items": output},
            "parameters": _object(_ABOUT),
        },
        {"id": {"type": "string"}},
    )


def _metadata_told() -> Described:
    tensor = _object(
        {
            "name": {"type": "string"},
            "datatype": {"type": "string"},
            "shape": {"type": "array", "items": {"const": -1}},
        }
    )
    return {
        "name": {"type": "string"},
        "versions": {"type": "array", "items": {"type": "string"}},
        "platform": {"type": "string"},
        "inputs": {"type": "array", "items": tensor},
        "outputs": {"type": "array", "items": tensor},
        "parameters": _object({**_ABOUT, "digest": {"type": "string"}}),
    }


def _object(needed: Described, possible: Described | None = None) -> Described:
    """An object of these keys and no others."""
    return {
        "type": "object",
        "required": list(needed),
        "properties": {**needed, **(possible or {})},
        "additionalProperties": False,
    }
