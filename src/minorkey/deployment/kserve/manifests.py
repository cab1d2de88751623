"""The objects of a model that serves on KServe, each as a whole; nothing here talks to a cluster.

A canary of KServe 0.20 needs a predictor with a ``model`` (its webhook refuses one with a container of its
own), so the predictor's image comes as a ServingRuntime, and every version names its image itself: a change
of the runtime changes nothing that serves.
"""

from typing import Any

from minorkey.cluster.pod_security import IMAGE_USER, container_security, pod_security
from minorkey.cluster.serving import KServeServing
from minorkey.deployment.kserve.naming import LABELS, MANAGED_BY, predictor_name, runtime_name, service_name

__all__ = [
    "PORT",
    "canary_entry",
    "disruption_budget",
    "inference_service",
    "predictor_spec",
    "serving_runtime",
]

Manifest = dict[str, Any]

PORT = 8080
#: Where KServe's storage initializer puts what lies at the storage URI.
_MODELS = "/mnt/models"
_FORMAT = "minorkey"
#: Seconds in which a pod that is to end still answers, while gateways and proxies learn of it.
_DRAIN_SECONDS = 10
_ANNOTATIONS = {
    "serving.kserve.io/deploymentMode": "Standard",
    "serving.kserve.io/autoscalerClass": "hpa",
    "serving.kserve.io/enable-prometheus-scraping": "true",
    "prometheus.kserve.io/port": str(PORT),
    "prometheus.kserve.io/path": "/metrics",
}


def inference_service(
    model: str, version: str, digest: str, storage_uri: str, serving: KServeServing, namespace: str
) -> Manifest:
    """The InferenceService of a model that has none yet.

    Args:
        model: name of the registered model.
        version: the version that serves.
        digest: of its bundle.
        storage_uri: where the cluster reads that bundle.
        serving: image, identity, resources and replicas.
        namespace: where.
    """
    predictor = predictor_spec(model, version, digest, storage_uri, serving)
    if not serving.gateway:
        # What clients know is then the predictor's Service, so its name has to stay.
        predictor.pop("name")
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {
            "name": service_name(model),
            "namespace": namespace,
            "labels": {LABELS["model"]: model, MANAGED_BY[0]: MANAGED_BY[1]},
            "annotations": dict(_ANNOTATIONS),
        },
        "spec": {"predictor": predictor},
    }


def predictor_spec(
    model: str, version: str, digest: str, storage_uri: str, serving: KServeServing
) -> Manifest:
    """``spec.predictor``: one version of a model, with all that its pods may and have to do."""
    return {
        "name": predictor_name(version),
        "labels": {
            "app.kubernetes.io/name": "minorkey",
            "app.kubernetes.io/component": "predictor",
            LABELS["model"]: model,
            LABELS["version"]: version,
            LABELS["digest"]: digest[:12],
        },
        "annotations": {LABELS["digest"]: digest},
        "minReplicas": serving.min_replicas,
        "maxReplicas": serving.max_replicas,
        "scaleMetric": "cpu",
        "scaleTarget": serving.cpu_percent,
        "deploymentStrategy": {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
        },
        "serviceAccountName": serving.service_account,
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": _DRAIN_SECONDS + 30,
        "securityContext": pod_security(user=IMAGE_USER),
        **({"priorityClassName": serving.priority_class} if serving.priority_class else {}),
        "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}],
        "model": _model(f"{model}@{version}", digest, storage_uri, serving),
    }


def _model(served_as: str, digest: str, storage_uri: str, serving: KServeServing) -> Manifest:
    amounts = {"cpu": serving.cpu, "memory": serving.memory}
    ready = {"path": f"/v2/models/{served_as.partition('@')[0]}/ready", "port": PORT}
    return {
        "modelFormat": {"name": _FORMAT},
        "runtime": runtime_name(),
        "protocolVersion": "v2",
        "storageUri": storage_uri,
        "image": serving.image,
        "args": [
            "--bundle", _MODELS, "--as", served_as, "--digest", digest, "--host", "0.0.0.0",  # noqa: S104
            "--port", str(PORT),
        ],
        "ports": [{"containerPort": PORT, "protocol": "TCP"}],
        "resources": {"requests": amounts, "limits": amounts},
        "securityContext": {**container_security(), "runAsNonRoot": True},
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108
        # It binds its port only once the bundle is verified, loaded and has scored.
        "startupProbe": {"httpGet": ready, "periodSeconds": 2, "failureThreshold": 60},
        "readinessProbe": {"httpGet": ready, "periodSeconds": 5, "timeoutSeconds": 2},
        "livenessProbe": {
            "httpGet": {"path": "/v2/health/live", "port": PORT},
            "periodSeconds": 10,
            "timeoutSeconds": 5,
            "failureThreshold": 3,
        },
        "lifecycle": {"preStop": {"sleep": {"seconds": _DRAIN_SECONDS}}},
    }  # fmt: skip


def canary_entry(predictor: Manifest, percent: int, replicas: int) -> Manifest:
    """An entry of ``spec.canary``: a predictor that gets a share of the requests.

    Args:
        predictor: as `predictor_spec` makes it. KServe lays what is given here over the stable predictor, and
            refuses autoscaling in it.
        percent: 0 to 100.
        replicas: its pods, at most the stable predictor's ``minReplicas``.
    """
    scaling = ("minReplicas", "maxReplicas", "scaleMetric", "scaleTarget")
    kept = {key: value for key, value in predictor.items() if key not in scaling}
    return {"trafficPercent": percent, "predictor": {**kept, "minReplicas": replicas}}


def serving_runtime(serving: KServeServing, namespace: str) -> Manifest:
    """The ServingRuntime that tells KServe what runs the format ``minorkey``."""
    return {
        "apiVersion": "serving.kserve.io/v1alpha1",
        "kind": "ServingRuntime",
        "metadata": {
            "name": runtime_name(),
            "namespace": namespace,
            "labels": {MANAGED_BY[0]: MANAGED_BY[1]},
        },
        "spec": {
            "supportedModelFormats": [{"name": _FORMAT, "version": "1", "autoSelect": False}],
            "protocolVersions": ["v2"],
            "containers": [{"name": "kserve-container", "image": serving.image}],
        },
    }


def disruption_budget(model: str, serving: KServeServing, namespace: str) -> Manifest:
    """The PodDisruptionBudget of a model's predictors: nodes are drained pod by pod."""
    service = service_name(model)
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {
            "name": service,
            "namespace": namespace,
            "labels": {LABELS["model"]: model, MANAGED_BY[0]: MANAGED_BY[1]},
        },
        "spec": {
            "maxUnavailable": 1,
            "selector": {"matchLabels": {"serving.kserve.io/inferenceservice": service}},
        },
    }
