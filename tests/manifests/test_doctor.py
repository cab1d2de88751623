"""The doctor on a cluster to which an overlay was applied misses the Secrets, and nothing else of ours."""

import pytest
from kubernetes import config

from minorkey.cluster.doctor import cluster_findings
from minorkey.cluster.spec import load_cluster_spec
from tests.cluster.applying import apply
from tests.kubernetes.fake import FakeCluster, Node
from tests.kubernetes.fake.kinds import BUILT_IN
from tests.manifests.built import MANIFESTS, build, wave

NODES = (
    Node(cpu="64", memory="256Gi"),
    Node("gpu-1", cpu="64", memory="256Gi", gpus=8, labels={"accelerator": "nvidia"}, taints=(
        {"key": "nvidia.com/gpu", "effect": "NoSchedule"},)),
)  # fmt: skip
PLURALS = {kind.name: kind.plural for kind in BUILT_IN}
#: What an overlay brings.
OURS = {"namespace", "nodes", "permissions", "quota", "serviceaccount"}
SECRETS = {"minorkey-artifacts", "minorkey-database", "minorkey-study", "minorkey-tracking"}


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_it_misses_nothing_but_secrets_and_foreign_definitions(environment: str) -> None:
    spec = load_cluster_spec(MANIFESTS / f"overlays/{environment}/cluster.yaml")
    with FakeCluster(nodes=NODES) as cluster:
        cluster.add_namespace(spec.namespace)
        api = config.new_client_from_config(str(cluster.kubeconfig))
        for made in sorted(build(f"overlays/{environment}"), key=wave):
            if made["kind"] in PLURALS and made["kind"] != "Job":
                apply(api, made, "git", plural=PLURALS[made["kind"]])
        found = list(cluster_findings(spec, kubeconfig=cluster.kubeconfig))
    troubles = [one for one in found if one.status == "problem"]
    ours = [
        one
        for one in troubles
        if one.check in ("namespace", "serviceaccount", "quota", "nodes", "permissions")
    ]
    assert ours == []
    secrets = {one.text.split()[4] for one in troubles if one.check == "secret" and "there is no" in one.text}
    assert secrets == SECRETS
    assert all(one.remedy for one in troubles)
