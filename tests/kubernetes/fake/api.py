"""The API server: who asks, what for, what goes wrong, and the answer."""

import json
import traceback
from collections import Counter
from collections.abc import Callable

import yaml

from tests.kubernetes.fake import faults as injected
from tests.kubernetes.fake.access import Access, User
from tests.kubernetes.fake.answers import Answer, ApiError, bad_request
from tests.kubernetes.fake.deletion import Deleter
from tests.kubernetes.fake.discovery import discover
from tests.kubernetes.fake.faults import Fault, Faults
from tests.kubernetes.fake.objects import Objects
from tests.kubernetes.fake.reading import Reader
from tests.kubernetes.fake.routes import Call, route
from tests.kubernetes.fake.selectors import field_selector, label_selector
from tests.kubernetes.fake.subresources import Subresources
from tests.kubernetes.fake.wire import Cut, Request
from tests.kubernetes.fake.writing import Writer

__all__ = ["Api"]

_REVIEWS = ("authorization.k8s.io", "authentication.k8s.io")


class Api:
    """Answers every request.

    Attributes:
        calls: how often each verb was asked of each resource, faults included.
        failures: tracebacks of requests that nobody foresaw: a defect of the fake.
    """

    def __init__(
        self,
        objects: Objects,
        deleter: Deleter,
        reader: Reader,
        writer: Writer,
        subresources: Subresources,
        access: Access,
        faults: Faults,
    ) -> None:
        self._objects = objects
        self._deleter = deleter
        self._reader = reader
        self._writer = writer
        self._subresources = subresources
        self._access = access
        self._faults = faults
        self.calls: Counter[tuple[str, str]] = Counter()
        self.failures: list[str] = []

    def handle(self, request: Request) -> Answer:
        """The answer to one request."""
        try:
            call = route(self._objects.kinds, request)
            if call is None:
                return discover(self._objects.kinds, request)
            self.calls[call.verb, call.resource] += 1
            return self._with_faults(call, request)
        except ApiError as error:
            return error.answer()
        except Cut:
            raise
        except Exception:
            self.failures.append(traceback.format_exc())
            return ApiError(500, "InternalError", "Internal error occurred: a defect of the fake").answer()

    def _with_faults(self, call: Call, request: Request) -> Answer:
        planned = self._faults.pick(call.verb, call.resource)
        if planned is None:
            return self._answer(call, request)
        if planned.fault is Fault.DROPPED:
            raise Cut
        refused = injected.refusal(planned)
        if refused is not None:
            return refused
        try:
            self._answer(call, request)
        except ApiError as error:
            return error.answer()
        if planned.fault is Fault.LOST_ANSWER:
            raise Cut
        message = "Timeout: request did not complete within the allotted timeout"
        return ApiError(504, "Timeout", message).answer()

    def _answer(self, call: Call, request: Request) -> Answer:
        user = self._access.user(request.headers.get("authorization", ""))
        self._access.check(user, call)
        if "protobuf" in request.headers.get("content-type", ""):
            raise ApiError(415, "UnsupportedMediaType", "the fake reads JSON and YAML only")
        if call.kind.group in _REVIEWS:
            return self._review(user, call, request)
        if call.subresource not in ("", "status", "finalize"):
            return self._subresources.answer(call, request)
        answers: dict[str, Callable[[], Answer]] = {
            "get": lambda: self._reader.get(call),
            "list": lambda: self._reader.page(call, request),
            "watch": lambda: self._reader.watch(call, request),
            "create": lambda: self._writer.create(call, request),
            "update": lambda: self._writer.update(call, request),
            "patch": lambda: self._writer.patch(call, request),
            "delete": lambda: self._delete(call, request),
            "deletecollection": lambda: self._delete_all(call, request),
        }
        return answers[call.verb]()

    def _review(self, user: User, call: Call, request: Request) -> Answer:
        content = json.loads(request.body or b"{}")
        answer = self._access.review(user, call.kind.plural, content)
        return Answer.of({"kind": call.kind.name, "apiVersion": call.kind.api_version, **answer}, 201)

    def _delete(self, call: Call, request: Request) -> Answer:
        return self._deleter.delete(call.kind, call.namespace, call.name, _options(request))

    def _delete_all(self, call: Call, request: Request) -> Answer:
        labels = label_selector(request.query.get("labelSelector", ""))
        fields = field_selector(call.kind, request.query.get("fieldSelector", ""))
        with self._objects.store.lock:
            found = [
                stored
                for stored in self._objects.store.all(call.kind, call.namespace)
                if (labels is None or labels(stored.content)) and (fields is None or fields(stored.content))
            ]
            for stored in found:
                metadata = stored.content["metadata"]
                self._deleter.delete(
                    call.kind, metadata.get("namespace", ""), metadata["name"], _options(request)
                )
        head = {"kind": f"{call.kind.name}List", "apiVersion": call.kind.api_version}
        metadata = {"resourceVersion": str(self._objects.store.version)}
        return Answer.of({**head, "metadata": metadata, "items": [stored.content for stored in found]})


def _options(request: Request) -> dict:
    """Options of a delete, from the body or the address."""
    options: dict = {}
    if request.body.strip():
        try:
            options = yaml.safe_load(request.body) or {}
        except yaml.YAMLError as error:
            raise bad_request(f"the options cannot be read: {error}") from error
    query = request.query
    if "gracePeriodSeconds" in query:
        options.setdefault("gracePeriodSeconds", int(query["gracePeriodSeconds"]))
    if "propagationPolicy" in query:
        options.setdefault("propagationPolicy", query["propagationPolicy"])
    if "dryRun" in query:
        options.setdefault("dryRun", [query["dryRun"]])
    return options
