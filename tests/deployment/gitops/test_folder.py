"""What a model's first commit writes: built by kubectl, held against the kinds' schemas and Pod Security."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from minorkey.bundle.bundle import Bundle
from minorkey.cluster.serving import KServeServing
from minorkey.cluster.spec import ClusterSpec
from minorkey.deployment.gitops.folder import confirm_job, model_folder
from minorkey.deployment.gitops.owned import Shipped, shipped, with_release
from minorkey.deployment.kserve.manifests import inference_service, serving_runtime
from minorkey.deployment.target import Release
from minorkey.errors import SpecError, StateError
from tests.manifests.built import MANIFESTS, build, one, selects
from tests.manifests.faults import faults
from tests.manifests.schemas import complaints
from tests.serving.bundles import small_bundle

KUBECTL = Path(sys.executable).parent / "kubectl"
SERVING = KServeServing(image="registry.example/minorkey-predictor@sha256:" + "1" * 64)


def cluster(**more: Any) -> ClusterSpec:
    return ClusterSpec(
        **{
            "namespace": "minorkey-prod-runs",
            "image": "registry.example/minorkey-pipeline@sha256:" + "0" * 64,
            "stores": {
                "study_root": "s3://m/studies",
                "bundle_root": "s3://m/bundles",
                "tracking_uri": "https://mlflow.example.org",
                "artifact_secret": "minorkey-artifacts",
                "tracking_secret": "minorkey-tracking",
            },
            "serving": {
                "namespace": "minorkey-prod",
                "gitops": {"repository": "https://git.example/models.git", "predictor": SERVING.model_dump()},
            },
            **more,
        }
    )


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return small_bundle(tmp_path_factory.mktemp("bundle") / "b")


def release(bundle: Bundle, uri: str = "") -> Release:
    return Release("cards", "7", bundle, uri or f"s3://m/bundles/{bundle.digest}", "")


def built(folder: Path, files: dict[str, str]) -> dict[str, dict[str, Any]]:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    done = subprocess.run([KUBECTL, "kustomize", folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return {made["kind"]: made for made in yaml.safe_load_all(done.stdout)}


def test_the_folder_builds_and_the_job_is_told_what_the_service_is(bundle: Bundle, tmp_path: Path) -> None:
    files = model_folder(cluster(), SERVING, release(bundle))
    file = files["inferenceservice.yaml"]
    assert shipped(file, "f") == Shipped(f"s3://m/bundles/{bundle.digest}", bundle.digest, "7")
    made = built(tmp_path / "cards", files)
    assert set(made) == {"InferenceService", "Job", "PodDisruptionBudget"}
    job = made["Job"]["spec"]["template"]["spec"]["containers"][0]
    assert {"name": "DIGEST", "value": bundle.digest} in job["env"]
    assert "http://cards-predictor.minorkey-prod.svc" in job["args"]
    assert made["Job"]["metadata"]["annotations"]["argocd.argoproj.io/hook"] == "PostSync"

    later = with_release(file, Shipped("s3://m/bundles/d2", "d2", "8"), "f")
    made = built(tmp_path / "cards", {"inferenceservice.yaml": later})
    job = made["Job"]["spec"]["template"]["spec"]["containers"][0]
    assert {"name": "DIGEST", "value": "d2"} in job["env"]


def test_version_and_digest_stand_in_one_place_each(bundle: Bundle) -> None:
    text = model_folder(cluster(), SERVING, release(bundle))["inferenceservice.yaml"]
    predictor = yaml.safe_load(text)["spec"]["predictor"]
    assert text.count(bundle.digest) == 2  # the bundle's place, and the annotation
    assert text.count("'7'") == 1
    assert "name" not in predictor
    model = predictor["model"]
    assert "cards@$(BUNDLE_VERSION)" in model["args"]
    assert "$(BUNDLE_DIGEST)" in model["args"]
    fields = {one["name"]: one["valueFrom"]["fieldRef"]["fieldPath"] for one in model["env"]}
    assert fields == {
        "BUNDLE_VERSION": "metadata.labels['minorkey.io/version']",
        "BUNDLE_DIGEST": "metadata.annotations['minorkey.io/digest']",
    }


@pytest.mark.parametrize("volume", [False, True])
def test_objects_fit_their_kinds_and_pods_are_restricted(
    bundle: Bundle, tmp_path: Path, volume: bool
) -> None:
    where, uri = cluster(), ""
    if volume:
        stores = where.stores.model_dump() | {"bundle_root": "/bundles/prod", "bundle_volume": "bundles"}
        where, uri = cluster(stores=stores), f"/bundles/prod/{bundle.digest}"
    files = model_folder(where, SERVING, release(bundle, uri))
    made = built(tmp_path / "cards", files)
    for kind in ("Job", "PodDisruptionBudget"):
        assert complaints(made[kind]) == []
    job = made["Job"]
    assert faults(job, job["spec"]["template"], []) == []
    assert job["metadata"]["namespace"] == "minorkey-prod-runs"
    assert made["InferenceService"]["metadata"]["namespace"] == "minorkey-prod"
    if volume:
        assert (
            shipped(files["inferenceservice.yaml"], "f").bundle_uri == f"pvc://bundles/prod/{bundle.digest}"
        )


def test_what_the_cluster_cannot_run_or_read_is_refused(bundle: Bundle) -> None:
    with pytest.raises(SpecError, match="no image"):
        model_folder(cluster(image=None), SERVING, release(bundle))
    with pytest.raises(StateError, match="cannot read the bundle"):
        model_folder(cluster(), SERVING, release(bundle, "/home/me/bundles/x"))


def test_the_components_fit_what_the_folder_needs(tmp_path: Path) -> None:
    components = MANIFESTS / "components" / "gitops"
    steps = os.path.relpath(components / "steps", tmp_path / "x")
    made = built(tmp_path / "x", {"kustomization.yaml": f"kind: Kustomization\ncomponents: [{steps}]\n"})
    policy = made["NetworkPolicy"]
    assert complaints(policy) == []
    job = confirm_job(cluster(), "cards")
    assert selects(policy["spec"]["podSelector"], job["spec"]["template"]["metadata"]["labels"])
    service = inference_service("cards", "7", "d", "s3://m/d", SERVING, "minorkey-prod")
    labels = service["spec"]["predictor"]["labels"]
    peers = [peer for rule in policy["spec"]["egress"] for peer in rule["to"] if "podSelector" in peer]
    assert any(selects(peer["podSelector"], labels) for peer in peers)

    runtime = yaml.safe_load((components / "services" / "serving-runtime.yaml").read_text())
    runtime["metadata"]["namespace"] = "minorkey-prod"
    wanted = SERVING.model_copy(update={"image": "minorkey-predictor"})
    assert runtime == serving_runtime(wanted, "minorkey-prod")


def test_argo_cd_may_apply_what_the_folder_holds(bundle: Bundle, tmp_path: Path) -> None:
    project = one(build("argocd/models"), "AppProject", "minorkey-models")
    allowed = {(each["group"], each["kind"]) for each in project["spec"]["namespaceResourceWhitelist"]}
    made = built(tmp_path / "cards", model_folder(cluster(), SERVING, release(bundle)))
    assert {(each["apiVersion"].partition("/")[0], kind) for kind, each in made.items()} == allowed
