"""The objects as a whole, and that they are what Kubernetes and Pod Security take."""

from typing import Any

from kubernetes.client import models

from minorkey.cluster.serving import KServeServing
from minorkey.deployment.kserve.manifests import (
    canary_entry,
    disruption_budget,
    inference_service,
    predictor_spec,
    serving_runtime,
)
from tests.kubernetes.fake.pod_security import violations

IMAGE = "registry.test/predictor@sha256:" + "1" * 64
DIGEST = "ab" * 32
URI = f"s3://minorkey/bundles/{DIGEST}"
SERVING = KServeServing(image=IMAGE, gateway=True, priority_class="serving")
PREDICTOR: dict[str, Any] = {
    "name": "v7",
    "labels": {
        "app.kubernetes.io/name": "minorkey",
        "app.kubernetes.io/component": "predictor",
        "minorkey.io/model": "fraud",
        "minorkey.io/version": "7",
        "minorkey.io/digest": "abababababab",
    },
    "annotations": {"minorkey.io/digest": DIGEST},
    "minReplicas": 2,
    "maxReplicas": 10,
    "scaleMetric": "cpu",
    "scaleTarget": 70,
    "deploymentStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
    "serviceAccountName": "minorkey-predictor",
    "automountServiceAccountToken": False,
    "terminationGracePeriodSeconds": 40,
    "securityContext": {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "runAsGroup": 10001,
        "fsGroup": 10001,
        "seccompProfile": {"type": "RuntimeDefault"},
    },
    "priorityClassName": "serving",
    "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}],
    "model": {
        "modelFormat": {"name": "minorkey"},
        "runtime": "minorkey",
        "protocolVersion": "v2",
        "storageUri": URI,
        "image": IMAGE,
        "args": [
            "--bundle",
            "/mnt/models",
            "--as",
            "fraud@7",
            "--digest",
            DIGEST,
            "--host",
            "0.0.0.0",
            "--port",
            "8080",
        ],
        "ports": [{"containerPort": 8080, "protocol": "TCP"}],
        "resources": {
            "requests": {"cpu": "500m", "memory": "512Mi"},
            "limits": {"cpu": "500m", "memory": "512Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
        "startupProbe": {
            "httpGet": {"path": "/v2/models/fraud/ready", "port": 8080},
            "periodSeconds": 2,
            "failureThreshold": 60,
        },
        "readinessProbe": {
            "httpGet": {"path": "/v2/models/fraud/ready", "port": 8080},
            "periodSeconds": 5,
            "timeoutSeconds": 2,
        },
        "livenessProbe": {
            "httpGet": {"path": "/v2/health/live", "port": 8080},
            "periodSeconds": 10,
            "timeoutSeconds": 5,
            "failureThreshold": 3,
        },
        "lifecycle": {"preStop": {"sleep": {"seconds": 10}}},
    },
}


def test_the_inference_service_as_a_whole() -> None:
    assert inference_service("fraud", "7", DIGEST, URI, SERVING, "serving") == {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {
            "name": "fraud",
            "namespace": "serving",
            "labels": {"minorkey.io/model": "fraud", "app.kubernetes.io/managed-by": "minorkey"},
            "annotations": {
                "serving.kserve.io/deploymentMode": "Standard",
                "serving.kserve.io/autoscalerClass": "hpa",
                "serving.kserve.io/enable-prometheus-scraping": "true",
                "prometheus.kserve.io/port": "8080",
                "prometheus.kserve.io/path": "/metrics",
            },
        },
        "spec": {"predictor": PREDICTOR},
    }


def test_without_a_gateway_the_name_that_clients_know_stays() -> None:
    serving = SERVING.model_copy(update={"gateway": False})
    made = inference_service("fraud", "7", DIGEST, URI, serving, "serving")
    assert made["spec"]["predictor"] == {key: value for key, value in PREDICTOR.items() if key != "name"}


def test_a_canary_has_no_autoscaling_of_its_own() -> None:
    scaling = {"minReplicas", "maxReplicas", "scaleMetric", "scaleTarget"}
    assert canary_entry(PREDICTOR, 10, 3) == {
        "trafficPercent": 10,
        "predictor": {key: value for key, value in PREDICTOR.items() if key not in scaling}
        | {"minReplicas": 3},
    }


def test_the_runtime_and_the_budget_as_a_whole() -> None:
    managed = {"app.kubernetes.io/managed-by": "minorkey"}
    assert serving_runtime(SERVING, "serving") == {
        "apiVersion": "serving.kserve.io/v1alpha1",
        "kind": "ServingRuntime",
        "metadata": {"name": "minorkey", "namespace": "serving", "labels": managed},
        "spec": {
            "supportedModelFormats": [{"name": "minorkey", "version": "1", "autoSelect": False}],
            "protocolVersions": ["v2"],
            "containers": [{"name": "kserve-container", "image": IMAGE}],
        },
    }
    assert disruption_budget("fraud", SERVING, "serving") == {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {
            "name": "fraud",
            "namespace": "serving",
            "labels": {"minorkey.io/model": "fraud", **managed},
        },
        "spec": {
            "maxUnavailable": 1,
            "selector": {"matchLabels": {"serving.kserve.io/inferenceservice": "fraud"}},
        },
    }


def test_its_pods_are_restricted_and_have_only_fields_of_pods() -> None:
    predictor = predictor_spec("fraud", "7", DIGEST, URI, SERVING)
    own = {"name", "labels", "annotations", "deploymentStrategy", "model"}
    pod = {key: value for key, value in predictor.items() if key not in own and "Replicas" not in key}
    pod = {key: value for key, value in pod.items() if not key.startswith("scale")}
    of_model = {"modelFormat", "runtime", "protocolVersion", "storageUri"}
    container = {key: value for key, value in predictor["model"].items() if key not in of_model}
    assert violations({**pod, "containers": [{"name": "kserve-container", **container}]}, "restricted") == []
    assert set(pod) <= set(models.V1PodSpec.attribute_map.values())
    assert set(container) <= set(models.V1Container.attribute_map.values())
    assert container["securityContext"]["readOnlyRootFilesystem"]
