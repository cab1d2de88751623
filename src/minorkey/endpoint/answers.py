"""Answers in JSON, and what becomes of errors: a body with ``error``, and never a traceback."""

import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from minorkey.errors import StateError
from minorkey.serving.refusal import Refusal

__all__ = ["Handler", "answer", "counted", "explain_errors"]

Handler = Callable[[Request], Awaitable[Response]]

_log = structlog.get_logger("minorkey.endpoint")


def answer(content: Any, status: int = 200) -> Response:
    """Content as JSON."""
    text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    return Response(text.encode(), status, media_type="application/json")


def counted(handler: Handler, tell: Callable[[int, float], None]) -> Handler:
    """The handler, after whose every request its status and seconds are told."""

    async def handle(request: Request) -> Response:
        started, code = time.perf_counter(), 500
        try:
            found = await handler(request)
            code = found.status_code
            return found
        except Refusal as refusal:
            code = refusal.status
            raise
        except StateError:
            code = 503
            raise
        finally:
            tell(code, time.perf_counter() - started)

    return handle


def explain_errors(app: Starlette) -> None:
    """Answer refusals with their status, and a database that is away with 503."""
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(StateError, _away)
    app.add_exception_handler(HTTPException, _unknown)
    app.add_exception_handler(Exception, _failed)


async def _refused(request: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, Refusal) else 400
    found = answer({"error": str(error)}, status)
    if status == 503:
        found.headers["retry-after"] = "1"
    if status == 401:
        found.headers["www-authenticate"] = "Bearer"
    return found


async def _away(request: Request, error: Exception) -> Response:
    _log.error("unavailable", path=request.url.path[:200], error=str(error))
    found = answer({"error": "the service's database does not answer; its log says why"}, 503)
    found.headers["retry-after"] = "5"
    return found


async def _unknown(request: Request, error: Exception) -> Response:
    status, detail = (
        (error.status_code, error.detail) if isinstance(error, HTTPException) else (404, "Not Found")
    )
    return answer({"error": f"{detail}: {request.method} {request.url.path[:200]}"}, status)


async def _failed(request: Request, error: Exception) -> Response:
    _log.error("request_failed", path=request.url.path[:200], error=repr(error))
    return answer({"error": "the service failed; its log says why"}, 500)
