"""What lies in Git can be applied: both overlays, server-side, as Argo CD does it."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from minorkey.cluster.spec import load_cluster_spec
from minorkey.trials.kubernetes.jobs import trial_job
from tests.cluster.overlay import Overlay, overlay_in
from tests.kubernetes.site import Site, refused
from tests.manifests.built import MANIFESTS, build, one, pods

pytestmark = pytest.mark.cluster

ENVIRONMENTS = ("dev", "prod")
#: Objects of kinds that a cluster may lack, by environment.
CUSTOM = [
    (environment, made["kind"], made["metadata"]["name"])
    for environment in ENVIRONMENTS
    for made in build(f"overlays/{environment}")
    if made["apiVersion"].partition("/")[0]
    in ("kueue.x-k8s.io", "monitoring.coreos.com", "serving.kserve.io")
]


@pytest.fixture(scope="module", params=ENVIRONMENTS)
def overlay(site: Site, request: pytest.FixtureRequest) -> Iterator[Overlay]:
    with overlay_in(site, request.param) as made:
        for manifest in made.known():
            made.apply(manifest)
        yield made


def test_applying_again_changes_nothing(overlay: Overlay) -> None:
    """Every object that the cluster knows the kind of, once more."""
    for manifest in overlay.known():
        first, again = _ours(overlay.apply(manifest)), _ours(overlay.apply(manifest))
        assert first == again


def is_fake(site: Site) -> bool:
    version = site.api.call_api(
        "/version", "GET", response_type="object", auth_settings=["BearerToken"], _return_http_data_only=True
    )
    return "fake" in version["gitVersion"]


def _ours(made: dict[str, Any]) -> dict[str, Any]:
    metadata = {
        key: made["metadata"].get(key) for key in ("name", "namespace", "labels", "annotations", "uid")
    }
    return {**{key: part for key, part in made.items() if key != "status"}, "metadata": metadata}


def test_admission_lets_every_pod_in(overlay: Overlay) -> None:
    """Pod Security, quota, limits and accounts, by a pod of each template with dryRun."""
    overlay.site.wait(
        lambda: all(
            Site(overlay.site.api, name).has_account("default") for name in overlay.namespaces.values()
        )
    )
    for owner, template in pods(overlay.manifests):
        name = f"{owner['metadata']['name']}-try"
        pod = {**copy.deepcopy(template), "apiVersion": "v1", "kind": "Pod"}
        pod["metadata"]["name"] = name
        # A StatefulSet's controller adds the claims.
        for claim in owner["spec"].get("volumeClaimTemplates", ()):
            source = {"claimName": claim["metadata"]["name"]}
            pod["spec"]["volumes"].append({"name": source["claimName"], "persistentVolumeClaim": source})
        made = overlay.site.core.create_namespaced_pod(owner["metadata"]["namespace"], pod, dry_run="All")
        assert made.metadata.name == name


def test_trial_jobs_are_held_to_our_image_and_account(overlay: Overlay) -> None:
    """The admission policy, on a Job as the driver makes it and on one with another image."""
    spec = load_cluster_spec(MANIFESTS / f"overlays/{overlay.environment}/cluster.yaml")
    namespace = overlay.namespaces[spec.trial_namespace]
    job = trial_job(
        "mk-try", study="s", pods=spec.trials, resource="cpu", namespace=namespace, tasks=1, seconds=60,
        image=str(spec.trials.image or spec.image), root=spec.stores.study_root, patience=600,
    )  # fmt: skip
    overlay.site.batch.create_namespaced_job(namespace, job, dry_run="All")
    foreign = copy.deepcopy(job)
    foreign["spec"]["template"]["spec"]["containers"][0]["image"] = "registry.example/foreign"
    if is_fake(overlay.site):
        pytest.skip("the admission policy is evaluated by tests/manifests: this cluster is a fake")
    create = overlay.site.batch.create_namespaced_job
    # A policy takes a moment until it holds.
    told = overlay.site.wait(lambda: _refusal(create, namespace, foreign))
    assert "minorkey-trial-images" in told


def _refusal(create: Callable[..., Any], namespace: str, job: dict) -> str:
    try:
        return str(refused(403, create, namespace, job, dry_run="All")["message"])
    except AssertionError:
        return ""


@pytest.mark.parametrize(("overlay", "kind", "name"), CUSTOM, indirect=["overlay"])
def test_an_object_of_a_kind_that_a_cluster_may_lack(overlay: Overlay, kind: str, name: str) -> None:
    """Skipped by name where the CustomResourceDefinition is missing."""
    manifest = one(overlay.manifests, kind, overlay.namespaces.get(name, name))
    if not overlay.served(manifest):
        pytest.skip(
            f"{kind} {name} is not applied: the cluster does not know {manifest['apiVersion']} {kind}"
        )
    assert overlay.apply(manifest)["metadata"]["name"] == manifest["metadata"]["name"]
