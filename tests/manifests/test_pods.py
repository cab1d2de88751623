"""Every pod that an overlay makes: restricted, read-only, limited, probed, from images by digest."""

from typing import Any

import pytest

from tests.manifests.built import OVERLAYS, build, one, pods
from tests.manifests.faults import faults

ENVIRONMENTS = ("overlays/dev", "overlays/prod")


def images(overlay: str) -> set[str]:
    found = {
        container["image"]
        for _, template in pods(build(overlay))
        for container in template["spec"]["containers"]
    }
    for made in build(overlay):
        if made["metadata"]["name"] == "minorkey-trial-images":
            found |= set(made["data"].values())
    return found


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_no_pod_has_a_fault(overlay: str) -> None:
    manifests = build(overlay)
    found = {}
    for owner, template in pods(manifests):
        namespace = owner["metadata"]["namespace"]
        budgets = [
            made
            for made in manifests
            if made["kind"] == "PodDisruptionBudget" and made["metadata"]["namespace"] == namespace
        ]
        found[owner["metadata"]["name"]] = faults(owner, template, budgets)
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_the_base_has_no_image_tag_and_no_inference_service() -> None:
    assert images("base") == {"minorkey-pipeline"}
    assert "InferenceService" not in {made["kind"] for made in build("base")}


@pytest.mark.parametrize("overlay", ENVIRONMENTS)
def test_overlays_name_every_image_by_digest_alone(overlay: str) -> None:
    assert all("@sha256:" in image and ":" not in image.partition("@")[0] for image in images(overlay)), (
        images(overlay)
    )


@pytest.mark.parametrize(
    ("path", "value", "word"),
    [
        (("securityContext",), {}, "runAsNonRoot"),
        (("securityContext", "runAsUser"), 0, "runAsUser=0"),
        (("hostNetwork",), True, "host namespaces"),
        (("serviceAccountName",), "default", "default account"),
        (("enableServiceLinks",), True, "environment"),
        (("automountServiceAccountToken",), None, "token"),
        (("containers", 0, "resources", "limits"), {"cpu": "1", "memory": "1Gi"}, "ephemeral-storage"),
        (("containers", 0, "securityContext", "readOnlyRootFilesystem"), False, "root file system"),
        (("containers", 0, "securityContext", "allowPrivilegeEscalation"), True, "allowPrivilegeEscalation"),
        (("containers", 0, "readinessProbe"), None, "readinessProbe"),
        (("containers", 0, "ports"), [{"containerPort": 1, "hostPort": 1}], "port of the node"),
        (("containers", 0, "env"), [{"name": "DATABASE_PASSWORD", "value": "x"}], "plain text"),
        (("volumes",), [{"name": "tmp", "emptyDir": {}}], "size limit"),
        (("volumes",), [{"name": "tmp", "hostPath": {"path": "/"}}], "hostPath"),
    ],
)
def test_a_fault_is_found(path: tuple[Any, ...], value: Any, word: str) -> None:
    owner = one(build("overlays/prod"), "Deployment", "minorkey-trigger")
    place = owner["spec"]["template"]["spec"]
    for key in path[:-1]:
        place = place[key]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    found = faults(owner, owner["spec"]["template"], [])
    assert any(word in fault for fault in found), found


def test_several_pods_want_spreading_and_a_budget() -> None:
    owner = one(build("overlays/prod"), "Deployment", "minorkey-trigger")
    owner["spec"]["replicas"] = 2
    budget = {"spec": {"selector": {"matchLabels": owner["spec"]["selector"]["matchLabels"]}}}
    assert len(faults(owner, owner["spec"]["template"], [])) == 2
    assert len(faults(owner, owner["spec"]["template"], [budget])) == 1


@pytest.mark.parametrize("overlay", ENVIRONMENTS)
def test_secrets_are_named_and_never_held(overlay: str) -> None:
    """The only Secrets are the tokens that Kubernetes itself fills in."""
    secrets = [made for made in build(overlay) if made["kind"] == "Secret"]
    assert {made["metadata"]["name"] for made in secrets} == {"minorkey-deploy-token", "minorkey-tune-token"}
    assert all(made["type"] == "kubernetes.io/service-account-token" for made in secrets)
    assert not any({"data", "stringData"} & set(made) for made in secrets)


@pytest.mark.parametrize("overlay", ENVIRONMENTS)
def test_our_services_take_secrets_from_files_but_for_the_keys_of_s3(overlay: str) -> None:
    variables = {
        variable["name"]
        for _, template in pods(build(overlay))
        for container in template["spec"]["containers"]
        for variable in container.get("env", ())
        if "secretKeyRef" in variable.get("valueFrom", {})
    }
    assert variables == {
        "AWS_ACCESS_KEY_ID",
        "AWS_ENDPOINT_URL",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "MLFLOW_TRACKING_USERNAME",
    }
    sources = [
        source
        for _, template in pods(build(overlay))
        for container in template["spec"]["containers"]
        for source in container.get("envFrom", ())
    ]
    assert all("secretRef" not in source for source in sources)
