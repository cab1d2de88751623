"""What requests from outside meet: the route's weights, the Service's endpoints, a pod."""

import http.client
import random
import threading
import time
from collections import Counter

from tests.kubernetes.fake.kinds import Kind, kind_of
from tests.kubernetes.fake.loop import Loop
from tests.kubernetes.fake.objects import Objects

__all__ = ["Gateway", "Unavailable"]


class Unavailable(Exception):
    """The gateway has nobody to ask: 503."""


class Gateway:
    """Routes requests by HTTPRoutes; it learns of changes a moment after they were made.

    Args:
        delay: seconds until a change of a route or of endpoints is known.
        seed: of the choice among backends.
    """

    def __init__(
        self, objects: Objects, loop: Loop, routes: Kind | None, *, delay: float = 0.05, seed: int = 0
    ) -> None:
        self._objects = objects
        self._store = objects.store
        self._loop = loop
        self._routes = routes
        self._delay = delay
        self._random = random.Random(seed)
        self._local = threading.local()
        self._backends: dict[tuple[str, str], list[tuple[str, int]]] = {}
        self._endpoints: dict[tuple[str, str], list[str]] = {}
        self._lock = threading.Lock()
        #: Whether nobody is behind the routes: none is accepted.
        self.deaf = False
        #: Whether whoever is behind the routes refuses them.
        self.refusing = False
        self.asked: Counter[str] = Counter()
        self._store.listen(self._changed)

    def _changed(self, change: str, kind: Kind, content: dict, previous: dict | None) -> None:
        metadata = content["metadata"]
        namespace = metadata.get("namespace", "")
        if kind == self._routes:
            place = (namespace, metadata["name"])
            self._loop.after(self._delay, lambda: self._learn_route(*place))
        if kind.plural in ("pods", "services"):
            self._loop.after(self._delay, lambda: self._learn_endpoints(namespace))

    def _learn_route(self, namespace: str, name: str) -> None:
        route = self._store.content(self._routes, namespace, name) if self._routes else None
        if route is None:
            self._backends.pop((namespace, name), None)
            return
        refs = [ref for rule in route["spec"]["rules"] for ref in rule["backendRefs"]]
        self._backends[namespace, name] = [(ref["name"], ref.get("weight", 1)) for ref in refs]
        if self.deaf:
            return
        generation = route["metadata"]["generation"]
        accepted = str(not self.refusing)
        condition = {"type": "Accepted", "status": accepted, "observedGeneration": generation}
        status = {"parents": [{"parentRef": {"name": "kserve-ingress-gateway"}, "conditions": [condition]}]}
        if route.get("status") != status:
            self._objects.set_status(self._routes, route, status)

    def _learn_endpoints(self, namespace: str) -> None:
        with self._store.lock:
            services = list(self._store.contents(kind_of("services"), namespace))
            pods = list(self._store.contents(kind_of("pods"), namespace))
        found = {}
        for service in services:
            app = (service["spec"].get("selector") or {}).get("app")
            found[namespace, service["metadata"]["name"]] = [
                pod["status"]["podIP"]
                for pod in pods
                if (pod["metadata"].get("labels") or {}).get("app") == app and _serves(pod)
            ]
        self._endpoints = {
            **{place: value for place, value in self._endpoints.items() if place[0] != namespace},
            **found,
        }

    def send(self, namespace: str, service: str, path: str, body: bytes) -> tuple[int, bytes]:
        """The answer to a request for an InferenceService.

        Raises:
            Unavailable: there is no route, no Service behind it, or no endpoint.
        """
        backends = self._backends.get((namespace, service))
        if self._routes is None:
            # Without a Gateway the Service of the stable predictor is what clients know.
            backends = [(f"{service}-predictor", 1)]
        if not backends:
            raise Unavailable("no route")
        with self._lock:
            names, weights = zip(*backends, strict=True)
            backend = self._random.choices(names, weights)[0]
            addresses = self._endpoints.get((namespace, backend))
            if not addresses:
                raise Unavailable(f"no endpoint of {backend}")
            address = self._random.choice(addresses)
            self.asked[backend] += 1
        return self._ask(address, path, body)

    def _ask(self, address: str, path: str, body: bytes) -> tuple[int, bytes]:
        """Over a connection that is kept; one that the pod has closed meanwhile is made anew."""
        kept: dict[str, http.client.HTTPConnection] = self._local.__dict__.setdefault("kept", {})
        for fresh in (False, True):
            connection = kept.pop(address, None) if not fresh else None
            reused = connection is not None
            connection = connection or http.client.HTTPConnection(address, 8080, timeout=10)
            try:
                connection.request("POST", path, body, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                content = answer.read()
            except (ConnectionError, http.client.RemoteDisconnected, http.client.CannotSendRequest):
                connection.close()
                if reused:
                    continue
                raise
            if answer.will_close:
                connection.close()
            else:
                kept[address] = connection
            return answer.status, content
        raise AssertionError("not reached")

    def wait(self, namespace: str, service: str, seconds: float = 20.0) -> None:
        """Until a route leads somewhere."""
        until = time.monotonic() + seconds
        while not any(
            self._endpoints.get((namespace, name))
            for name, weight in self._backends.get((namespace, service), [(f"{service}-predictor", 1)])
            if weight
        ):
            assert time.monotonic() < until, "no route leads anywhere"
            time.sleep(0.02)


def _serves(pod: dict) -> bool:
    status = pod.get("status") or {}
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in status.get("conditions") or ())
    return ready and not pod["metadata"].get("deletionTimestamp")
