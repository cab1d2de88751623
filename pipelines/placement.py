"""What a step's pod is given on a cluster: image, resources, stores, and the credentials that it needs."""

from kfp import kubernetes
from kfp.dsl import PipelineTask

from minorkey.cluster.pod_security import IMAGE_USER
from minorkey.cluster.spec import ClusterSpec

__all__ = ["CREDENTIALS", "LABELS", "place"]

#: Folder in which a step finds the token of its own service account (keys token, ca.crt, namespace).
CREDENTIALS = "/var/run/secrets/minorkey/kubernetes"

_DATABASE = "/var/run/secrets/minorkey/database"
_GIT = "/var/run/secrets/minorkey/git"
_HOME = "/var/lib/minorkey"
#: By which network policies know a step's pod.
LABELS = {"app.kubernetes.io/name": "minorkey", "app.kubernetes.io/component": "step"}

#: A driver of KFP refuses a platform field that it does not know, so older ones must not see this one.
_KNOWS_SECURITY_CONTEXT = (2, 17)

#: Which step needs which store; preprocess and configure need none.
_NEEDS = {
    "load": {"database", "artifacts", "tracking", "bundles"},
    "tune": {"database", "artifacts", "tracking", "study", "bundles"},
    "evaluate": {"database", "artifacts", "tracking", "bundles"},
    "adjust": {"database", "artifacts", "tracking", "bundles"},
    "register": {"artifacts", "tracking", "bundles"},
    "deploy": {"artifacts", "tracking", "bundles"},
    "release": {"database"},
}


def place(task: PipelineTask, image: str, cluster: ClusterSpec | None) -> None:
    """Give a step its image and, on a cluster, everything that its pod needs and nothing else.

    Args:
        task: the step in the pipeline.
        image: its image.
        cluster: what to take it from; None: only the image is set.
    """
    task.set_caching_options(False)
    task.container_spec.image = image
    if cluster is None:
        return
    _resources(task, cluster)
    _restrict(task, cluster)
    needs = _NEEDS.get(task.name, set())
    _stores(task, cluster, needs)
    _volumes(task, cluster, needs)
    accounts = {"tune": cluster.service_accounts.tune, "deploy": cluster.service_accounts.deploy}
    if cluster.serving.gitops is not None:
        # What Argo CD owns is changed by a commit alone: the step gets no way to change the cluster.
        del accounts["deploy"]
        if task.name == "deploy" and cluster.serving.gitops.secret:
            kubernetes.use_secret_as_volume(task, cluster.serving.gitops.secret, _GIT)
            task.set_env_variable("MINORKEY_GIT_CREDENTIALS", _GIT)
    if task.name in accounts:
        kubernetes.use_secret_as_volume(task, f"{accounts[task.name]}-token", CREDENTIALS)
        task.set_env_variable("MINORKEY_KUBERNETES_CREDENTIALS", CREDENTIALS)


def _resources(task: PipelineTask, cluster: ClusterSpec) -> None:
    asked = cluster.step(task.name)
    task.set_cpu_request(asked.cpu).set_cpu_limit(asked.cpu)
    task.set_memory_request(asked.memory).set_memory_limit(asked.memory)
    if asked.retries:
        task.set_retry(asked.retries, backoff_duration="30s", backoff_factor=2, backoff_max_duration="600s")
    kubernetes.set_timeout(task, asked.timeout_seconds)


def _restrict(task: PipelineTask, cluster: ClusterSpec) -> None:
    """KFP itself drops capabilities, forbids escalation and sets the seccomp profile."""
    if cluster.kubeflow_version >= _KNOWS_SECURITY_CONTEXT:
        kubernetes.set_security_context(
            task, run_as_user=IMAGE_USER, run_as_group=IMAGE_USER, run_as_non_root=True
        )
    kubernetes.empty_dir_mount(task, volume_name="home", mount_path=_HOME)
    for key, value in LABELS.items():
        kubernetes.add_pod_label(task, key, value)
    task.set_env_variable("MINORKEY_HOME", _HOME)


def _stores(task: PipelineTask, cluster: ClusterSpec, needs: set[str]) -> None:
    stores = cluster.stores
    if "database" in needs:
        kubernetes.use_secret_as_volume(task, stores.database_secret, _DATABASE)
        task.set_env_variable("MINORKEY_DATABASE_URL_FILE", f"{_DATABASE}/url")
    if "tracking" in needs:
        task.set_env_variable("MLFLOW_TRACKING_URI", stores.tracking_uri)
        if stores.tracking_secret:
            _as_environment(
                task, stores.tracking_secret, "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"
            )
    if "bundles" in needs:
        task.set_env_variable("MINORKEY_BUNDLE_ROOT", stores.bundle_root)
    if "artifacts" in needs and stores.artifact_secret:
        _as_environment(task, stores.artifact_secret, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        _as_environment(task, stores.artifact_secret, "AWS_ENDPOINT_URL", "AWS_REGION", optional=True)


def _volumes(task: PipelineTask, cluster: ClusterSpec, needs: set[str]) -> None:
    stores, trials = cluster.stores, cluster.trials
    if "study" in needs and trials.study_volume:
        kubernetes.mount_pvc(task, pvc_name=trials.study_volume, mount_path=trials.study_mount)
    if "bundles" in needs and stores.bundle_volume:
        kubernetes.mount_pvc(task, pvc_name=stores.bundle_volume, mount_path=stores.bundle_mount)


def _as_environment(task: PipelineTask, secret: str, *names: str, optional: bool = False) -> None:
    kubernetes.use_secret_as_env(task, secret, {name: name for name in names}, optional=optional)
