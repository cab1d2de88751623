"""What a cluster lacks or refuses: each told by object and remedy, and nothing is left behind."""

from collections.abc import Callable

import pytest

from minorkey.cluster.spec import Stores
from minorkey.deployment.kserve.api import RIGHTS
from minorkey.deployment.kserve.naming import service_name
from minorkey.deployment.kserve.storage import storage_uri
from minorkey.errors import StateError
from tests.deployment.kserve.place import Customers, Model
from tests.kubernetes.fake import Fault
from tests.kubernetes.fake.kinds import kind_of
from tests.kubernetes.site import Site

Place = Callable[..., Model]


def test_a_cluster_without_kserve(place: Place) -> None:
    model = place(installed=False)
    with pytest.raises(StateError, match="does not have KServe") as caught:
        model.deploy("1")
    assert caught.value.key == "inferenceservices" and "KServe 0.20" in caught.value.remedy


def test_a_namespace_that_is_not_there(place: Place) -> None:
    model = place()
    serving = model.spec.serving.model_copy(update={"namespace": "nowhere"})
    model.spec = model.spec.model_copy(update={"serving": serving})
    with pytest.raises(StateError, match="does not have the namespace") as caught:
        model.deploy("1")
    assert (caught.value.key, caught.value.value) == ("serving.namespace", "nowhere")


def test_a_canary_without_a_gateway(place: Place) -> None:
    model = place(gateway=False, start_seconds=3).with_serving(gateway=True)
    model.deploy("1")
    with pytest.raises(StateError, match="Gateway API") as caught:
        model.deploy("2")
    assert "serving.kserve.gateway to false" in caught.value.remedy
    assert (model.champion, model.served()) == ("1", "1")


@pytest.mark.parametrize("fault", ["deaf", "refusing"])
def test_a_gateway_that_kserve_does_not_use(place: Place, fault: str) -> None:
    model = place(start_seconds=3)
    setattr(model.fake.gateway, fault, True)
    model.deploy("1")
    with pytest.raises(StateError, match="no gateway for canaries") as caught:
        model.deploy("2")
    assert caught.value.key == "HTTPRoute cards in namespace serving"
    assert "enableGatewayApi" in caught.value.remedy
    assert (model.champion, model.served()) == ("1", "1")
    assert model.leaves("cards-v1-predictor")


def test_a_bundle_that_the_cluster_cannot_read(place: Place) -> None:
    model = place(start_seconds=6)
    model.uris["2"] = f"s3://elsewhere/{model.bundles['2'].digest}"
    with pytest.raises(StateError, match="do not answer") as caught:
        model.deploy("2")
    assert "the bundle is not read" in caught.value.value and "elsewhere" in caught.value.value
    assert "serving.kserve.service_account" in caught.value.remedy
    assert model.champion == "" and model.leaves()


@pytest.mark.parametrize("uri", ["file:///home/me/bundles/1", "http://example.test/1", "ftp://a/b"])
def test_an_address_that_no_cluster_can_read(uri: str) -> None:
    stores = Stores(study_root="s3://a/b", bundle_root="s3://a/c", tracking_uri="http://mlflow:5000")
    with pytest.raises(StateError, match="cannot read the bundle") as caught:
        storage_uri(uri, stores)
    assert caught.value.value == uri and "s3://" in caught.value.allowed


def test_addresses_that_a_cluster_reads() -> None:
    stores = Stores(
        study_root="s3://a/b", bundle_root="/bundles/x", tracking_uri="http://m", bundle_volume="claim"
    )
    assert storage_uri("s3://a/c/d/", stores) == "s3://a/c/d"
    assert storage_uri("/bundles/x/d", stores) == "pvc://claim/x/d"
    assert (service_name("cards"), service_name("7-cards")) == ("cards", "m-7-cards")


def test_a_digest_that_does_not_match(place: Place) -> None:
    model = place()
    model.uris["1"] = model.uris["2"]
    with pytest.raises(StateError, match="digest") as caught:
        model.deploy("1")
    assert caught.value.value == model.uris["2"] and model.bundles["1"].digest in caught.value.allowed


def test_a_bundle_that_was_replaced_is_refused_by_its_predictor(place: Place) -> None:
    model = place(start_seconds=6)
    folder = model.fake.volume / model.bundles["2"].digest
    (model.fake.volume / model.bundles["1"].digest).rename(folder.with_suffix(".old"))
    for path in list(folder.iterdir()):
        path.unlink()
    for path in model.bundles["3"].folder.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    with pytest.raises(StateError, match="do not answer") as caught:
        model.deploy("2")
    assert "another bundle" in caught.value.value


def owned(model: Model, labels: dict[str, str], annotations: dict[str, str]) -> None:
    """The model's InferenceService as somebody else would have it."""
    kinds = model.fake.cluster.objects.kinds
    kind = kinds.find("serving.kserve.io", "v1beta1", "inferenceservices")

    def change(old: dict) -> dict:
        metadata = {
            **old["metadata"],
            "labels": {**old["metadata"]["labels"], **labels},
            "annotations": {**old["metadata"]["annotations"], **annotations},
        }
        return {**old, "metadata": metadata}

    model.fake.cluster.objects.change(kind, "serving", "cards", change)


@pytest.mark.parametrize(
    ("labels", "annotations", "owner"),
    [
        ({"app.kubernetes.io/instance": "prod"}, {}, "Argo CD"),
        ({}, {"argocd.argoproj.io/tracking-id": "prod:serving.kserve.io/InferenceService:a/b"}, "Argo CD"),
        ({"kustomize.toolkit.fluxcd.io/name": "prod"}, {}, "Flux"),
    ],
)
def test_what_git_owns_is_not_touched(place: Place, labels: dict, annotations: dict, owner: str) -> None:
    model = place()
    model.deploy("1")
    owned(model, labels, annotations)
    before = model.fake.service("cards")["spec"]
    with pytest.raises(StateError, match=f"managed by {owner}") as caught:
        model.deploy("2")
    assert "serving.gitops" in caught.value.remedy
    assert model.fake.service("cards")["spec"] == before


def test_a_service_that_minorkey_did_not_make_is_not_touched(place: Place) -> None:
    model = place()
    model.deploy("1")
    owned(model, {"app.kubernetes.io/managed-by": "somebody"}, {})
    with pytest.raises(StateError, match="did not make"):
        model.deploy("2")


def test_the_listed_rights_suffice_and_none_is_too_many(place: Place) -> None:
    model = place()
    site = Site.of(str(model.fake.cluster.kubeconfig), namespace="serving")
    proxy = [{"apiGroups": [""], "resources": ["pods/proxy"], "verbs": ["get", "create"]}]
    rules = [
        {"apiGroups": [group], "resources": [resource], "verbs": list(verbs)}
        for group, resource, verbs in RIGHTS
    ]
    site.account("deployer", proxy + rules)
    account = model.fake.cluster.token("serving", "deployer")
    kubeconfig = model.fake.cluster.kubeconfig_with(account, "deployer")
    model.deploy("1", kubeconfig=kubeconfig)
    assert model.deploy("2", kubeconfig=kubeconfig)["rollout"]["mode"] == "canary"

    site.account("reader", [rule for rule in rules if rule["resources"] != ["inferenceservices"]])
    reader = model.fake.cluster.kubeconfig_with(model.fake.cluster.token("serving", "reader"), "reader")
    with pytest.raises(StateError, match="refuses the deployment") as caught:
        model.deploy("3", kubeconfig=reader)
    assert "get, create, update, delete on inferenceservices" in caught.value.remedy


def test_within_the_cluster_pods_are_asked_without_the_proxy(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = place()
    site = Site.of(str(model.fake.cluster.kubeconfig), namespace="serving")
    rules = [
        {"apiGroups": [group], "resources": [resource], "verbs": list(verbs)}
        for group, resource, verbs in RIGHTS
    ]
    site.account("minorkey-deploy", rules)
    account = model.fake.cluster.token("serving", "minorkey-deploy")
    kubeconfig = model.fake.cluster.kubeconfig_with(account, "minorkey-deploy")
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(kubeconfig))
    monkeypatch.setattr("minorkey.deployment.kserve.target.in_cluster", lambda: True)
    model.deploy("1", kubeconfig=None)
    assert model.deploy("2", kubeconfig=None)["rollout"]["mode"] == "canary" and model.served() == "2"
    assert not [what for _, what in model.fake.cluster.calls if what == "pods/proxy"]


def test_an_account_that_does_not_exist(place: Place) -> None:
    model = place(service_account="nobody", start_seconds=3)
    with pytest.raises(StateError, match="do not answer") as caught:
        model.deploy("1")
    assert caught.value.value == "no pod was made" and model.leaves()


def test_an_api_that_stumbles_is_asked_again(place: Place) -> None:
    model = place()
    model.deploy("1")
    for fault in (Fault.ERROR, Fault.UNAVAILABLE, Fault.DROPPED, Fault.LOST_ANSWER):
        model.fake.cluster.faults.chance(fault, 0.02)
    with Customers(model).asking() as customers:
        model.deploy("2")
    model.fake.cluster.faults.clear()
    assert customers.failures == [] and (model.champion, model.served()) == ("2", "2")


def test_a_budget_keeps_predictors_when_nodes_are_drained(place: Place) -> None:
    model = place()
    model.deploy("1")
    store = model.fake.cluster.store
    (budget,) = store.contents(kind_of("poddisruptionbudgets"), "serving")
    assert budget["spec"]["maxUnavailable"] == 1
    (scaler,) = store.contents(kind_of("horizontalpodautoscalers"), "serving")
    assert (scaler["spec"]["minReplicas"], scaler["spec"]["maxReplicas"]) == (2, 10)
    assert scaler["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] == 70
