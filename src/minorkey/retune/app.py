"""The trigger's HTTP face: the webhook, the ledger to look at, metrics and health."""

import re

from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from minorkey.endpoint.answers import Handler, answer, counted, explain_errors
from minorkey.endpoint.limits import Admission, read_body
from minorkey.endpoint.openapi import described
from minorkey.endpoint.token import BearerToken
from minorkey.retune.ledger import Recorded
from minorkey.retune.metrics import TriggerMetrics
from minorkey.retune.openapi import MOST_SHOWN, TRIGGER
from minorkey.retune.page import HEADERS, render
from minorkey.retune.trigger import Trigger
from minorkey.retune.views import page
from minorkey.retune.webhook import parse_webhook
from minorkey.serving.protocol import parse_json
from minorkey.serving.refusal import Refusal

__all__ = ["MAX_BODY_BYTES", "create_app"]

#: A larger webhook is refused; 5,000 alerts with a dozen labels take less.
MAX_BODY_BYTES = 4 * 2**20
#: Webhooks at a time; the ledger writes one after the other anyway.
_AT_ONCE = 32
_A_SECOND, _BURST = 200.0, 1_000
_SHOWN = 100


def create_app(trigger: Trigger, token: BearerToken, admission: Admission | None = None) -> Starlette:
    """The trigger's application.

    Args:
        trigger: what receives.
        token: what a webhook has to bring. Looking needs none: it shows no secrets and changes nothing.
        admission: how many webhooks are let in.
    """
    metrics = TriggerMetrics(trigger.ledger, trigger.spec, trigger.champions)
    admission = admission or Admission(at_once=_AT_ONCE, a_second=_A_SECOND, burst=_BURST)
    looks = Admission(at_once=8, a_second=20.0, burst=100)
    app = Starlette(
        routes=[
            Route("/webhook", _webhook(trigger, token, admission, metrics), methods=["POST"]),
            Route("/ledger", _admitted(looks, _ledger(trigger)), methods=["GET"]),
            Route("/metrics", _admitted(looks, _metrics(metrics)), methods=["GET"]),
            Route("/health/live", _live, methods=["GET"]),
            Route("/health/ready", _admitted(looks, _ready(trigger)), methods=["GET"]),
            described(TRIGGER),
        ]
    )
    explain_errors(app)
    return app


def _webhook(trigger: Trigger, token: BearerToken, admission: Admission, metrics: TriggerMetrics) -> Handler:
    limiter = CapacityLimiter(4)

    async def handle(request: Request) -> Response:
        token.require(request)
        with admission.admitted():
            body = await read_body(request, MAX_BODY_BYTES)
            recorded = await to_thread.run_sync(_receive, trigger, body, limiter=limiter)
        return answer({"recorded": recorded.dispositions, "actions": recorded.actions}, 202)

    return counted(handle, metrics.answered)


def _receive(trigger: Trigger, body: bytes) -> Recorded:
    return trigger.receive(parse_webhook(parse_json(body)))


def _ledger(trigger: Trigger) -> Handler:
    async def handle(request: Request) -> Response:
        shown = request.query_params.get("limit", str(_SHOWN))
        if not re.fullmatch("[0-9]{1,9}", shown) or not 1 <= int(shown) <= MOST_SHOWN:
            raise Refusal(f"expected 'limit' from 1 to {MOST_SHOWN:,}, got {ascii(shown)[:40]}")
        found = await to_thread.run_sync(page, trigger.ledger, int(shown))
        wants = request.query_params.get("format") or (
            "html" if "text/html" in request.headers.get("accept", "") else "json"
        )
        if wants == "html":
            return Response(render(found, trigger.spec), media_type="text/html", headers=HEADERS)
        if wants != "json":
            raise Refusal(f"expected 'format' json or html, got {ascii(wants)[:40]}")
        return Response(found.dumps(), media_type="application/json")

    return handle


def _metrics(metrics: TriggerMetrics) -> Handler:
    async def handle(request: Request) -> Response:
        text = await to_thread.run_sync(metrics.text)
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")

    return handle


def _ready(trigger: Trigger) -> Handler:
    async def handle(request: Request) -> Response:
        await to_thread.run_sync(trigger.ledger.running)
        return answer({"ready": True})

    return handle


async def _live(request: Request) -> Response:
    return answer({"live": True})


def _admitted(admission: Admission, handler: Handler) -> Handler:
    async def handle(request: Request) -> Response:
        with admission.admitted():
            return await handler(request)

    return handle
