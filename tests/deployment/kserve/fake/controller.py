"""KServe's controller: from an InferenceService to Deployments, Services, autoscaler, route and status."""

import copy
import math

from tests.kubernetes.fake.answers import ApiError
from tests.kubernetes.fake.kinds import Kind, kind_of
from tests.kubernetes.fake.loop import Loop, timestamp
from tests.kubernetes.fake.objects import Objects

__all__ = ["Controller"]

SOURCE = "internal.serving.kserve.io/storage-initializer-sourceuri"
#: Seconds between what the predictor reconciler has done and what the ingress reconciler does.
_LATER = 0.03
#: Fields of a predictor that are not the pod's.
_COMPONENT = {
    "name", "labels", "annotations", "minReplicas", "maxReplicas", "scaleMetric", "scaleTarget",
    "deploymentStrategy", "model", "containers", "timeoutSeconds", "autoScaling",
}  # fmt: skip
_MODEL = {"modelFormat", "runtime", "protocolVersion", "storageUri"}


class Controller:
    """Reconciles every InferenceService whenever it or one of its Deployments changes.

    Args:
        services: the kind InferenceService.
        routes: the kind HTTPRoute, None if enableGatewayApi is off.
        runtimes: the kind ServingRuntime.
    """

    def __init__(
        self, objects: Objects, loop: Loop, services: Kind, runtimes: Kind, routes: Kind | None
    ) -> None:
        self._objects = objects
        self._store = objects.store
        self._loop = loop
        self._services = services
        self._runtimes = runtimes
        self._routes = routes
        #: Whether routes stay as they are, whatever becomes of their InferenceServices.
        self.forgets_routes = False
        self._store.listen(self._changed)

    def _changed(self, change: str, kind: Kind, content: dict, previous: dict | None) -> None:
        metadata = content["metadata"]
        place = (metadata.get("namespace", ""), metadata["name"])
        if kind == self._services and change != "DELETED":
            self._loop.soon(("isvc", place), lambda: self._reconcile(*place))
        elif kind.plural == "deployments":
            owner = (metadata.get("labels") or {}).get("serving.kserve.io/inferenceservice", "")
            if owner:
                self._loop.soon(
                    ("isvc", (place[0], owner)), lambda: self._reconcile(metadata["namespace"], owner)
                )

    def resync(self, namespace: str, name: str) -> None:
        """Look at an InferenceService that has not changed, as the controller does from time to time."""
        self._loop.soon(("isvc", (namespace, name)), lambda: self._reconcile(namespace, name))

    def _reconcile(self, namespace: str, name: str) -> None:
        found = self._store.content(self._services, namespace, name)
        if found is None or found["metadata"].get("deletionTimestamp"):
            return
        spec = found["spec"]
        stable, canaries = spec["predictor"], spec.get("canary") or []
        runtime = self._store.content(
            self._runtimes, namespace, (stable.get("model") or {}).get("runtime", "")
        )
        if runtime is None:
            self._tell(found, False, "RuntimeNotRecognized", [])
            return
        counts = [self._canary_replicas(stable, entry) for entry in canaries]
        least = stable.get("minReplicas", 1)
        if canaries:
            least = max(least - sum(counts), 1)
        self._deployment(found, stable, runtime, least, scaled=True)
        for entry, replicas in zip(canaries, counts, strict=True):
            laid_over = {
                **copy.deepcopy(stable), **entry["predictor"],
                "labels": {**stable.get("labels", {}), **entry["predictor"].get("labels", {})},
                "annotations": {**stable.get("annotations", {}), **entry["predictor"].get("annotations", {})},
            }  # fmt: skip
            self._deployment(found, laid_over, runtime, replicas, scaled=False)
        self._clean(namespace, name, {_workload(name, one) for one in (stable, *_predictors(canaries))})
        statuses = [
            {
                "name": entry["predictor"]["name"],
                "ready": self._available(namespace, _workload(name, entry["predictor"])) > 0,
                "trafficPercent": entry["trafficPercent"],
            }
            for entry in canaries
        ]
        self._tell(found, self._available(namespace, _workload(name, stable)) > 0, "", statuses)
        if self._routes is not None:
            self._loop.after(_LATER, lambda: self._route(namespace, name))

    @staticmethod
    def _canary_replicas(stable: dict, entry: dict) -> int:
        given = entry["predictor"].get("minReplicas")
        if given is not None:
            return int(given)
        return math.ceil(stable.get("minReplicas", 1) * entry["trafficPercent"] / 100)

    def _deployment(
        self, owner: dict, predictor: dict, runtime: dict, replicas: int, *, scaled: bool
    ) -> None:
        name = owner["metadata"]["name"]
        workload = _workload(name, predictor)
        labels = {
            **(owner["metadata"].get("labels") or {}),
            **(predictor.get("labels") or {}),
            "serving.kserve.io/inferenceservice": name,
            "component": "predictor",
            "app": f"isvc.{workload}",
        }
        annotations = {
            **{
                key: value for key, value in owner["metadata"]["annotations"].items() if "minorkey" not in key
            },
            **(predictor.get("annotations") or {}),
            SOURCE: predictor["model"]["storageUri"],
        }
        template = {
            "metadata": {"labels": labels, "annotations": annotations},
            "spec": _pod_spec(predictor, runtime),
        }
        wanted = {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": f"isvc.{workload}"}},
            "strategy": predictor.get("deploymentStrategy", {}),
            "template": template,
        }
        self._put(kind_of("deployments"), owner, workload, {"spec": wanted}, labels)
        service = {
            "spec": {"selector": {"app": f"isvc.{workload}"}, "ports": [{"port": 80, "targetPort": 8080}]}
        }
        self._put(kind_of("services"), owner, workload, service, labels)
        if scaled:
            scaler = {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": workload},
                "minReplicas": replicas,
                "maxReplicas": max(predictor.get("maxReplicas", replicas), replicas),
                "metrics": [
                    {
                        "type": "Resource",
                        "resource": {
                            "name": predictor.get("scaleMetric", "cpu"),
                            "target": {
                                "type": "Utilization",
                                "averageUtilization": predictor.get("scaleTarget", 80),
                            },
                        },
                    }
                ],
            }
            self._put(kind_of("horizontalpodautoscalers"), owner, workload, {"spec": scaler}, labels)

    def _put(self, kind: Kind, owner: dict, name: str, content: dict, labels: dict) -> None:
        namespace = owner["metadata"]["namespace"]
        found = self._store.content(kind, namespace, name)
        if found is None:
            reference = {
                "apiVersion": "serving.kserve.io/v1beta1",
                "kind": "InferenceService",
                "name": owner["metadata"]["name"],
                "uid": owner["metadata"]["uid"],
                "controller": True,
            }
            metadata = {"name": name, "labels": labels, "ownerReferences": [reference]}
            self._objects.create(kind, namespace, {"metadata": metadata, **content})
        elif found["spec"] != content["spec"]:
            self._objects.change(kind, namespace, name, lambda old: {**old, **copy.deepcopy(content)})

    def _clean(self, namespace: str, name: str, expected: set[str]) -> None:
        """Deployments and Services of predictors that are no longer wanted go at once."""
        for plural in ("deployments", "services", "horizontalpodautoscalers"):
            for content in list(self._store.contents(kind_of(plural), namespace)):
                labels = content["metadata"].get("labels") or {}
                own = labels.get("serving.kserve.io/inferenceservice") == name
                if own and content["metadata"]["name"] not in expected:
                    self._store.remove(kind_of(plural), namespace, content["metadata"]["name"])

    def _available(self, namespace: str, workload: str) -> int:
        found = self._store.content(kind_of("deployments"), namespace, workload) or {}
        return (found.get("status") or {}).get("availableReplicas", 0)

    def _tell(self, found: dict, ready: bool, reason: str, canaries: list[dict]) -> None:
        name, namespace = found["metadata"]["name"], found["metadata"]["namespace"]
        now = timestamp(self._objects.clock.now())
        values = {"PredictorReady": ready, "Ready": ready}
        if canaries:
            values["CanaryPredictorReady"] = all(one["ready"] for one in canaries)
        conditions = [
            {
                "type": kind,
                "status": str(value),
                "lastTransitionTime": now,
                **({"reason": reason} if reason else {}),
            }
            for kind, value in values.items()
        ]
        status = {
            "conditions": conditions,
            "deploymentMode": "Standard",
            "url": f"http://{name}-{namespace}.example.test",
            **({"canaryStatuses": canaries} if canaries else {}),
        }
        if _timeless(found.get("status") or {}) != _timeless(status):
            self._objects.set_status(self._services, found, status)

    def _route(self, namespace: str, name: str) -> None:
        """Write the weights of all predictors into the route, as soon as the stable one is ready."""
        found = self._store.content(self._services, namespace, name)
        if found is None or self._routes is None or self.forgets_routes:
            return
        spec = found["spec"]
        if self._available(namespace, _workload(name, spec["predictor"])) == 0:
            return
        canaries = spec.get("canary") or []
        shares = {_workload(name, entry["predictor"]): entry["trafficPercent"] for entry in canaries}
        stable = {"kind": "Service", "name": _workload(name, spec["predictor"]), "port": 80}
        backends = [stable]
        if shares:
            stable["weight"] = 100 - sum(shares.values())
            backends += [
                {"kind": "Service", "name": one, "port": 80, "weight": share} for one, share in shares.items()
            ]
        host = f"{name}-{namespace}.example.test"
        content = {
            "spec": {
                "hostnames": [host],
                "parentRefs": [{"name": "kserve-ingress-gateway", "namespace": "kserve"}],
                "rules": [{"backendRefs": backends, "timeouts": {"request": "60s"}}],
            }
        }
        try:
            self._put(self._routes, found, name, content, {})
        except ApiError as error:
            if error.code != 404:
                raise


def _predictors(canaries: list[dict]) -> list[dict]:
    return [entry["predictor"] for entry in canaries]


def _workload(service: str, predictor: dict) -> str:
    name = predictor.get("name", "")
    return f"{service}-{name}-predictor" if name else f"{service}-predictor"


def _pod_spec(predictor: dict, runtime: dict) -> dict:
    """The pod: the runtime's container with what the model says of it laid over."""
    model = predictor["model"]
    given = {key: value for key, value in model.items() if key not in _MODEL}
    container = {**copy.deepcopy(runtime["spec"]["containers"][0]), **copy.deepcopy(given)}
    container["args"] = [*runtime["spec"]["containers"][0].get("args", []), *model.get("args", [])]
    rest = {key: copy.deepcopy(value) for key, value in predictor.items() if key not in _COMPONENT}
    return {**rest, "containers": [container]}


def _timeless(status: dict) -> dict:
    conditions = [
        {key: value for key, value in one.items() if key != "lastTransitionTime"}
        for one in status.get("conditions", [])
    ]
    return {**status, "conditions": conditions}
