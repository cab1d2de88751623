"""What an answer of the API that is no success means for the call."""

import json
from typing import Any

from kubernetes import client

__all__ = ["Exists", "Missing", "is_passing", "raise_if_told", "retry_after", "said"]

Manifest = dict[str, Any]


class Exists(Exception):
    """An object of that name is there already."""


class Missing(Exception):
    """There is no object of that name."""


def raise_if_told(error: Exception, status: int, verb: str) -> None:
    """Turn the two answers that mean success another time into exceptions of their own.

    Raises:
        Exists: what was to be created is there.
        Missing: what was to be deleted is not.
    """
    if status == 409 and verb == "create" and _reason(error) == "AlreadyExists":
        raise Exists from None
    if status == 404 and verb == "delete":
        raise Missing from None


def is_passing(status: int) -> bool:
    """Whether asking again may help: no answer, throttled, a conflict, or the server's own trouble."""
    return status in (0, 408, 409, 429) or status >= 500


def said(error: Exception) -> tuple[int, str]:
    """HTTP status and message of a failed call; status 0 where there was no answer."""
    if not isinstance(error, client.ApiException):
        return 0, f"{type(error).__name__}: {error}"
    return int(error.status or 0), str(_content(error).get("message") or error.reason or "")


def retry_after(error: Exception) -> float:
    """Seconds that the API asks to wait before the next attempt, a minute at most."""
    headers = getattr(error, "headers", None) or {}
    try:
        return min(60.0, float(headers.get("Retry-After", 0.0)))
    except ValueError:
        return 0.0


def _reason(error: Exception) -> str:
    return str(_content(error).get("reason", "")) if isinstance(error, client.ApiException) else ""


def _content(error: client.ApiException) -> Manifest:
    try:
        content = json.loads(error.body or b"{}")
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
