"""Everything about a cluster that can be wrong: each a message that names the object and the remedy."""

import socket
from pathlib import Path
from typing import Any

import pytest

from minorkey.cluster.spec import Profile
from minorkey.errors import InputError, StateError
from minorkey.trials.executor import Ended
from minorkey.trials.kubernetes.executor import KubernetesExecutor
from minorkey.trials.trial import Outcome
from tests.trials.executor_contract import PATIENCE, call, only_end
from tests.trials.kubernetes.stage import Stage, eventually, impatient, told


def failure(executor: KubernetesExecutor, **task: Any) -> InputError:
    """The error of an executor that can run nothing."""
    with pytest.raises(InputError) as caught:
        executor.submit(call("echo", value=1, **task))
        executor.wait(PATIENCE)
    assert caught.value.remedy and caught.value.key and caught.value.value
    return caught.value


def account(stage: Stage, rules: list[dict[str, Any]], name: str = "driver") -> Path:
    """A kubeconfig of a ServiceAccount with these rights."""
    stage.create("serviceaccounts", {"metadata": {"name": name}})
    stage.create("roles", {"metadata": {"name": name}, "rules": rules})
    stage.create(
        "rolebindings",
        {
            "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": stage.namespace}],
        },
    )
    token = stage.cluster.token(stage.namespace, name)
    return stage.cluster.kubeconfig_with(token, f"{stage.namespace}-{name}")


LOOK = {"apiGroups": ["batch", ""], "resources": ["jobs", "pods"], "verbs": ["list", "watch"]}
CREATE = {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create", "delete"]}


def test_the_rights_of_the_role_are_enough(stage: Stage) -> None:
    executor = stage.executor(kubeconfig=account(stage, [LOOK, CREATE]))
    assert only_end(executor, call("echo", value=1)).outcome is Outcome.COMPLETE


@pytest.mark.parametrize(
    ("rules", "missing"), [([], "list"), ([LOOK], "create jobs.batch"), ([CREATE], "list")]
)
def test_no_permission(stage: Stage, rules: list[dict[str, Any]], missing: str) -> None:
    error = failure(stage.executor(kubeconfig=account(stage, rules)))
    assert error.key == f"namespace {stage.namespace}"
    assert f"may not {missing}" in error.problem and "Role" in error.remedy


def test_wrong_namespace(stage: Stage) -> None:
    error = failure(stage.executor(namespace="nowhere"))
    assert error.key == "namespace nowhere" and "does not exist" in error.problem


def test_expired_token(stage: Stage) -> None:
    token = stage.cluster.token(stage.namespace, "minorkey-trial", seconds=0.0)
    error = failure(stage.executor(kubeconfig=stage.cluster.kubeconfig_with(token, stage.namespace)))
    assert stage.cluster.url in error.key and "expired" in error.problem


def test_a_token_that_expires_on_the_way(stage: Stage) -> None:
    kubeconfig = account(stage, [LOOK, CREATE])
    executor = stage.executor(kubeconfig=kubeconfig)
    assert only_end(executor, call("echo", value=1)).outcome is Outcome.COMPLETE
    old = kubeconfig.read_text().split("token: ")[1].split()[0]
    renewed = stage.cluster.token(stage.namespace, "driver")
    kubeconfig.write_text(kubeconfig.read_text().replace(old, renewed))
    stage.cluster.revoke(old)
    assert only_end(executor, call("echo", value=2)).outcome is Outcome.COMPLETE


def test_unreachable_api(stage: Stage) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
    content = stage.cluster.kubeconfig.read_text().replace(stage.cluster.url, address)
    kubeconfig = stage.cluster.folder / "closed.yaml"
    kubeconfig.write_text(content)
    error = failure(stage.executor(kubeconfig=kubeconfig, patience=0.5))
    assert isinstance(error, StateError) and address in error.key


def test_no_kubeconfig(stage: Stage, tmp_path: Path) -> None:
    with pytest.raises(StateError) as caught:
        stage.api(tmp_path / "none.yaml")
    assert "none.yaml" in caught.value.key and "KUBECONFIG" in caught.value.remedy


def test_an_image_that_does_not_exist(stage: Stage, events: Path) -> None:
    image = "registry.invalid/minorkey:9"
    error = failure(stage.executor(image=image))
    assert error.key == f"image {image}" and "cannot be pulled" in error.problem
    assert told(events, "waiting")[0]["object"] == f"image {image}"


def test_no_gpu_node(stage: Stage) -> None:
    gpu = Profile(gpus=8)
    error = failure(stage.executor(gpu=gpu), resource="gpu")
    assert "no node has a free GPU (nvidia.com/gpu)" in error.problem and "trials.gpu" in error.remedy


def test_no_node_with_that_label(stage: Stage) -> None:
    error = failure(stage.executor(cpu=Profile(node_selector={"disk": "fast"})))
    assert "no node has the labels" in error.problem and "node_selector" in error.remedy


def test_a_pod_that_asks_for_more_than_the_quota(stage: Stage) -> None:
    stage.quota("small", requests_cpu="1", requests_memory="64Gi")
    error = failure(stage.executor(cpu=Profile(cpu="2"), timing=stage.slow()))
    assert error.key == f"ResourceQuota small in namespace {stage.namespace}"
    assert "requests.cpu=2 of 1" in error.problem


def test_a_used_up_quota_is_shown_as_waiting(stage: Stage, events: Path) -> None:
    stage.quota("pods", pods="1")
    executor = stage.executor()
    executor.submit(call("climb", "a", values=[1.0]))
    executor.submit(call("echo", "b", value=1))
    executor.wait(PATIENCE)

    def waiting() -> list[dict[str, Any]]:
        executor.wait(0.1)
        return told(events, "waiting")

    (event, *_) = eventually(waiting)
    assert event["reason"] == "quota" and "ResourceQuota pods" in event["object"]
    executor.answer("a", True)
    ended: list[str] = []
    while len(ended) < 2:
        ended += [event.name for event in executor.wait(PATIENCE) if isinstance(event, Ended)]
    assert ended == ["a", "b"]


def test_a_quota_on_jobs_holds_creations_back(stage: Stage, events: Path) -> None:
    stage.quota("jobs", **{"count/jobs_batch": "1"})
    executor = stage.executor()
    executor.submit(call("climb", "a", values=[1.0]))
    executor.submit(call("echo", "b", value=1))
    executor.wait(PATIENCE)
    executor.answer("a", True)
    ended: list[str] = []
    while len(ended) < 2:
        ended += [event.name for event in executor.wait(PATIENCE) if isinstance(event, Ended)]
    assert ended == ["a", "b"]
    assert told(events, "waiting")[0]["reason"] == "quota"


def test_no_service_account(stage: Stage) -> None:
    error = failure(stage.executor(service_account="nobody"))
    assert "ServiceAccount" in error.problem and "trials.service_account" in error.remedy


def test_no_priority_class(stage: Stage) -> None:
    error = failure(stage.executor(cpu=Profile(priority_class="urgent")))
    assert "PriorityClass" in error.problem


def test_a_bucket_that_pods_cannot_reach(stage: Stage) -> None:
    nowhere = {
        "MINORKEY_STUDY_ROOT": "s3://no-bucket/study",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
    }
    error = failure(stage.executor(environment=nowhere))
    assert error.key == "AWS_ENDPOINT_URL"
    assert "trial pods cannot work" in error.problem and "no-bucket" in error.problem


def test_an_image_without_minorkey(stage: Stage) -> None:
    error = failure(stage.executor(environment={"PYTHONHOME": "/nowhere"}))
    assert error.key.startswith("pod mk-") and "trials.environment" in error.remedy


def test_a_secret_that_is_missing(stage: Stage) -> None:
    error = failure(stage.executor(secrets=("bucket",)))
    assert "not there" in error.problem and "bucket" in str(error.value)


def test_a_volume_that_is_missing(stage: Stage) -> None:
    error = failure(stage.executor(study_volume="none"))
    assert "volume" in error.problem and "trials.study_volume" in error.remedy


def test_an_image_name_that_is_not_valid(stage: Stage) -> None:
    error = failure(stage.executor(image="Not An Image", timing=stage.slow()))
    assert error.key == "image Not An Image" and "not valid" in error.problem


def test_a_suspended_job_waits_for_its_queue(stage: Stage, events: Path) -> None:
    executor = stage.executor(queue="team-a")
    executor.submit(call("echo", value=1))
    (job,) = stage.jobs()
    stage.suspend(job, True)

    def waiting() -> list[dict[str, Any]]:
        executor.wait(0.05)
        return told(events, "waiting")

    assert eventually(waiting)[0]["object"] == "LocalQueue team-a"
    stage.suspend(job, False)
    (ended,) = executor.wait(PATIENCE)
    assert isinstance(ended, Ended) and ended.outcome is Outcome.COMPLETE


def test_nothing_is_raised_while_something_runs(stage: Stage) -> None:
    gpu = Profile(gpus=8)
    executor = stage.executor(gpu=gpu, timing=impatient(node_patience=0.2))
    executor.submit(call("hang", "cpu"))
    eventually(stage.running)
    executor.submit(call("hang", "gpu", resource="gpu"))
    assert list(executor.wait(1.0)) == []
