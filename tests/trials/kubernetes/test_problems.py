"""What the platform says, turned into what is wrong and what to do."""

from typing import Any

import pytest

from minorkey.trials.kubernetes.problems import pod_problem, suspended
from minorkey.trials.kubernetes.refusals import event_problem, refusal

NAMESPACE = "trials"


def pending(message: str, reason: str = "Unschedulable") -> dict[str, Any]:
    condition = {"type": "PodScheduled", "status": "False", "reason": reason, "message": message}
    return {"metadata": {"name": "p"}, "spec": {}, "status": {"conditions": [condition]}}


def blocked(reason: str) -> dict[str, Any]:
    status = {"image": "i:1", "state": {"waiting": {"reason": reason, "message": "said so"}}}
    return {"metadata": {"name": "p"}, "spec": {}, "status": {"containerStatuses": [status]}}


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (
            "0/3 nodes are available: 3 Insufficient nvidia.com/gpu.",
            "no node has a free GPU (nvidia.com/gpu)",
        ),
        (
            "0/3 nodes are available: 2 Insufficient cpu, 1 Insufficient memory.",
            "no node has room (cpu, memory)",
        ),
        ("0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.", "has the labels"),
        ("0/1 nodes are available: 1 node(s) had untolerated taint {gpu: yes}.", "taint"),
        ('0/1 nodes are available: persistentvolumeclaim "study" not found.', "volume"),
    ],
)
def test_pods_without_a_node(message: str, text: str) -> None:
    found = pod_problem(pending(message))
    assert found is not None and text in found.text
    assert (found.kind, found.hopeless, found.detail) == ("node", False, message) and found.remedy


def test_a_gate_is_a_queue() -> None:
    found = pod_problem(pending("gated", reason="SchedulingGated"))
    assert found is not None and found.kind == "queue"


@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull"])
def test_images(reason: str) -> None:
    found = pod_problem(blocked(reason))
    assert found is not None
    assert (found.kind, found.object, found.detail) == ("image", "image i:1", "said so")


@pytest.mark.parametrize("reason", ["CreateContainerConfigError", "RunContainerError"])
def test_containers_that_cannot_begin(reason: str) -> None:
    found = pod_problem(blocked(reason))
    assert found is not None and found.kind == "start"


def test_a_pod_on_its_way_has_no_problem() -> None:
    assert pod_problem(blocked("ContainerCreating")) is None
    assert pod_problem({"metadata": {"name": "p"}, "spec": {}}) is None


@pytest.mark.parametrize(
    ("message", "kind", "hopeless"),
    [
        (
            'pods "p" is forbidden: exceeded quota: q, requested: requests.cpu=2, used: requests.cpu=9, '
            "limited: requests.cpu=10",
            "quota",
            False,
        ),
        (
            "exceeded quota: q, requested: requests.cpu=500m,requests.nvidia.com/gpu=2, "
            "used: requests.cpu=0,requests.nvidia.com/gpu=0, "
            "limited: requests.cpu=1,requests.nvidia.com/gpu=1",
            "quota",
            True,
        ),
        ("failed quota: q: must specify limits.cpu", "refused", True),
        ('violates PodSecurity "restricted:latest": runAsNonRoot != true', "refused", True),
        ('error looking up service account a/b: serviceaccount "b" not found', "refused", False),
        ("maximum cpu usage per Container is 1, but limit is 2", "refused", True),
        ("no PriorityClass with name urgent was found", "refused", True),
        ('admission webhook "policy.example" denied the request: no', "refused", True),
    ],
)
def test_pods_that_are_not_created(message: str, kind: str, hopeless: bool) -> None:
    event = {"reason": "FailedCreate", "message": message, "involvedObject": {"name": "job"}}
    found = event_problem(event, NAMESPACE)
    assert found is not None and found.remedy and found.detail == message
    assert (found.kind, found.hopeless) == (kind, hopeless)


def test_other_events_say_nothing() -> None:
    assert event_problem({"reason": "SuccessfulCreate", "involvedObject": {"name": "j"}}, NAMESPACE) is None


@pytest.mark.parametrize(
    ("status", "message", "key"),
    [
        (401, "Unauthorized", "API server https://api"),
        (403, 'jobs.batch is forbidden: User "x" cannot create resource "jobs"', "namespace trials"),
        (404, 'namespaces "trials" not found', "namespace trials"),
        (403, "unable to create new content in namespace trials because it is being terminated", "namespace"),
        (422, 'Job.batch "x" is invalid: spec', "jobs.batch in namespace trials"),
        (0, "connection refused", "API server https://api"),
    ],
)
def test_refusals_of_the_api(status: int, message: str, key: str) -> None:
    found = refusal(
        status, message, verb="create", what="jobs.batch", namespace=NAMESPACE, server="https://api"
    )
    error = found.error()
    assert key in error.key and error.value == message and error.remedy


def test_suspended_jobs() -> None:
    assert suspended({"metadata": {"name": "j"}, "spec": {"suspend": False}}, "q") is None
    found = suspended({"metadata": {"name": "j"}, "spec": {"suspend": True}}, "q")
    assert found is not None and found.object == "LocalQueue q"
