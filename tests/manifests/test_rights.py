"""Who may do what, as a table: a right that is not in it is a failure, whichever way it got there."""

from collections import defaultdict
from typing import Any

import pytest

from minorkey.cluster.checks.permissions import NEEDED
from minorkey.deployment.kserve.api import RIGHTS as SERVING
from tests.manifests.built import build

#: Account and its namespace, namespace in which the right holds, what, verbs.
Right = tuple[str, str, str]

STEPS = {
    ("minorkey-pipeline", "steps", "configmaps/kfp-launcher"): "get",
    ("minorkey-pipeline", "steps", "secrets/mlpipeline-minio-artifact"): "get",
    ("minorkey-pipeline", "steps", "workflowtaskresults.argoproj.io"): "create patch",
    ("minorkey-schedules", "steps", "experiments.pipelines.kubeflow.org"): "create get list",
    ("minorkey-schedules", "steps", "jobs.pipelines.kubeflow.org"): "create delete disable enable get list",
    ("minorkey-schedules", "steps", "pipelines.pipelines.kubeflow.org"): "create get list",
    ("minorkey-schedules", "steps", "pipelines/versions.pipelines.kubeflow.org"): "create get list",
    ("minorkey-schedules", "steps", "runs.pipelines.kubeflow.org"): "get list",
    ("minorkey-sweeper", "trials", "jobs.batch"): "delete list",
    ("minorkey-trigger", "steps", "experiments.pipelines.kubeflow.org"): "create get list",
    ("minorkey-trigger", "steps", "pipelines.pipelines.kubeflow.org"): "get list",
    ("minorkey-trigger", "steps", "pipelines/versions.pipelines.kubeflow.org"): "get list",
    ("minorkey-trigger", "steps", "runs.pipelines.kubeflow.org"): "create get list",
    ("minorkey-tune", "trials", "events"): "list",
    ("minorkey-tune", "trials", "jobs.batch"): "create delete list watch",
    ("minorkey-tune", "trials", "pods"): "list watch",
}
KSERVE = {
    (account, "services", what): verbs
    for account in ("minorkey-deploy", "minorkey-trigger")
    for what, verbs in {
        "httproutes.gateway.networking.k8s.io": "get",
        "inferenceservices.serving.kserve.io": "create delete get update",
        "poddisruptionbudgets.policy": "create",
        "pods": "list",
        "servingruntimes.serving.kserve.io": "create",
    }.items()
}
RIGHTS = {"base": STEPS, "overlays/dev": STEPS, "overlays/prod": STEPS | KSERVE}

PARTS = {
    "base": {"kubeflow": "steps", "minorkey": "services", "minorkey-trials": "trials"},
    "overlays/dev": {"kubeflow": "steps", "minorkey-dev": "services", "minorkey-dev-trials": "trials"},
    "overlays/prod": {
        "minorkey-prod-runs": "steps",
        "minorkey-prod": "services",
        "minorkey-prod-trials": "trials",
    },
}
#: Where each account lives.
HOMES = {
    "minorkey-pipeline": "steps",
    "minorkey-tune": "steps",
    "minorkey-deploy": "steps",
    "minorkey-trigger": "services",
    "minorkey-schedules": "services",
    "minorkey-sweeper": "services",
}


def rights(overlay: str) -> dict[Right, str]:
    """Every right that the bindings of an overlay give."""
    manifests, parts = build(overlay), PARTS[overlay]
    roles = {
        (made["metadata"]["namespace"], made["metadata"]["name"]): made["rules"]
        for made in manifests
        if made["kind"] == "Role"
    }
    accounts = {
        (made["metadata"]["namespace"], made["metadata"]["name"])
        for made in manifests
        if made["kind"] == "ServiceAccount"
    }
    found: dict[Right, set[str]] = defaultdict(set)
    for binding in (made for made in manifests if made["kind"] == "RoleBinding"):
        namespace = binding["metadata"]["namespace"]
        assert binding["roleRef"]["kind"] == "Role"
        for subject in binding["subjects"]:
            assert subject["kind"] == "ServiceAccount"
            assert (subject["namespace"], subject["name"]) in accounts, subject
            assert parts[subject["namespace"]] == HOMES[subject["name"]], subject
            for rule in roles[namespace, binding["roleRef"]["name"]]:
                for what in _resources(rule):
                    found[subject["name"], parts[namespace], what] |= set(rule["verbs"])
    return {right: " ".join(sorted(verbs)) for right, verbs in found.items()}


def _resources(rule: dict[str, Any]) -> list[str]:
    (group,) = rule["apiGroups"]
    plain = [f"{resource}.{group}" if group else resource for resource in rule["resources"]]
    names = rule.get("resourceNames")
    return [f"{resource}/{name}" for resource in plain for name in names] if names else plain


@pytest.mark.parametrize("overlay", RIGHTS)
def test_nobody_may_do_more_or_less_than_the_table_says(overlay: str) -> None:
    assert rights(overlay) == RIGHTS[overlay]


@pytest.mark.parametrize("overlay", RIGHTS)
def test_nothing_is_allowed_across_the_cluster_and_nothing_by_asterisk(overlay: str) -> None:
    manifests = build(overlay)
    assert [made for made in manifests if made["kind"] in ("ClusterRole", "ClusterRoleBinding")] == []
    rules = [rule for made in manifests if made["kind"] == "Role" for rule in made["rules"]]
    assert not [rule for rule in rules if "*" in str(rule)]


def test_who_changes_what_serves_may_do_what_serving_on_kserve_asks_for() -> None:
    wanted = {
        ("minorkey-deploy", "services", f"{resource}.{group}" if group else resource): " ".join(sorted(verbs))
        for group, resource, verbs in SERVING
    }
    assert {
        right: verbs for right, verbs in rights("overlays/prod").items() if right[0] == "minorkey-deploy"
    } == wanted


@pytest.mark.parametrize("overlay", RIGHTS)
def test_the_tune_step_may_do_what_its_doctor_asks_for(overlay: str) -> None:
    wanted = {
        ("minorkey-tune", "trials", f"{resource}.{group}" if group else resource): " ".join(sorted(verbs))
        for group, resource, verbs in NEEDED
    }
    assert {right: verbs for right, verbs in rights(overlay).items() if right[0] == "minorkey-tune"} == wanted


@pytest.mark.parametrize("overlay", RIGHTS)
def test_whoever_may_create_jobs_may_not_do_so_where_other_accounts_have_rights(overlay: str) -> None:
    """A right to create Jobs is a right to act as any account of the namespace."""
    makers = {
        where
        for (_, where, what), verbs in rights(overlay).items()
        if what == "jobs.batch" and "create" in verbs
    }
    assert makers == {"trials"}
    parts = PARTS[overlay]
    theirs = {
        made["metadata"]["name"]
        for made in build(overlay)
        if made["kind"] == "ServiceAccount" and parts[made["metadata"]["namespace"]] in makers
    }
    assert theirs == {"default", "minorkey-trial"}
    assert not theirs & {account for account, _, _ in rights(overlay)}
