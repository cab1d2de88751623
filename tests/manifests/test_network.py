"""What may reach what: everything is closed, and each opening says for whom."""

import copy
import ipaddress

import pytest

from minorkey.cluster.spec import TrialPods, load_cluster_spec
from minorkey.trials.kubernetes.jobs import trial_job
from pipelines.placement import LABELS
from tests.manifests.built import MANIFESTS, Manifest, build, one, pods, selects

ENVIRONMENTS = ("dev", "prod")


def policies(manifests: list[Manifest], namespace: str) -> list[Manifest]:
    return [
        made
        for made in manifests
        if made["kind"] == "NetworkPolicy" and made["metadata"]["namespace"] == namespace
    ]


def namespaces(manifests: list[Manifest]) -> list[str]:
    return [made["metadata"]["name"] for made in manifests if made["kind"] == "Namespace"]


def covered(manifests: list[Manifest], namespace: str, labels: dict[str, str]) -> list[str]:
    """Policies beside the default that speak of a pod."""
    found = policies(manifests, namespace)
    return [
        made["metadata"]["name"]
        for made in found
        if made["spec"]["podSelector"] and selects(made["spec"]["podSelector"], labels)
    ]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_our_namespaces_are_closed_in_both_directions_and_know_names(environment: str) -> None:
    manifests = build(f"overlays/{environment}")
    for namespace in namespaces(manifests):
        deny, dns = (
            one(policies(manifests, namespace), "NetworkPolicy", name) for name in ("default-deny", "dns")
        )
        assert deny["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
        assert dns["spec"]["podSelector"] == {} and dns["spec"]["policyTypes"] == ["Egress"]
        (rule,) = dns["spec"]["egress"]
        assert {(port["protocol"], port["port"]) for port in rule["ports"]} == {("UDP", 53), ("TCP", 53)}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_each_pod_has_a_policy_of_its_own(environment: str) -> None:
    manifests = build(f"overlays/{environment}")
    alone = {
        owner["metadata"]["name"]
        for owner, template in pods(manifests)
        if not covered(manifests, owner["metadata"]["namespace"], template["metadata"]["labels"])
    }
    assert alone == set()


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_trials_as_minorkey_makes_them_are_covered_and_nobody_reaches_them(environment: str) -> None:
    manifests = build(f"overlays/{environment}")
    spec = load_cluster_spec(MANIFESTS / f"overlays/{environment}/cluster.yaml")
    job = trial_job(
        "mk-1", study="s", pods=TrialPods(), resource="cpu", namespace=spec.trial_namespace, image="i",
        root="s3://b/p", tasks=1, seconds=1, patience=1,
    )  # fmt: skip
    labels = job["spec"]["template"]["metadata"]["labels"]
    assert covered(manifests, spec.trial_namespace, labels) == ["minorkey-trials"]
    assert all("ingress" not in made["spec"] for made in policies(manifests, spec.trial_namespace))


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_steps_as_they_are_compiled_are_covered(environment: str) -> None:
    manifests = build(f"overlays/{environment}")
    spec = load_cluster_spec(MANIFESTS / f"overlays/{environment}/cluster.yaml")
    assert covered(manifests, spec.namespace, LABELS) == ["minorkey-steps"]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_no_pod_reaches_the_address_that_hands_out_a_machines_credentials(environment: str) -> None:
    metadata = [ipaddress.ip_address(text) for text in ("169.254.169.254", "fd00:ec2::254")]
    for made in build(f"overlays/{environment}"):
        for rule in made["spec"].get("egress", ()) if made["kind"] == "NetworkPolicy" else ():
            assert rule.get("to"), "an opening without addressee is one to everywhere"
            for block in (peer["ipBlock"] for peer in rule["to"] if "ipBlock" in peer):
                inside = [a for a in metadata if a in ipaddress.ip_network(block["cidr"])]
                closed = [ipaddress.ip_network(text) for text in block.get("except", ())]
                assert all(any(address in network for network in closed) for address in inside), block


def test_a_pod_without_a_policy_is_noticed() -> None:
    manifests = build("overlays/dev")
    trigger = copy.deepcopy(one(manifests, "Deployment", "minorkey-trigger"))
    labels = trigger["spec"]["template"]["metadata"]["labels"] | {"app.kubernetes.io/component": "other"}
    assert covered(manifests, trigger["metadata"]["namespace"], labels) == []
