"""Open Inference Protocol v2: from a request's JSON to columns, and from a prediction to its answer."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minorkey.data.dataset import Feature, Schema
from minorkey.serving.columns import Columns, encode_column
from minorkey.serving.refusal import Refusal

__all__ = [
    "ALLOWED",
    "MAX_ROWS",
    "OUTPUTS",
    "InferenceRequest",
    "parse_inference",
    "parse_json",
    "parse_rows",
    "tensor",
]

#: Most rows of one request.
MAX_ROWS = 10_000
#: Output tensors and their datatypes; the last two only where reasons are asked for.
OUTPUTS = {"score": "FP64", "predicted": "INT64", "reasons": "BYTES", "reason_effects": "FP64"}

_INTEGERS = {f"{sign}INT{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)}
_FLOATS = {"FP16", "FP32", "FP64"}
#: Datatypes that a tensor of a feature may have, by the feature's kind.
ALLOWED = {
    "numeric": _FLOATS | _INTEGERS | {"BOOL"},
    "categorical": {"BYTES", "BOOL"} | _INTEGERS,
    "datetime": _FLOATS | _INTEGERS | {"BYTES"},
}


@dataclass(frozen=True)
class InferenceRequest:
    """A request that has been understood.

    Attributes:
        columns: one array of shape (n,) for each feature.
        rows: n.
        id: the client's id, None if it gave none.
        reasons: reason codes asked for each row; 0: none.
        outputs: names of the output tensors asked for; empty: all.
    """

    columns: Columns
    rows: int
    id: str | None = None
    reasons: int = 0
    outputs: tuple[str, ...] = ()


def parse_json(body: bytes) -> Any:
    """The body as JSON.

    Raises:
        Refusal: it is not JSON.
    """
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        reason = str(error) or type(error).__name__
        raise Refusal(f"the body is not valid JSON: {reason[:200]}") from None


def parse_inference(content: Any, schema: Schema) -> InferenceRequest:
    """Read the body of ``POST /v2/models/MODEL/infer``.

    Args:
        content: the parsed JSON.
        schema: features that the model needs.

    Raises:
        Refusal: the request does not follow the protocol or the schema.
    """
    content = _mapping(content, "the body")
    tensors = _tensors(content.get("inputs"), schema)
    columns: Columns = {}
    rows = None
    for feature in schema.features:
        given = tensors[feature.name]
        values = _values(feature, given)
        if rows is not None and len(values) != rows:
            raise Refusal(
                f"tensor '{feature.name}' holds {len(values)} rows, but the tensors before it {rows}"
            )
        rows = len(values)
        columns[feature.name] = encode_column(feature, values)
    parameters = _mapping(content.get("parameters") or {}, "'parameters'")
    identity = content.get("id")
    if identity is not None and not isinstance(identity, str):
        raise Refusal("'id' must be a string")
    return InferenceRequest(
        columns=columns,
        rows=rows or 0,
        id=identity,
        reasons=_reasons(parameters, schema),
        outputs=_outputs(content.get("outputs")),
    )


def parse_rows(content: Any, schema: Schema) -> InferenceRequest:
    """Read the body of ``POST /predict``: a row ``{feature: value}``, a list of rows, or ``{"rows": [...]}``.

    Raises:
        Refusal: a row is no object, lacks a feature or has an unknown one, or a value does not fit.
    """
    reasons = 0
    if isinstance(content, dict) and "rows" in content and "rows" not in schema.names():
        unknown = set(content) - {"rows", "reasons"}
        if unknown:
            raise Refusal(f"unknown key {_names(unknown)}; expected 'rows' and 'reasons'")
        reasons = _reasons(content, schema)
        content = content["rows"]
    elif isinstance(content, dict):
        content = [content]
    if not isinstance(content, list) or not content:
        raise Refusal("expected a row {feature: value}, or a list of at least one")
    _bounded(len(content))
    names = set(schema.names())
    for number, row in enumerate(content):
        if not isinstance(row, dict):
            raise Refusal(f"row {number} is not an object {{feature: value}}")
        if row.keys() != names:
            raise Refusal(f"row {number}: {_difference(set(row), names)}")
    columns = {
        feature.name: encode_column(feature, [row[feature.name] for row in content])
        for feature in schema.features
    }
    return InferenceRequest(columns=columns, rows=len(content), reasons=reasons)


def tensor(name: str, values: Sequence[Any], shape: Sequence[int]) -> dict[str, Any]:
    """An output tensor of the protocol; ``values`` is flat, in row-major order."""
    return {"name": name, "shape": list(shape), "datatype": OUTPUTS[name], "data": list(values)}


def _tensors(inputs: Any, schema: Schema) -> dict[str, dict[str, Any]]:
    if not isinstance(inputs, list) or not inputs:
        raise Refusal("'inputs' must be a list with one tensor for each feature")
    tensors: dict[str, dict[str, Any]] = {}
    for given in inputs:
        given = _mapping(given, "an element of 'inputs'")
        name = given.get("name")
        if not isinstance(name, str):
            raise Refusal("every tensor needs a 'name'")
        if name in tensors:
            raise Refusal(f"tensor '{name}' is given twice")
        tensors[name] = given
    if tensors.keys() != set(schema.names()):
        raise Refusal(_difference(set(tensors), set(schema.names())))
    return tensors


def _values(feature: Feature, given: Mapping[str, Any]) -> list[Any]:
    """The tensor's n values, once its datatype, shape and data agree."""
    name, datatype, shape, data = feature.name, given.get("datatype"), given.get("shape"), given.get("data")
    allowed = ALLOWED[feature.kind]
    if not isinstance(datatype, str) or datatype not in allowed:
        takes = f"a {feature.kind} feature takes {', '.join(sorted(allowed))}"
        raise Refusal(f"tensor '{name}' has datatype {str(datatype)[:60]!r}; {takes}")
    sizes = shape if isinstance(shape, list) and all(type(size) is int for size in shape) else []
    if not (len(sizes) == 1 or (len(sizes) == 2 and sizes[1] == 1)) or sizes[0] < 1:
        raise Refusal(
            f"tensor '{name}' has shape {str(shape)[:60]}; expected [n] or [n, 1] with n at least 1"
        )
    _bounded(sizes[0])
    if not isinstance(data, list):
        raise Refusal(f"tensor '{name}' needs its values as a list in 'data'")
    if len(data) != sizes[0]:
        raise Refusal(f"tensor '{name}' has shape {shape} but {len(data)} values")
    if len(sizes) == 2 and all(isinstance(value, list) and len(value) == 1 for value in data):
        data = [value[0] for value in data]
    _check_type(name, datatype, data)
    if datatype in ("FP16", "FP32"):
        return _narrowed(name, np.float32 if datatype == "FP32" else np.float16, data)
    return data


def _narrowed(name: str, kind: type[np.floating[Any]], data: list[Any]) -> list[float | None]:
    try:
        with np.errstate(over="ignore"):
            return [None if value is None else float(kind(value)) for value in data]
    except OverflowError:
        raise Refusal(f"tensor '{name}' holds an integer beyond the range of a double") from None


def _check_type(name: str, datatype: str, data: list[Any]) -> None:
    if datatype in _FLOATS:
        allowed: set[type] = {float, int}
    else:
        allowed = {{"BOOL": bool, "BYTES": str}.get(datatype, int)}
    fits = all(kind in allowed or kind is type(None) for kind in set(map(type, data)))
    if fits and datatype.startswith("U"):
        fits = all(value is None or value >= 0 for value in data)
    if not fits:
        raise Refusal(f"tensor '{name}' holds a value that is neither null nor of datatype {datatype}")


def _reasons(parameters: Mapping[str, Any], schema: Schema) -> int:
    reasons = parameters.get("reasons", 0)
    if isinstance(reasons, float) and reasons.is_integer():
        reasons = int(reasons)  # JSON knows one kind of number
    if type(reasons) is not int or not 0 <= reasons <= len(schema.features):
        raise Refusal(
            f"'reasons' is {str(reasons)[:60]}; expected 0 to {len(schema.features)} (the number of features)"
        )
    return reasons


def _outputs(given: Any) -> tuple[str, ...]:
    if given is None:
        return ()
    if not isinstance(given, list):
        raise Refusal("'outputs' must be a list of objects with a 'name'")
    names = tuple(str(_mapping(output, "an element of 'outputs'").get("name")) for output in given)
    unknown = set(names) - set(OUTPUTS)
    if unknown:
        raise Refusal(f"unknown output {_names(unknown)}; expected {', '.join(OUTPUTS)}")
    return names


def _bounded(rows: int) -> None:
    if rows > MAX_ROWS:
        raise Refusal(f"{rows:,} rows in one request; at most {MAX_ROWS:,} are allowed", status=413)


def _mapping(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Refusal(f"{what} must be an object")
    return value


def _difference(given: set[Any], expected: set[str]) -> str:
    missing, unknown = expected - given, given - expected
    parts = [f"missing feature {_names(missing)}"] if missing else []
    parts += [f"unknown feature {_names(unknown)}"] if unknown else []
    return "; ".join(parts)


def _names(names: set[Any], most: int = 5) -> str:
    shown = [str(name)[:60] for name in sorted(names, key=str)]
    more = f" and {len(shown) - most} more" if len(shown) > most else ""
    return ", ".join(f"'{name}'" for name in shown[:most]) + more
