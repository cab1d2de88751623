"""What a model's first commit writes: its InferenceService, and the job that moves the alias afterwards.

Afterwards the folder belongs to the platform's people; only three values of one file are changed.
"""

from typing import Any

import yaml

from minorkey.cluster.pod_security import IMAGE_USER, container_security, pod_security
from minorkey.cluster.serving import KServeServing
from minorkey.cluster.spec import ClusterSpec
from minorkey.deployment.gitops.owned import DIGEST, FILE, KIND, VERSION
from minorkey.deployment.kserve.manifests import disruption_budget, inference_service
from minorkey.deployment.kserve.naming import service_name, workload_name
from minorkey.deployment.kserve.storage import storage_uri
from minorkey.deployment.target import Release
from minorkey.errors import SpecError

__all__ = ["confirm_job", "model_folder"]

Manifest = dict[str, Any]

_NAME = "confirm"
_JOB = "confirm.yaml"
_TRACKING = "/var/run/secrets/minorkey/tracking"
_SECONDS = 600


def model_folder(cluster: ClusterSpec, serving: KServeServing, release: Release) -> dict[str, str]:
    """The files of a model's folder, by name.

    Args:
        cluster: where its predictors and the job run, and with which stores.
        serving: what the predictors are.
        release: the model's first version.

    Raises:
        SpecError: the cluster's specification names no image for the job.
        StateError: the cluster's pods cannot read the bundle.
    """
    namespace = cluster.serving_namespace
    service = _service(cluster, serving, release)
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [FILE, "disruption-budget.yaml", _JOB],
        # The job looks for what the InferenceService is told to serve, so one file says it.
        "replacements": [
            {
                "source": {"kind": KIND, "fieldPath": f"spec.predictor.annotations.[{DIGEST}]"},
                "targets": [
                    {
                        "select": {"kind": "Job"},
                        "fieldPaths": [
                            f"spec.template.spec.containers.[name={_NAME}].env.[name=DIGEST].value"
                        ],
                    }
                ],
            }
        ],
    }
    head = (
        f"# minorkey writes storageUri, annotation {DIGEST} and label {VERSION} below spec.predictor;\n"
        "# everything else is yours, and stays as you write it.\n"
    )
    return {
        "kustomization.yaml": _yaml(kustomization),
        FILE: head + _yaml(service),
        "disruption-budget.yaml": _yaml(disruption_budget(release.model, serving, namespace)),
        _JOB: _yaml(confirm_job(cluster, release.model)),
    }


def _service(cluster: ClusterSpec, serving: KServeServing, release: Release) -> Manifest:
    """The InferenceService, version and digest in one place each, where the pods' command line reads them."""
    storage = storage_uri(release.bundle_uri, cluster.stores)
    service = inference_service(
        release.model, release.version, release.bundle.digest, storage, serving, cluster.serving_namespace
    )
    predictor = service["spec"]["predictor"]
    # One Deployment whose pods are replaced one by one, in place of one a version.
    predictor.pop("name", None)
    predictor["labels"].pop(DIGEST, None)
    model = predictor["model"]
    fixed = {
        f"{release.model}@{release.version}": f"{release.model}@$(BUNDLE_VERSION)",
        release.bundle.digest: "$(BUNDLE_DIGEST)",
    }
    model["args"] = [fixed.get(argument, argument) for argument in model["args"]]
    model["env"] = [
        _of_pod("BUNDLE_VERSION", f"metadata.labels['{VERSION}']"),
        _of_pod("BUNDLE_DIGEST", f"metadata.annotations['{DIGEST}']"),
        *model.get("env", []),
    ]
    return service


def _of_pod(name: str, field: str) -> Manifest:
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": field}}}


def confirm_job(cluster: ClusterSpec, model: str) -> Manifest:
    """The job that Argo CD runs once all of the folder is healthy: it verifies, and moves the alias.

    It asks predictors, registry and bundle store, and has no rights in the cluster.

    Raises:
        SpecError: the cluster's specification names no image.
    """
    if not cluster.image:
        raise SpecError(
            "the job that moves the alias has no image",
            key="image",
            allowed="the pipeline's image, best by digest",
            remedy="set `image` in the cluster specification",
        )
    address = f"http://{workload_name(service_name(model), '')}.{cluster.serving_namespace}.svc"
    labels = {"app.kubernetes.io/name": "minorkey", "app.kubernetes.io/component": "step"}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": f"minorkey-confirm-{model}",
            "namespace": cluster.namespace,
            "labels": labels,
            "annotations": {
                "argocd.argoproj.io/hook": "PostSync",
                "argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation",
            },
        },
        "spec": {
            "backoffLimit": 1,
            "activeDeadlineSeconds": 2 * _SECONDS + 600,
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "restartPolicy": "Never",
                    "serviceAccountName": cluster.service_accounts.pipeline,
                    "automountServiceAccountToken": False,
                    "enableServiceLinks": False,
                    "securityContext": pod_security(user=IMAGE_USER),
                    "containers": [_container(cluster, model, address)],
                    "volumes": _volumes(cluster),
                },
            },
        },
    }


def _container(cluster: ClusterSpec, model: str, address: str) -> Manifest:
    stores = cluster.stores
    mounts = [{"name": "home", "mountPath": "/var/lib/minorkey"}, {"name": "tmp", "mountPath": "/tmp"}]  # noqa: S108
    if stores.bundle_volume:
        mounts.append({"name": "bundles", "mountPath": stores.bundle_mount})
    password = []
    if stores.tracking_secret:
        mounts.append({"name": "tracking", "mountPath": _TRACKING})
        password = [{"name": "MINORKEY_TRACKING_PASSWORD_FILE", "value": f"{_TRACKING}/password"}]
    return {
        "name": _NAME,
        "image": cluster.image,
        "args": [
            *("minorkey", "confirm", model, "--digest", "$(DIGEST)", "--url", address),
            *("--seconds", str(_SECONDS)),
        ],
        "env": [
            {"name": "DIGEST", "value": "set by kustomization.yaml"},
            {"name": "MINORKEY_HOME", "value": "/var/lib/minorkey"},
            {"name": "MLFLOW_TRACKING_URI", "value": stores.tracking_uri},
            {"name": "MINORKEY_BUNDLE_ROOT", "value": stores.bundle_root},
            *_secret(stores.tracking_secret, "MLFLOW_TRACKING_USERNAME"),
            *password,
            *_secret(stores.artifact_secret, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
            *_secret(stores.artifact_secret, "AWS_ENDPOINT_URL", "AWS_REGION", optional=True),
        ],
        "resources": {
            "requests": {"cpu": "250m", "memory": "512Mi", "ephemeral-storage": "1Gi"},
            "limits": {"cpu": "1", "memory": "1Gi", "ephemeral-storage": "4Gi"},
        },
        "securityContext": container_security(),
        "volumeMounts": mounts,
    }


def _volumes(cluster: ClusterSpec) -> list[Manifest]:
    stores = cluster.stores
    found: list[Manifest] = [{"name": name, "emptyDir": {"sizeLimit": "2Gi"}} for name in ("home", "tmp")]
    if stores.bundle_volume:
        claim = {"claimName": stores.bundle_volume, "readOnly": True}
        found.append({"name": "bundles", "persistentVolumeClaim": claim})
    if stores.tracking_secret:
        items = [{"key": "MLFLOW_TRACKING_PASSWORD", "path": "password"}]
        found.append({"name": "tracking", "secret": {"secretName": stores.tracking_secret, "items": items}})
    return found


def _secret(secret: str, *names: str, optional: bool = False) -> list[Manifest]:
    if not secret:
        return []
    extra = {"name": secret, **({"optional": True} if optional else {})}
    return [{"name": name, "valueFrom": {"secretKeyRef": {"key": name, **extra}}} for name in names]


def _yaml(content: Manifest) -> str:
    return yaml.safe_dump(content, sort_keys=False, width=110)
