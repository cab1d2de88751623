"""The manifest compared whole: what changes in a pod changes here."""

import json
from typing import Any

import pytest

from minorkey.cluster.spec import Profile, Toleration, TrialPods
from minorkey.trials.executor import Task
from minorkey.trials.kubernetes.jobs import (
    cores_of,
    job_name,
    profile_of,
    study_digest,
    task_digest,
    trial_job,
)

STUDY = study_digest("run-1", "/study/run-1")
TASK = Task("final/0007", "a:b", {"x": 1}, seconds=600.0)
PROGRAM = ["python", "-m", "minorkey.trials.kubernetes.pod"]
NAME = job_name(STUDY, task_digest(TASK), 0)

PLAIN: dict[str, Any] = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {
        "name": NAME,
        "namespace": "trials",
        "labels": {
            "app.kubernetes.io/component": "trial",
            "app.kubernetes.io/managed-by": "minorkey",
            "app.kubernetes.io/name": "minorkey",
            "minorkey.io/resource": "cpu",
            "minorkey.io/study": STUDY,
        },
        "annotations": {"minorkey.io/study-root": "s3://bucket/run-1", "minorkey.io/tasks": "1"},
    },
    "spec": {
        "backoffLimit": 0,
        "completions": 1,
        "parallelism": 1,
        "podReplacementPolicy": "Failed",
        "podFailurePolicy": {
            "rules": [
                {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
            ]
        },
        "activeDeadlineSeconds": 720 + 86_400,
        "ttlSecondsAfterFinished": 3_600,
        "template": {
            "metadata": {
                "labels": {
                    "app.kubernetes.io/component": "trial",
                    "app.kubernetes.io/managed-by": "minorkey",
                    "app.kubernetes.io/name": "minorkey",
                    "minorkey.io/resource": "cpu",
                    "minorkey.io/study": STUDY,
                }
            },
            "spec": {
                "activeDeadlineSeconds": 720,
                "automountServiceAccountToken": False,
                "containers": [
                    {
                        "name": "trial",
                        "image": "registry.example/minorkey@sha256:0",
                        "imagePullPolicy": "IfNotPresent",
                        "args": [
                            *PROGRAM,
                            *("--job", NAME),
                            *("--tasks", "1"),
                            *("--cores", "1"),
                            *("--patience", "600"),
                        ],
                        "env": [
                            {"name": "HOME", "value": "/tmp"},
                            {"name": "MINORKEY_FOLD_STORE_BYTES", "value": str(5 * 2**30)},
                            {"name": "MINORKEY_HOME", "value": "/scratch"},
                            {"name": "MINORKEY_STUDY_ROOT", "value": "s3://bucket/run-1"},
                            {"name": "TMPDIR", "value": "/tmp"},
                        ],
                        "resources": {
                            "limits": {"cpu": "1", "memory": "4Gi", "ephemeral-storage": "10Gi"},
                            "requests": {"cpu": "1", "memory": "4Gi", "ephemeral-storage": "10Gi"},
                        },
                        "securityContext": {
                            "allowPrivilegeEscalation": False,
                            "capabilities": {"drop": ["ALL"]},
                            "readOnlyRootFilesystem": True,
                        },
                        "terminationMessagePolicy": "FallbackToLogsOnError",
                        "volumeMounts": [
                            {"name": "tmp", "mountPath": "/tmp"},
                            {"name": "scratch", "mountPath": "/scratch"},
                        ],
                    }
                ],
                "enableServiceLinks": False,
                "restartPolicy": "Never",
                "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
                "serviceAccountName": "minorkey-trial",
                "terminationGracePeriodSeconds": 30,
                "volumes": [
                    {"name": "tmp", "emptyDir": {}},
                    {"name": "scratch", "emptyDir": {"sizeLimit": "10Gi"}},
                ],
            },
        },
    },
}


def build(pods: TrialPods, resource: str = "cpu", **changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "study": STUDY,
        "pods": pods,
        "resource": resource,
        "namespace": "trials",
        "image": "registry.example/minorkey@sha256:0",
        "root": "s3://bucket/run-1",
        "tasks": 1,
        "seconds": 600.0,
        "patience": 600.0,
    }
    return trial_job(NAME, **{**given, **changes})


def test_a_plain_job() -> None:
    assert build(TrialPods()) == PLAIN


def test_a_job_with_everything() -> None:
    pods = TrialPods(
        gpu=Profile(
            cpu="4",
            memory="16Gi",
            gpus=1,
            node_selector={"accelerator": "h100"},
            tolerations=(Toleration(key="nvidia.com/gpu", operator="Exists", effect="NoSchedule"),),
            priority_class="trials",
        ),
        image_pull_policy="Always",
        queue="team-a",
        service_account="own",
        deadline_slack_seconds=60,
        ttl_seconds=120,
        study_volume="shared",
        study_mount="/mnt/study",
        environment={"OMP_NUM_THREADS": "4", "HOME": "/scratch"},
        secrets=("study-bucket",),
    )
    job = build(pods, "gpu", root="/mnt/study/run-1", tasks=25, seconds=15_000.0)
    expected = json.loads(json.dumps(PLAIN))
    expected["metadata"]["labels"] |= {
        "kueue.x-k8s.io/queue-name": "team-a",
        "minorkey.io/resource": "gpu",
    }
    expected["metadata"]["annotations"] = {
        "minorkey.io/study-root": "/mnt/study/run-1",
        "minorkey.io/tasks": "25",
    }
    expected["spec"] |= {"activeDeadlineSeconds": 15_060 + 86_400, "ttlSecondsAfterFinished": 120}
    template = expected["spec"]["template"]
    template["metadata"]["labels"]["minorkey.io/resource"] = "gpu"
    template["spec"] |= {
        "activeDeadlineSeconds": 15_060,
        "nodeSelector": {"accelerator": "h100"},
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
        "priorityClassName": "trials",
        "serviceAccountName": "own",
    }
    template["spec"]["volumes"].append({"name": "study", "persistentVolumeClaim": {"claimName": "shared"}})
    amounts = {"cpu": "4", "memory": "16Gi", "ephemeral-storage": "10Gi", "nvidia.com/gpu": "1"}
    (container,) = template["spec"]["containers"]
    container |= {
        "imagePullPolicy": "Always",
        "args": [*PROGRAM, "--job", NAME, "--tasks", "25", "--cores", "4", "--patience", "600"],
        "env": [
            {"name": "HOME", "value": "/scratch"},
            {"name": "MINORKEY_FOLD_STORE_BYTES", "value": str(5 * 2**30)},
            {"name": "MINORKEY_HOME", "value": "/scratch"},
            {"name": "MINORKEY_STUDY_ROOT", "value": "/mnt/study/run-1"},
            {"name": "OMP_NUM_THREADS", "value": "4"},
            {"name": "TMPDIR", "value": "/tmp"},
        ],
        "envFrom": [{"secretRef": {"name": "study-bucket"}}],
        "resources": {"limits": amounts, "requests": amounts},
    }
    container["volumeMounts"].append({"name": "study", "mountPath": "/mnt/study"})
    assert job == expected


def test_names_say_study_task_and_attempt() -> None:
    assert f"mk-{STUDY[:8]}-{task_digest(TASK)[:12]}-0" == NAME
    assert len(job_name(STUDY, task_digest(TASK), 99)) <= 63
    assert job_name(STUDY, task_digest(TASK), 1) != NAME


@pytest.mark.parametrize(
    "other",
    [
        Task("final/0008", "a:b", {"x": 1}, seconds=600.0),
        Task("final/0007", "a:b", {"x": 2}, seconds=600.0),
        Task("final/0007", "a:b", {"x": 1}, seconds=601.0),
        Task("final/0007", "a:b", {"x": 1}, seconds=600.0, memory_mb=1),
    ],
)
def test_whatever_changes_a_task_changes_its_digest(other: Task) -> None:
    assert task_digest(other) != task_digest(TASK)
    assert task_digest(Task("final/0007", "a:b", {"x": 1}, seconds=600.0)) == task_digest(TASK)


def test_studies_differ_by_identity_and_by_place() -> None:
    assert len({STUDY, study_digest("run-2", "/study/run-1"), study_digest("run-1", "/study/run-2")}) == 3


def test_gpu_tasks_run_in_cpu_pods_where_there_is_no_other_profile() -> None:
    assert profile_of(TrialPods(), "gpu") == TrialPods().cpu


@pytest.mark.parametrize(("cpu", "cores"), [("500m", 1), ("1", 1), ("3500m", 3), ("16", 16)])
def test_cores_are_whole(cpu: str, cores: int) -> None:
    assert cores_of(Profile(cpu=cpu)) == cores
