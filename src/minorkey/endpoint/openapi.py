"""Descriptions of services in OpenAPI 3.1, put together from what they share."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from minorkey.endpoint.answers import answer

__all__ = ["MOMENT", "Described", "body", "described", "description", "operation", "text"]

#: A part of a description.
Described = dict[str, Any]

#: A time in RFC 3339 of these centuries; `format: date-time` alone would take any year.
MOMENT = {
    "type": "string",
    "pattern": r"^(19[7-9]|20[0-9])[0-9]-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])"
    r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9])$",
}

_ERRORS = {
    "400": "The request does not fit; the text says where.",
    "401": "The service's token is missing or wrong.",
    "404": "There is no such thing.",
    "413": "The request is too large.",
    "415": "The body is compressed.",
    "503": "Too many requests or connections, or the database does not answer: send it again later.",
}
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": {"type": "string"}},
    "additionalProperties": False,
}


def operation(
    summary: str,
    answers: Mapping[str, Described],
    *,
    errors: tuple[str, ...] = (),
    asks: Described | None = None,
    parameters: list[Described] | None = None,
    open_to_all: bool = False,
) -> Described:
    """One operation of a path.

    Args:
        summary: what it does.
        answers: by status, as `body` or `text` makes them.
        errors: further statuses that it may answer with.
        asks: JSON schema of the request's body.
        parameters: of the path or the query.
        open_to_all: whether it needs no token.
    """
    found: Described = {
        "summary": summary,
        "responses": {
            **answers,
            **{status: body(_ERRORS[status], {"$ref": "#/components/schemas/Error"}) for status in errors},
        },
    }
    if asks is not None:
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": asks}}}
    if parameters:
        found["parameters"] = parameters
    if open_to_all:
        found["security"] = []
    return found


def body(meaning: str, schema: Described) -> Described:
    """An answer in JSON."""
    return {"description": meaning, "content": {"application/json": {"schema": schema}}}


def text(meaning: str, kind: str) -> Described:
    """An answer in another form."""
    return {"description": meaning, "content": {kind: {"schema": {"type": "string"}}}}


def description(title: str, paths: Mapping[str, Described], *, token: bool = True) -> Described:
    """A whole service.

    Args:
        title: its name.
        paths: by path and method its operations.
        token: whether they need a bearer token, unless they say otherwise.
    """
    found: Described = {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version("minorkey")},
        "paths": dict(paths),
        "components": {"schemas": {"Error": _ERROR}},
    }
    if token:
        found["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        found["security"] = [{"token": []}]
    return found


def described(content: Described) -> Route:
    """The route ``GET /openapi.json``."""

    async def handle(request: Request) -> Response:
        return answer(content)

    return Route("/openapi.json", handle, methods=["GET"])
