"""What the doctor finds wrong with KServe, before a run does."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from minorkey.cluster.checks.kserve import check_kserve
from minorkey.cluster.findings import Finding
from minorkey.cluster.reader import Reader
from minorkey.cluster.spec import ClusterSpec
from minorkey.deployment.kserve.api import RIGHTS
from tests.deployment.kserve.fake import FakeKServe
from tests.deployment.kserve.place import cluster_spec
from tests.kubernetes.fake.kinds import kind_of

GATEWAY = {"enableGatewayApi": True, "kserveIngressGateway": "kserve/kserve-ingress-gateway"}


def look(fake: FakeKServe, spec: ClusterSpec) -> list[Finding]:
    return list(check_kserve(Reader(fake.cluster.kubeconfig), spec))


def wrong(fake: FakeKServe, spec: ClusterSpec) -> list[Finding]:
    return [found for found in look(fake, spec) if found.status != "ok"]


def furnish(fake: FakeKServe, ingress: dict) -> None:
    """KServe's settings, its Gateway, and the rights of the deploy step."""
    objects = fake.cluster.objects
    for name in ("kserve", "runs"):
        fake.cluster.add_namespace(name)
    data = {"deploy": json.dumps({"defaultDeploymentMode": "Knative"}), "ingress": json.dumps(ingress)}
    objects.create(
        kind_of("configmaps"), "kserve", {"metadata": {"name": "inferenceservice-config"}, "data": data}
    )
    gateways = objects.kinds.find("gateway.networking.k8s.io", "v1", "gateways")
    if gateways:
        objects.create(gateways, "kserve", {"metadata": {"name": "kserve-ingress-gateway"}, "spec": {}})
    rules = [
        {"apiGroups": [group], "resources": [resource], "verbs": list(verbs)}
        for group, resource, verbs in RIGHTS
    ]
    objects.create(kind_of("roles"), "serving", {"metadata": {"name": "deploy"}, "rules": rules})
    binding = {
        "metadata": {"name": "deploy"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "deploy"},
        "subjects": [{"kind": "ServiceAccount", "name": "minorkey-deploy", "namespace": "runs"}],
    }
    objects.create(kind_of("rolebindings"), "serving", binding)


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeKServe]:
    with FakeKServe(tmp_path) as fake:
        yield fake


def bucket(spec: ClusterSpec) -> ClusterSpec:
    stores = {"bundle_root": "s3://a/b", "bundle_volume": "", "artifact_secret": "minorkey-artifacts"}
    return spec.model_copy(update={"stores": spec.stores.model_copy(update=stores)})


def test_a_cluster_that_has_everything_has_no_problem(fake: FakeKServe, tmp_path: Path) -> None:
    furnish(fake, GATEWAY)
    claim = {"metadata": {"name": "bundles"}, "spec": {"accessModes": ["ReadWriteMany"]}}
    fake.cluster.objects.create(kind_of("persistentvolumeclaims"), "serving", claim)
    assert wrong(fake, cluster_spec(tmp_path)) == []
    assert {found.check for found in look(fake, cluster_spec(tmp_path))} == {
        "crd", "kserve", "gateway", "serviceaccount", "permissions",
    }  # fmt: skip
    silent = cluster_spec(tmp_path).model_copy(update={"serving": cluster_spec(tmp_path).serving.model_copy(
        update={"kserve": None})})  # fmt: skip
    assert look(fake, silent) == []


def test_a_cluster_without_kserve(tmp_path: Path) -> None:
    with FakeKServe(tmp_path, installed=False) as fake:
        found = [one for one in wrong(fake, bucket(cluster_spec(tmp_path))) if one.check == "crd"]
    assert "KServe is not installed" in found[0].text and "0.20" in found[0].remedy


def test_models_that_ship_by_git_need_kserve_too(fake: FakeKServe, tmp_path: Path) -> None:
    stores = cluster_spec(tmp_path).model_dump(exclude={"serving"})
    gitops = {"repository": "git@git.test:models.git", "predictor": {"image": "registry.test/predictor"}}
    spec = ClusterSpec.model_validate(stores | {"serving": {"namespace": "serving", "gitops": gitops}})
    furnish(fake, GATEWAY)
    assert {found.check for found in look(fake, spec)} >= {"crd", "serviceaccount"}
    elsewhere = spec.serving.model_copy(update={"namespace": "nowhere"})
    (told,) = wrong(fake, spec.model_copy(update={"serving": elsewhere}))
    assert "no serviceaccount minorkey-predictor in namespace nowhere" in told.text
    with FakeKServe(tmp_path, installed=False) as without:
        assert "KServe is not installed" in wrong(without, spec)[0].text


def test_an_old_kserve_a_tag_and_an_account_without_a_secret(fake: FakeKServe, tmp_path: Path) -> None:
    furnish(fake, GATEWAY)
    kind = kind_of("customresourcedefinitions")
    name = "inferenceservices.serving.kserve.io"

    def older(old: dict) -> dict:
        (version,) = old["spec"]["versions"]
        fields = {"predictor": {"type": "object"}}
        schema = {"openAPIV3Schema": {"properties": {"spec": {"properties": fields}}}}
        return {**old, "spec": {**old["spec"], "versions": [{**version, "schema": schema}]}}

    fake.cluster.objects.change(kind, "", name, older)
    found = wrong(fake, bucket(cluster_spec(tmp_path, image="registry.test/predictor:1")))
    told = " | ".join(one.text for one in found)
    assert [one.status for one in found] == ["problem", "warning", "warning"]
    assert "older than 0.20" in told and "is a tag" in told and "names no Secret" in told


@pytest.mark.parametrize(
    ("ingress", "gateway", "status", "told"),
    [
        ({}, True, "problem", "enableGatewayApi is not set"),
        (GATEWAY, False, "warning", "no share of the requests"),
        ({**GATEWAY, "kserveIngressGateway": "kserve/other"}, True, "problem", "no Gateway kserve/other"),
    ],
)
def test_a_gateway_that_is_not_as_the_specification_says(
    fake: FakeKServe, tmp_path: Path, ingress: dict, gateway: bool, status: str, told: str
) -> None:
    furnish(fake, ingress)
    spec = bucket(cluster_spec(tmp_path, gateway=gateway))
    found = [one for one in wrong(fake, spec) if one.check in ("kserve", "gateway")]
    assert [one.status for one in found] == [status] and told in found[0].text and found[0].remedy


def test_missing_accounts_claims_and_rights_are_named(fake: FakeKServe, tmp_path: Path) -> None:
    furnish(fake, GATEWAY)
    fake.cluster.store.remove(kind_of("roles"), "serving", "deploy")
    fake.cluster.store.remove(kind_of("serviceaccounts"), "serving", "minorkey-predictor")
    found = wrong(fake, cluster_spec(tmp_path))
    assert any("serviceaccount minorkey-predictor" in one.text for one in found)
    rights = [one.text for one in found if one.check == "permissions"]
    assert len(rights) == len(RIGHTS)
    assert "may not get, create, update, delete inferenceservices.serving.kserve.io" in rights[0]
