"""Logs and evictions of pods, tokens of service accounts."""

import http.client
import json
from collections.abc import Callable

from tests.kubernetes.fake.access import Access
from tests.kubernetes.fake.answers import Answer, ApiError, not_found
from tests.kubernetes.fake.deletion import Deleter
from tests.kubernetes.fake.kinds import kind_of
from tests.kubernetes.fake.loop import timestamp
from tests.kubernetes.fake.objects import Objects
from tests.kubernetes.fake.pods import with_condition
from tests.kubernetes.fake.routes import Call
from tests.kubernetes.fake.selectors import selected_labels
from tests.kubernetes.fake.wire import Request

__all__ = ["Subresources"]


class Subresources:
    """What is asked of a part of an object.

    Args:
        log: what a pod has written so far; raises `ApiError` while it has not begun.
    """

    def __init__(
        self, objects: Objects, deleter: Deleter, access: Access, log: Callable[[dict], bytes]
    ) -> None:
        self._objects = objects
        self._deleter = deleter
        self._access = access
        self._log = log

    def answer(self, call: Call, request: Request) -> Answer:
        """The answer to a request for a subresource.

        Raises:
            ApiError: 404, there is no such object or subresource.
        """
        name = call.name.partition(":")[0] if call.subresource == "proxy" else call.name
        stored = self._objects.store.get(call.kind, call.namespace, name)
        if stored is None:
            raise not_found(call.kind, call.name)
        asked = {
            ("get", "pods/log"): lambda: self._read_log(stored.content, request),
            ("get", "pods/proxy"): lambda: self._proxy(stored.content, call, request),
            ("create", "pods/proxy"): lambda: self._proxy(stored.content, call, request),
            ("create", "pods/eviction"): lambda: self._evict(stored.content, request),
            ("create", "serviceaccounts/token"): lambda: self._token(call, request),
        }.get((call.verb, call.resource))
        if asked is None:
            raise ApiError(404, "NotFound", "the server could not find the requested resource")
        return asked()

    def _read_log(self, pod: dict, request: Request) -> Answer:
        log = self._log(pod)
        if "tailLines" in request.query:
            lines = log.splitlines(keepends=True)
            log = b"".join(lines[max(0, len(lines) - int(request.query["tailLines"])) :])
        if "limitBytes" in request.query:
            log = log[: int(request.query["limitBytes"])]
        return Answer(log, content_type="text/plain")

    def _proxy(self, pod: dict, call: Call, request: Request) -> Answer:
        """Ask the pod itself, and pass its answer on."""
        port = call.name.partition(":")[2] or "80"
        path = "/" + request.path.partition("/proxy/")[2]
        address = (pod.get("status") or {}).get("podIP", "")
        try:
            connection = http.client.HTTPConnection(address, int(port), timeout=10)
            headers = {"Content-Type": request.headers.get("content-type", "")} if request.body else {}
            passed = {key: value for key, value in request.headers.items() if key.startswith("x-")}
            connection.request(request.method, path, request.body or None, headers | passed)
            answer = connection.getresponse()
            body = answer.read()
        except OSError as error:
            problem = f"error trying to reach service: dial tcp {address}:{port}: {error}"
            raise ApiError(503, "ServiceUnavailable", problem) from error
        return Answer(body, answer.status, content_type=answer.getheader("Content-Type", ""))

    def _evict(self, pod: dict, request: Request) -> Answer:
        self._check_budgets(pod)
        options = (json.loads(request.body or b"{}")).get("deleteOptions") or {}
        self.disrupt(pod, "EvictionByEvictionAPI", "Eviction API: evicting", options)
        return Answer.of(
            {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}, 201
        )

    def disrupt(self, pod: dict, reason: str, message: str, options: dict) -> None:
        """Delete a pod in the name of the platform: its condition DisruptionTarget says why."""
        now = timestamp(self._objects.clock.now())
        metadata = pod["metadata"]
        with self._objects.store.lock:
            current = self._objects.store.content(kind_of("pods"), metadata["namespace"], metadata["name"])
            if current is None:
                return
            status = current.get("status") or {}
            if status.get("phase") not in ("Succeeded", "Failed"):
                status = with_condition(status, "DisruptionTarget", "True", now, reason, message)
                self._objects.set_status(kind_of("pods"), current, status)
            self._deleter.delete(kind_of("pods"), metadata["namespace"], metadata["name"], options)

    def _check_budgets(self, pod: dict) -> None:
        labels = pod["metadata"].get("labels") or {}
        for budget in self._objects.store.contents(
            kind_of("poddisruptionbudgets"), pod["metadata"]["namespace"]
        ):
            spec = budget.get("spec") or {}
            if selected_labels(spec.get("selector"), labels) and str(spec.get("maxUnavailable")) in (
                "0",
                "0%",
            ):
                raise ApiError(
                    429,
                    "TooManyRequests",
                    "Cannot evict pod as it would violate the pod's disruption budget.",
                    retry_after=10,
                )

    def _token(self, call: Call, request: Request) -> Answer:
        spec = json.loads(request.body or b"{}").get("spec") or {}
        seconds = int(spec.get("expirationSeconds") or 3_600)
        until = timestamp(self._objects.clock.now() + seconds)
        status = {
            "token": self._access.issue(call.namespace, call.name, seconds),
            "expirationTimestamp": until,
        }
        head = {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1"}
        return Answer.of({**head, "metadata": {"name": call.name}, "spec": spec, "status": status}, 201)
