"""Least privilege: the driver can do what its role says and no more, trial pods can do nothing."""

import os
from collections.abc import Iterator

import pytest
from kubernetes import client

from tests.cluster.applying import apply
from tests.cluster.rights import DRIVER_ACCOUNT, DRIVER_RULES, TRIAL_ACCOUNT, driver_objects
from tests.kubernetes.site import Site, refused

pytestmark = pytest.mark.cluster

#: What an intruder in a driver would like: group, resource, verb.
_BEYOND = [
    ("", "secrets", "get"),
    ("", "secrets", "list"),
    ("", "pods", "create"),
    ("", "pods", "delete"),
    ("", "pods/exec", "create"),
    ("", "pods/eviction", "create"),
    ("", "configmaps", "get"),
    ("", "serviceaccounts/token", "create"),
    ("batch", "jobs", "patch"),
    ("batch", "jobs", "deletecollection"),
    ("apps", "deployments", "create"),
    ("rbac.authorization.k8s.io", "rolebindings", "create"),
]


@pytest.fixture(scope="module")
def own(site: Site) -> Iterator[Site]:
    with site.own_namespace("rights") as own:
        for manifest in driver_objects(own.namespace):
            apply(own.api, manifest, "minorkey-test")
        own.wait(lambda: own.has_account(DRIVER_ACCOUNT) and own.has_account(TRIAL_ACCOUNT))
        yield own


def allowed(api: client.ApiClient, namespace: str, group: str, resource: str, verb: str) -> bool:
    resource, _, subresource = resource.partition("/")
    attributes = {
        "namespace": namespace,
        "group": group,
        "resource": resource,
        "subresource": subresource,
        "verb": verb,
    }
    review = {"spec": {"resourceAttributes": attributes}}
    return bool(client.AuthorizationV1Api(api).create_self_subject_access_review(review).status.allowed)


def test_the_driver_may_do_what_its_role_says(own: Site) -> None:
    """Every verb of the driver's role, by SelfSubjectAccessReview."""
    api = own.as_account(DRIVER_ACCOUNT)
    wanted = [
        (rule["apiGroups"][0], rule["resources"][0], verb) for rule in DRIVER_RULES for verb in rule["verbs"]
    ]
    own.wait(lambda: all(allowed(api, own.namespace, *right) for right in wanted))


def test_the_driver_may_do_nothing_else(own: Site) -> None:
    """Rights that an intruder would like, by review and by trying."""
    api = own.as_account(DRIVER_ACCOUNT)
    assert [right for right in _BEYOND if allowed(api, own.namespace, *right)] == []
    assert not allowed(api, "kube-system", "batch", "jobs", "create")
    core, batch = client.CoreV1Api(api), client.BatchV1Api(api)
    refused(403, core.list_namespaced_secret, own.namespace)
    refused(403, core.list_node)
    refused(403, core.list_namespaced_pod, "kube-system")
    refused(403, batch.create_namespaced_job, "kube-system", own.job("intrudes", "pass"))
    refused(
        403,
        core.create_namespaced_pod,
        own.namespace,
        {"metadata": {"name": "x"}, "spec": {"containers": []}},
    )


def test_trial_pods_may_do_nothing(own: Site) -> None:
    """The account of trial pods, by review and by trying."""
    api = own.as_account(TRIAL_ACCOUNT)
    ours = [
        (rule["apiGroups"][0], rule["resources"][0], verb) for rule in DRIVER_RULES for verb in rule["verbs"]
    ]
    assert [right for right in ours + _BEYOND if allowed(api, own.namespace, *right)] == []
    refused(403, client.BatchV1Api(api).list_namespaced_job, own.namespace)


def test_trial_pods_have_no_token(own: Site) -> None:
    """A pod as the driver makes them looks for a token and finds none."""
    script = (
        "import os\n"
        "folder = '/var/run/secrets/kubernetes.io/serviceaccount'\n"
        "print('token' if os.path.exists(folder) else 'nothing', os.getuid())\n"
    )
    own.start("looks", script, pod={"serviceAccountName": TRIAL_ACCOUNT})
    own.ended("looks", "Complete")
    (pod,) = own.pods("looks")
    assert pod.spec.automount_service_account_token is False
    found, user = own.core.read_namespaced_pod_log(pod.metadata.name, own.namespace).split()
    assert found == "nothing"
    if user == str(os.getuid()):
        pytest.skip("pods here run as the user of the suite: this cluster is a fake")
    assert user == "65532"
