"""The Job of a trial pod, whole."""

import dataclasses
import hashlib
import json
from typing import Any

from minorkey.cluster.pod_security import container_security, pod_security
from minorkey.cluster.quantities import parse_quantity
from minorkey.cluster.spec import Profile, TrialPods
from minorkey.trials.executor import Task

__all__ = [
    "MANAGED",
    "QUEUING_SECONDS",
    "RESOURCE_LABEL",
    "ROOT_ANNOTATION",
    "STUDY_LABEL",
    "TASKS_ANNOTATION",
    "cores_of",
    "job_name",
    "profile_of",
    "study_digest",
    "task_digest",
    "trial_job",
]

#: Label of everything that minorkey starts as a trial pod.
MANAGED = "app.kubernetes.io/managed-by=minorkey"
STUDY_LABEL = "minorkey.io/study"
RESOURCE_LABEL = "minorkey.io/resource"
ROOT_ANNOTATION = "minorkey.io/study-root"
TASKS_ANNOTATION = "minorkey.io/tasks"
#: How long a Job may wait for quota or a node on top of what its pod may take.
QUEUING_SECONDS = 86_400

_SCRATCH = "/scratch"
_GRACE = 30


def study_digest(study: str, location: str) -> str:
    """By which the Jobs of a study are known.

    Args:
        study: the study's identity.
        location: its study root, as pods see it.
    """
    return _digest([study, location])


def task_digest(task: Task) -> str:
    """By which equal tasks are known: whatever changes a task changes its digest."""
    return _digest(dataclasses.asdict(task))


def job_name(study: str, task: str, attempt: int) -> str:
    """Name of the Job of a pod.

    Args:
        study: digest of the study.
        task: digest of the pod's first task.
        attempt: how many Jobs began with that task before.
    """
    return f"mk-{study[:8]}-{task[:12]}-{attempt}"


def profile_of(pods: TrialPods, resource: str) -> Profile:
    """What a pod for tasks of a resource class asks for; CPU pods serve where there is no GPU profile."""
    return pods.gpu if resource == "gpu" and pods.gpu is not None else pods.cpu


def cores_of(profile: Profile) -> int:
    """Whole cores of a pod, at least one."""
    return max(1, int(parse_quantity(profile.cpu)))


def trial_job(
    name: str,
    *,
    study: str,
    pods: TrialPods,
    resource: str,
    namespace: str,
    image: str,
    root: str,
    tasks: int,
    seconds: float,
    patience: float,
) -> dict[str, Any]:
    """The manifest of a Job with one pod.

    Args:
        name: the Job's.
        study: digest of the study.
        pods: what the cluster says of trial pods.
        resource: resource class, ``cpu`` or ``gpu``.
        namespace: where it runs.
        image: the pod's image.
        root: the study root as the pod sees it.
        tasks: tasks that the pod runs at most, one after the other.
        seconds: wall-clock limit of its tasks together.
        patience: seconds without a heartbeat of the driver after which the pod ends itself.
    """
    deadline = round(seconds) + pods.deadline_slack_seconds
    labels = _labels(study, resource)
    queue = {"kueue.x-k8s.io/queue-name": pods.queue} if pods.queue else {}
    arguments = {"job": name, "tasks": tasks, "cores": cores_of(profile_of(pods, resource))}
    command = [*_options(arguments), "--patience", f"{patience:g}"]
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {**labels, **queue},
            "annotations": {ROOT_ANNOTATION: root, TASKS_ANNOTATION: str(tasks)},
        },
        "spec": {
            "backoffLimit": 0,
            "completions": 1,
            "parallelism": 1,
            "podReplacementPolicy": "Failed",
            "podFailurePolicy": {
                "rules": [
                    {
                        "action": "Ignore",
                        "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
                    }
                ]
            },
            "activeDeadlineSeconds": deadline + QUEUING_SECONDS,
            "ttlSecondsAfterFinished": pods.ttl_seconds,
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    **_placement(profile_of(pods, resource)),
                    "activeDeadlineSeconds": deadline,
                    "automountServiceAccountToken": False,
                    "containers": [_container(pods, resource, image, root, command)],
                    "enableServiceLinks": False,
                    "restartPolicy": "Never",
                    "securityContext": pod_security(),
                    "serviceAccountName": pods.service_account,
                    "terminationGracePeriodSeconds": _GRACE,
                    "volumes": _volumes(pods, resource),
                },
            },
        },
    }


def _labels(study: str, resource: str) -> dict[str, str]:
    key, value = MANAGED.split("=")
    return {
        "app.kubernetes.io/component": "trial",
        key: value,
        "app.kubernetes.io/name": "minorkey",
        RESOURCE_LABEL: resource,
        STUDY_LABEL: study,
    }


def _placement(profile: Profile) -> dict[str, Any]:
    content: dict[str, Any] = {}
    if profile.node_selector:
        content["nodeSelector"] = dict(profile.node_selector)
    if profile.tolerations:
        content["tolerations"] = [toleration.manifest() for toleration in profile.tolerations]
    if profile.priority_class:
        content["priorityClassName"] = profile.priority_class
    return content


def _container(pods: TrialPods, resource: str, image: str, root: str, arguments: list[str]) -> dict[str, Any]:
    profile = profile_of(pods, resource)
    amounts = {"cpu": profile.cpu, "memory": profile.memory, "ephemeral-storage": profile.ephemeral_storage}
    if profile.gpus:
        amounts[profile.gpu_resource] = str(profile.gpus)
    mounts = [{"name": "tmp", "mountPath": "/tmp"}, {"name": "scratch", "mountPath": _SCRATCH}]  # noqa: S108
    if pods.study_volume:
        mounts.append({"name": "study", "mountPath": pods.study_mount})
    container: dict[str, Any] = {
        "name": "trial",
        "image": image,
        "imagePullPolicy": pods.image_pull_policy,
        # No command: it would take the place of the image's first process, which passes on a SIGTERM
        # that comes before Python listens.
        "args": ["python", "-m", "minorkey.trials.kubernetes.pod", *arguments],
        "env": [{"name": key, "value": value} for key, value in _environment(pods, profile, root).items()],
        "resources": {"limits": amounts, "requests": dict(amounts)},
        "securityContext": container_security(),
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": mounts,
    }
    if pods.secrets:
        container["envFrom"] = [{"secretRef": {"name": name}} for name in pods.secrets]
    return container


def _environment(pods: TrialPods, profile: Profile, root: str) -> dict[str, str]:
    """Half of the local disk is for prepared folds; the other half for the rows and what libraries write."""
    own = {
        "HOME": "/tmp",  # noqa: S108
        "MINORKEY_FOLD_STORE_BYTES": str(int(parse_quantity(profile.ephemeral_storage) / 2)),
        "MINORKEY_HOME": _SCRATCH,
        "MINORKEY_STUDY_ROOT": root,
        "TMPDIR": "/tmp",  # noqa: S108
    }
    return dict(sorted({**own, **pods.environment}.items()))


def _volumes(pods: TrialPods, resource: str) -> list[dict[str, Any]]:
    size = profile_of(pods, resource).ephemeral_storage
    volumes: list[dict[str, Any]] = [
        {"name": "tmp", "emptyDir": {}},
        {"name": "scratch", "emptyDir": {"sizeLimit": size}},
    ]
    if pods.study_volume:
        volumes.append({"name": "study", "persistentVolumeClaim": {"claimName": pods.study_volume}})
    return volumes


def _options(arguments: dict[str, Any]) -> list[str]:
    return [word for name, value in arguments.items() for word in (f"--{name}", str(value))]


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
