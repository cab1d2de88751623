"""The HTTP face of the predictor: Open Inference Protocol v2, ``/predict`` and ``/metrics``."""

import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import structlog
from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from minorkey.endpoint.limits import Connections, read_body
from minorkey.serving.openapi import predictor_description
from minorkey.serving.predictor import Prediction, Predictor
from minorkey.serving.protocol import InferenceRequest, parse_inference, parse_json, parse_rows
from minorkey.serving.reasons import MAX_REASON_ROWS
from minorkey.serving.records import request_id
from minorkey.serving.refusal import Refusal
from minorkey.serving.slot import Slot
from minorkey.serving.verification import CHECK_HEADER

__all__ = ["MAX_BODY_BYTES", "create_app"]

#: A larger request body is refused.
MAX_BODY_BYTES = 8 * 2**20

#: A larger body, more rows, or reasons are worked on in a thread, so that small requests do not wait.
_INLINE_BYTES = 32 * 2**10
_INLINE_ROWS = 128

_log = structlog.get_logger("minorkey.serving")
_Parse = Callable[[Any, Any], InferenceRequest]
_Render = Callable[[Predictor, InferenceRequest, Prediction], dict[str, Any]]
_Handler = Callable[[Request], Awaitable[Response]]


def create_app(slot: Slot, connections: Connections | None = None) -> FastAPI:
    """The predictor's application.

    Args:
        slot: what answers; it may be swapped at any time.
        connections: how many are open; None: as many as come. Health, metadata and metrics are told anyway.
    """
    room = connections or Connections(sys.maxsize)
    app = FastAPI(title="minorkey predictor", openapi_url=None, docs_url=None, redoc_url=None)
    infer = _answering(slot, room, parse_inference, Predictor.inference_answer)
    server = {"name": "minorkey", "version": version("minorkey"), "extensions": []}
    _get(app, "/openapi.json", lambda _: predictor_description(slot.current))
    _get(app, "/v2", lambda _: server)
    _get(app, "/v2/health/live", lambda _: {"live": True})
    _get(app, "/v2/health/ready", lambda _: {"ready": True})
    for prefix in ("/v2/models/{model}", "/v2/models/{model}/versions/{version}"):
        _get(app, prefix, lambda request: _asked_for(slot, request).metadata())
        _get(app, f"{prefix}/ready", lambda request: {"name": _asked_for(slot, request).model, "ready": True})
        # Plain routes: FastAPI's own would resolve dependencies and validate for each request.
        app.add_route(f"{prefix}/infer", infer, methods=["POST"])
    app.add_route("/predict", _answering(slot, room, parse_rows, Predictor.rows_answer), methods=["POST"])
    app.add_route("/metrics", _metrics(slot), methods=["GET"])
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(HTTPException, _not_found)
    app.add_exception_handler(Exception, _failed)
    return app


def _get(app: FastAPI, path: str, content: Callable[[Request], dict[str, Any]]) -> None:
    async def handle(request: Request) -> Response:
        return _json(content(request))

    app.add_route(path, handle, methods=["GET"])


def _answering(slot: Slot, room: Connections, parse: _Parse, render: _Render) -> _Handler:
    """A handler that reads, scores and answers, and counts whatever comes of it."""
    limiter = CapacityLimiter(max(2, os.cpu_count() or 1))

    async def handle(request: Request) -> Response:
        started = time.perf_counter()
        predictor = slot.current
        checking = CHECK_HEADER in request.headers
        code = 500
        try:
            room.require_room()
            predictor = _asked_for(slot, request)
            body = await _body(request)
            if len(body) > _INLINE_BYTES:
                understood = await to_thread.run_sync(_understand, parse, body, predictor, limiter=limiter)
            else:
                understood = _understand(parse, body, predictor)
            if slot.recorder is not None and not checking:
                given = understood.id or request.headers.get("x-request-id")
                understood = replace(understood, id=request_id(given))
            if understood.rows > _INLINE_ROWS or understood.reasons:
                content = await to_thread.run_sync(
                    _answer, slot, predictor, understood, render, checking, limiter=limiter
                )
            else:
                content = _answer(slot, predictor, understood, render, checking)
            code = 200
            return Response(content, media_type="application/json")
        except Refusal as refusal:
            code = refusal.status
            raise
        finally:
            if not checking:
                slot.metrics.answered(predictor, code, time.perf_counter() - started)

    return handle


def _understand(parse: _Parse, body: bytes, predictor: Predictor) -> InferenceRequest:
    understood = parse(parse_json(body), predictor.schema)
    if understood.reasons and understood.rows > MAX_REASON_ROWS:
        raise Refusal(
            f"{understood.rows:,} rows with reasons; at most {MAX_REASON_ROWS:,} are allowed", status=413
        )
    return understood


def _answer(
    slot: Slot, predictor: Predictor, understood: InferenceRequest, render: _Render, checking: bool
) -> bytes:
    started = time.perf_counter()
    prediction = predictor.predict(understood.columns, understood.reasons)
    seconds = None if understood.reasons else time.perf_counter() - started
    content = _encode(render(predictor, understood, prediction))
    if checking:
        return content
    slot.metrics.predicted(predictor, understood.columns, prediction)
    if slot.recorder is not None and understood.id is not None:
        slot.recorder.offer(predictor, understood.id, understood.columns, prediction)
    slot.shadow.offer(predictor, understood.columns, prediction, understood.id, seconds)
    return content


def _asked_for(slot: Slot, request: Request) -> Predictor:
    """The predictor, if the path names its model and version or none."""
    predictor = slot.current
    model = request.path_params.get("model", predictor.model)
    version = request.path_params.get("version", predictor.version)
    if model != predictor.model:
        raise Refusal(f"there is no model '{model[:100]}' here; this is '{predictor.model}'", status=404)
    if version != predictor.version:
        raise Refusal(
            f"version '{version[:100]}' is not served; this is version '{predictor.version}'", status=404
        )
    return predictor


async def _body(request: Request) -> bytes:
    if "inference-header-content-length" in request.headers:
        raise Refusal("binary tensors are not accepted; send the data as JSON", status=415)
    return await read_body(request, MAX_BODY_BYTES)


def _metrics(slot: Slot) -> _Handler:
    async def handle(request: Request) -> Response:
        return Response(slot.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return handle


async def _refused(request: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, Refusal) else 400
    answer = _json({"error": str(error)}, status)
    if status == 503:
        answer.headers.update({"retry-after": "1", "connection": "close"})
    return answer


async def _not_found(request: Request, error: Exception) -> Response:
    status, detail = (
        (error.status_code, error.detail) if isinstance(error, HTTPException) else (404, "Not Found")
    )
    return _json({"error": f"{detail}: {request.method} {request.url.path[:200]}"}, status)


async def _failed(request: Request, error: Exception) -> Response:
    _log.error("request_failed", path=request.url.path, error=repr(error))
    return _json({"error": "the predictor failed; its log says why"}, 500)


def _json(content: dict[str, Any], status: int = 200) -> Response:
    return Response(_encode(content), status, media_type="application/json")


def _encode(content: dict[str, Any]) -> bytes:
    return json.dumps(content, separators=(",", ":"), allow_nan=False).encode()
