"""What the API answers: objects, and refusals as Status objects."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.kubernetes.fake.kinds import Kind

__all__ = [
    "Answer",
    "ApiError",
    "already_exists",
    "bad_request",
    "conflict",
    "expired",
    "forbidden",
    "invalid",
    "not_found",
    "success",
]


@dataclass
class Answer:
    """An answer on its way out: a body at once, or lines as they come."""

    body: bytes = b"{}"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    lines: Iterator[bytes] | None = None

    @classmethod
    def of(cls, content: Any, status: int = 200) -> "Answer":
        """An answer that holds JSON content."""
        return cls(json.dumps(content, separators=(",", ":")).encode(), status)


class ApiError(Exception):
    """A refusal, as the API words it.

    Args:
        code: the HTTP status.
        reason: one word of the API's own, such as ``AlreadyExists``.
        message: a sentence.
        details: name, kind, causes.
        retry_after: seconds, for the header of that name.
    """

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        details: dict | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details or {}
        self.retry_after = retry_after

    def body(self) -> dict:
        """The Status object."""
        details = dict(self.details)
        if self.retry_after is not None:
            details["retryAfterSeconds"] = self.retry_after
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            **({"details": details} if details else {}),
            "code": self.code,
        }

    def answer(self) -> Answer:
        """The whole answer."""
        answer = Answer.of(self.body(), self.code)
        if self.retry_after is not None:
            answer.headers["Retry-After"] = str(self.retry_after)
        return answer


def _named(kind: Kind, name: str) -> dict:
    return {"name": name, **({"group": kind.group} if kind.group else {}), "kind": kind.plural}


def not_found(kind: Kind, name: str) -> ApiError:
    return ApiError(404, "NotFound", f'{kind.qualified} "{name}" not found', _named(kind, name))


def already_exists(kind: Kind, name: str) -> ApiError:
    return ApiError(409, "AlreadyExists", f'{kind.qualified} "{name}" already exists', _named(kind, name))


def conflict(kind: Kind, name: str, problem: str = "") -> ApiError:
    problem = problem or (
        "the object has been modified; please apply your changes to the latest version and try again"
    )
    message = f'Operation cannot be fulfilled on {kind.qualified} "{name}": {problem}'
    return ApiError(409, "Conflict", message, _named(kind, name))


def forbidden(kind: Kind, name: str, problem: str) -> ApiError:
    return ApiError(
        403, "Forbidden", f'{kind.qualified} "{name}" is forbidden: {problem}', _named(kind, name)
    )


def invalid(kind: Kind, name: str, *causes: tuple[str, str]) -> ApiError:
    told = [{"reason": "FieldValueInvalid", "message": text, "field": where} for where, text in causes]
    wording = ", ".join(f"{where}: {text}" for where, text in causes)
    if len(causes) > 1:
        wording = f"[{wording}]"
    details = {"name": name, "group": kind.group, "kind": kind.name, "causes": told}
    return ApiError(422, "Invalid", f'{kind.name}.{kind.group} "{name}" is invalid: {wording}', details)


def bad_request(message: str) -> ApiError:
    return ApiError(400, "BadRequest", message)


def expired(message: str) -> ApiError:
    return ApiError(410, "Expired", message)


def success(kind: Kind, obj: dict) -> Answer:
    """What a delete answers when the object is gone."""
    metadata = obj["metadata"]
    details = {**_named(kind, metadata["name"]), "uid": metadata["uid"]}
    return Answer.of(
        {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
    )
