"""Talks to the predictors themselves, pod by pod, past the gateway."""

import json
import time
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

from minorkey.deployment.kserve.api import ServingApi
from minorkey.deployment.kserve.manifests import PORT
from minorkey.deployment.kserve.pods import PredictorPod
from minorkey.serving.verification import CHECK_HEADER

__all__ = ["Answer", "Direct", "Proxied", "Unanswered", "Way"]

_HEADERS = {CHECK_HEADER: "1", "Content-Type": "application/json"}
_SECONDS = 30.0
#: Seconds between tries to reach a pod through the API server.
_PAUSES = (0.1, 0.3, 1.0)


class Unanswered(Exception):
    """A pod is not reached."""


@dataclass(frozen=True)
class Answer:
    """What a pod answered.

    Attributes:
        status: of HTTP.
        body: as it came.
        seconds: that it took.
    """

    status: int
    body: bytes
    seconds: float

    def json(self) -> Any:
        """The body's content."""
        return json.loads(self.body)


class Way(Protocol):
    """How a pod is reached."""

    def ask(self, pod: PredictorPod, path: str, body: dict[str, Any] | None = None) -> Answer:
        """GET a path, or POST a body to it, as a check that is not counted.

        Raises:
            Unanswered: the pod is not reached.
        """
        ...


class Direct:
    """By the pod's address: from within the cluster. Needs no right but to list pods."""

    def __init__(self) -> None:
        self._http = httpx.Client(timeout=_SECONDS, trust_env=False, headers=_HEADERS)

    def ask(self, pod: PredictorPod, path: str, body: dict[str, Any] | None = None) -> Answer:
        """See `Way.ask`."""
        began = time.perf_counter()
        url = f"http://{_host(pod.address)}:{PORT}{path}"
        try:
            answer = self._http.get(url) if body is None else self._http.post(url, json=body)
        except httpx.HTTPError as error:
            raise Unanswered(f"{type(error).__name__}: {error}") from None
        return Answer(answer.status_code, answer.content, time.perf_counter() - began)


class Proxied:
    """Through the API server: from elsewhere. Takes the right to get and create ``pods/proxy``."""

    def __init__(self, api: ServingApi) -> None:
        self._api = api

    def ask(self, pod: PredictorPod, path: str, body: dict[str, Any] | None = None) -> Answer:
        """See `Way.ask`."""
        method, content = ("GET", None) if body is None else ("POST", json.dumps(body).encode())
        for pause in (*_PAUSES, None):
            began = time.perf_counter()
            status, answer = self._api.proxied(method, pod.name, PORT, path, content)
            told = _of_the_api(status, answer)
            if not told:
                return Answer(status, answer, time.perf_counter() - began)
            if pause is not None and status not in (403, 404):
                time.sleep(pause)
        raise Unanswered(told)


def _of_the_api(status: int, body: bytes) -> str:
    """What the API server says in the pod's place, "" if the pod itself has answered."""
    if status == 0:
        return body.decode(errors="replace")
    try:
        content = json.loads(body) if status >= 400 else {}
    except ValueError:
        return ""
    of_api = isinstance(content, dict) and content.get("kind") == "Status"
    return str(content.get("message") or status) if of_api else ""


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address
