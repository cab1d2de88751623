"""The feedback service's HTTP face."""

from collections.abc import Callable
from typing import Any

from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from minorkey.endpoint.answers import Handler, answer, counted, explain_errors
from minorkey.endpoint.limits import Admission, read_body
from minorkey.endpoint.openapi import described
from minorkey.endpoint.token import BearerToken
from minorkey.feedback.intake import Intake
from minorkey.feedback.messages import parse_labels, parse_records
from minorkey.feedback.metrics import FeedbackMetrics
from minorkey.feedback.openapi import FEEDBACK
from minorkey.feedback.shadows import record_shadows
from minorkey.serving.protocol import parse_json
from minorkey.serving.refusal import Refusal

__all__ = ["MAX_BODY_BYTES", "create_app"]

#: A larger body is refused.
MAX_BODY_BYTES = 8 * 2**20
_AT_ONCE, _A_SECOND, _BURST = 32, 500.0, 2_000

_Work = Callable[[Intake, Any], dict[str, Any]]


def create_app(intake: Intake, token: BearerToken, admission: Admission | None = None) -> Starlette:
    """The feedback service's application.

    Args:
        intake: where everything goes.
        token: what every request but health and metrics has to bring.
        admission: how many requests that bring the token are let in; others use up no room.
    """
    metrics = FeedbackMetrics(intake)
    admission = admission or Admission(at_once=_AT_ONCE, a_second=_A_SECOND, burst=_BURST)
    looks = Admission(at_once=8, a_second=20.0, burst=100)
    limiter = CapacityLimiter(4)

    def told_of(path: str, handler: Handler) -> Handler:
        return counted(handler, lambda code, seconds: metrics.answered(path, code))

    def posting(path: str, work: _Work) -> Route:
        async def handle(request: Request) -> Response:
            token.require(request)
            with admission.admitted():
                body = await read_body(request, MAX_BODY_BYTES)
                return answer(
                    await to_thread.run_sync(lambda: work(intake, parse_json(body)), limiter=limiter)
                )

        return Route(path, told_of(path, handle), methods=["POST"])

    async def delete(request: Request) -> Response:
        token.require(request)
        with admission.admitted():
            model, identity = request.path_params["model"], request.path_params["identity"]
            if "\0" in identity or "\0" in model:
                raise Refusal("there is no such row", 404)
            gone = await to_thread.run_sync(intake.delete, model, identity, limiter=limiter)
            if not gone:
                raise Refusal("there is no such row", 404)
            return answer({"deleted": True})

    async def told(request: Request) -> Response:
        with looks.admitted():
            text = await to_thread.run_sync(metrics.text)
            return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")

    async def ready(request: Request) -> Response:
        with looks.admitted():
            await to_thread.run_sync(_reach, intake)
            return answer({"ready": True})

    async def live(request: Request) -> Response:
        return answer({"live": True})

    rows = "/rows/{model}/{identity:path}"
    app = Starlette(
        routes=[
            posting("/predictions", _predictions),
            posting("/labels", _labels),
            Route(rows, told_of("/rows", delete), methods=["DELETE"]),
            Route("/metrics", told, methods=["GET"]),
            Route("/health/live", live, methods=["GET"]),
            Route("/health/ready", ready, methods=["GET"]),
            described(FEEDBACK),
        ]
    )
    explain_errors(app)
    return app


def _predictions(intake: Intake, content: Any) -> dict[str, Any]:
    batch = parse_records(content)
    if batch.champion:
        return record_shadows(intake, batch)
    return intake.predictions(batch.model, batch.version, batch.threshold, batch.records)


def _labels(intake: Intake, content: Any) -> dict[str, Any]:
    model, labels, refused = parse_labels(content)
    found: dict[str, Any] = {"results": intake.labels(model, labels, len(refused))}
    if refused and "labels" not in content:
        raise Refusal(refused[0])
    return found | ({"refused": refused[:20]} if refused else {})


def _reach(intake: Intake) -> None:
    with intake.books.transaction(alone=False) as made:
        made.rows("SELECT 1")
