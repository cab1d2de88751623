"""What the admission policies let in of what a model's folder brings: predictors, and `minorkey confirm`."""

import copy
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from minorkey.cluster.serving import KServeServing
from minorkey.cluster.spec import ClusterSpec
from minorkey.deployment.gitops.folder import model_folder
from minorkey.deployment.target import Release
from tests.manifests.admission import refusals
from tests.manifests.built import MANIFESTS, Manifest, one, wave
from tests.manifests.schemas import complaints
from tests.serving.bundles import small_bundle

ARGO_CD = "system:serviceaccount:argocd:argocd-application-controller"
DIGEST = "sha256:" + "1" * 64
CLUSTER = ClusterSpec.model_validate(
    {
        "namespace": "try-runs",
        "image": f"registry.example/pipeline@{DIGEST}",
        "stores": {
            "study_root": "s3://m/studies",
            "bundle_root": "s3://m/bundles",
            "tracking_uri": "https://mlflow.example.org",
            "artifact_secret": "minorkey-artifacts",
            "tracking_secret": "minorkey-tracking",
        },
        "serving": {
            "namespace": "try",
            "gitops": {
                "repository": "https://git.example/models.git",
                "predictor": {"image": f"registry.example/predictor@{DIGEST}"},
            },
        },
    }
)
IMAGES = {"minorkey-pipeline": "pipeline", "minorkey-predictor": "predictor"}


@pytest.fixture(scope="module")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    """An environment whose models ship by Git, as the how-to has it."""
    folder = tmp_path_factory.mktemp("overlay")

    def write(part: str, **content: Any) -> None:
        (folder / part).mkdir(exist_ok=True)
        for kind in ("resources", "components"):
            content[kind] = [
                os.path.relpath(MANIFESTS / place, folder / part) if "/" in place else place
                for place in content.get(kind, [])
            ]
        (folder / part / "kustomization.yaml").write_text(yaml.safe_dump(content))

    environment = {
        "name": "minorkey-environment",
        "behavior": "merge",
        "literals": ["MLFLOW_TRACKING_URI=https://mlflow.example.org", "MINORKEY_BUNDLE_ROOT=s3://m/bundles"],
    }
    write(
        "services",
        namespace="try",
        resources=["base/services"],
        components=["components/gitops/services"],
        configMapGenerator=[environment],
    )
    write("steps", namespace="try-runs", resources=["base/steps"], components=["components/gitops/steps"])
    write("trials", namespace="try-trials", resources=["base/trials"])
    write(
        ".",
        resources=["base/policy", "services", "steps", "trials"],
        components=["components/gitops/policy", "base/wiring"],
        images=[
            {"name": name, "newName": f"registry.example/{image}", "digest": DIGEST}
            for name, image in IMAGES.items()
        ],
        replacements=yaml.safe_load(snippet()),
    )
    kubectl = Path(sys.executable).parent / "kubectl"
    done = subprocess.run([kubectl, "kustomize", folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    text = done.stdout.replace("matchType: =\n", 'matchType: "="\n')
    return [made for made in yaml.load_all(text, yaml.CSafeLoader) if made]


def snippet() -> str:
    """What the how-to has an overlay add to its replacements."""
    page = (MANIFESTS.parent / "docs/how-to/ship-by-git.md").read_text(encoding="utf-8")
    _, _, rest = page.partition("   replacements:\n")
    lines = []
    for line in rest.splitlines():
        if line.strip() == "```":
            break
        lines.append(line.removeprefix("   "))
    return "\n".join(lines)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Manifest]:
    """What the first commit of a model writes, by kind."""
    bundle = small_bundle(tmp_path_factory.mktemp("bundle") / "b")
    serving = CLUSTER.serving.gitops.predictor if CLUSTER.serving and CLUSTER.serving.gitops else None
    assert isinstance(serving, KServeServing)
    files = model_folder(CLUSTER, serving, Release("cards", "7", bundle, f"s3://m/{bundle.digest}", ""))
    made = [yaml.safe_load(text) for name, text in files.items() if name != "kustomization.yaml"]
    return {one["kind"]: one for one in made}


def verdict(manifests: list[Manifest], made: Manifest, user: str = ARGO_CD) -> list[str]:
    name = {"Job": "try-confirm", "InferenceService": "try-models"}[made["kind"]]
    return refusals(manifests, name, made, user=user)


@pytest.mark.parametrize("kind", ["Job", "InferenceService"])
def test_what_the_first_commit_writes_passes(
    manifests: list[Manifest], folder: dict[str, Manifest], kind: str
) -> None:
    assert verdict(manifests, folder[kind]) == []


def container(change: Callable[[Manifest], Any]) -> Callable[[Manifest], Any]:
    return lambda spec: change(spec["containers"][0])


EVIL = {"name": "b", "image": "evil.example/b"}
SECRET = {"name": "AWS_REGION", "valueFrom": {"secretKeyRef": {"name": "minorkey-git", "key": "password"}}}


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (container(lambda it: it.update(image="evil.example/miner")), "only the images"),
        (container(lambda it: it.pop("image")), "only the images"),
        (container(lambda it: it.update(command=["sh", "-c", "env"])), "nothing but"),
        (container(lambda it: it.update(args=["python", "-c", "print()"])), "nothing but"),
        (container(lambda it: it.pop("args")), "nothing but"),
        (container(lambda it: it.update(workingDir="/bundles")), "nothing but"),
        (container(lambda it: it.update(lifecycle={"postStart": {"exec": {}}})), "nothing but"),
        (container(lambda it: it.update(livenessProbe={"exec": {"command": ["sh"]}})), "nothing but"),
        (lambda spec: spec.update(initContainers=[EVIL]), "nothing but"),
        (lambda spec: spec.update(serviceAccountName="minorkey-tune"), "ServiceAccount"),
        (lambda spec: spec.pop("serviceAccountName"), "ServiceAccount"),
        (lambda spec: spec.update(automountServiceAccountToken=True), "ServiceAccount"),
        (lambda spec: spec.pop("automountServiceAccountToken"), "ServiceAccount"),
        (lambda spec: spec["volumes"].append({"name": "x", "secret": {"secretName": "x"}}), "from Secrets"),
        (lambda spec: spec["volumes"].append({"name": "x", "projected": {"sources": []}}), "from Secrets"),
        (lambda spec: spec["volumes"].append({"name": "x", "hostPath": {"path": "/"}}), "from Secrets"),
        (container(lambda it: it.update(envFrom=[{"secretRef": {"name": "x"}}])), "from Secrets"),
        (container(lambda it: it["env"].append(SECRET)), "from Secrets"),
        (
            container(lambda it: it["env"].append({"name": "PYTHONPATH", "value": "/bundles"})),
            "names the stores",
        ),
        (
            container(lambda it: it["env"].append({"name": "MLFLOW_TRACKING_URI", "value": "https://evil"})),
            "names the stores",
        ),
    ],
)
def test_a_job_that_is_more_than_the_check_is_refused(
    manifests: list[Manifest], folder: dict[str, Manifest], change: Callable[[Manifest], Any], word: str
) -> None:
    job = copy.deepcopy(folder["Job"])
    change(job["spec"]["template"]["spec"])
    (told,) = verdict(manifests, job)
    assert word in told


def test_a_second_container_is_refused(manifests: list[Manifest], folder: dict[str, Manifest]) -> None:
    job = copy.deepcopy(folder["Job"])
    job["spec"]["template"]["spec"]["containers"].append(EVIL)
    assert len(verdict(manifests, job)) == 2


def model(change: Callable[[Manifest], Any]) -> Callable[[Manifest], Any]:
    return lambda spec: change(spec["predictor"]["model"])


def predictor(change: Callable[[Manifest], Any]) -> Callable[[Manifest], Any]:
    return lambda spec: change(spec["predictor"])


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (model(lambda it: it.update(image="evil.example/miner")), "only the images"),
        (model(lambda it: it.pop("image")), "only the images"),
        (model(lambda it: it.update(runtime="another")), "only the images"),
        (model(lambda it: it.update(command=["sh"])), "only the images"),
        (predictor(lambda it: it.update(containers=[EVIL])), "only container"),
        (predictor(lambda it: it.update(initContainers=[EVIL])), "only container"),
        (lambda spec: spec.update(transformer={"containers": [EVIL]}), "only container"),
        (lambda spec: spec.update(canary=[{"trafficPercent": 1, "predictor": {}}]), "only container"),
        (predictor(lambda it: it.update(serviceAccountName="minorkey-trigger")), "ServiceAccount"),
        (predictor(lambda it: it.pop("serviceAccountName")), "ServiceAccount"),
        (predictor(lambda it: it.update(automountServiceAccountToken=True)), "ServiceAccount"),
        (predictor(lambda it: it["volumes"].append({"name": "x", "secret": {}})), "from Secrets"),
        (model(lambda it: it.update(envFrom=[{"secretRef": {"name": "x"}}])), "from Secrets"),
        (model(lambda it: it["env"].append(SECRET)), "from Secrets"),
    ],
)
def test_an_inference_service_that_is_more_than_a_predictor_is_refused(
    manifests: list[Manifest], folder: dict[str, Manifest], change: Callable[[Manifest], Any], word: str
) -> None:
    service = copy.deepcopy(folder["InferenceService"])
    change(service["spec"])
    (told,) = verdict(manifests, service)
    assert word in told


@pytest.mark.parametrize("kind", ["Job", "InferenceService"])
def test_what_others_make_is_none_of_its_business(
    manifests: list[Manifest], folder: dict[str, Manifest], kind: str
) -> None:
    made = copy.deepcopy(folder[kind])
    made["spec"] = {"template": {"spec": {"containers": [EVIL]}}, "predictor": {"containers": [EVIL]}}
    assert verdict(manifests, made) != []
    assert verdict(manifests, made, user="system:serviceaccount:kubeflow:katib-controller") == []


def test_the_image_of_the_release_before_may_be_permitted_too(
    manifests: list[Manifest], folder: dict[str, Manifest]
) -> None:
    changed = copy.deepcopy(manifests)
    one(changed, "ConfigMap", "minorkey-confirm")["data"]["image-before"] = "registry.example/pipeline:before"
    job = copy.deepcopy(folder["Job"])
    job["spec"]["template"]["spec"]["containers"][0]["image"] = "registry.example/pipeline:before"
    assert len(verdict(manifests, job)) == 1 and verdict(changed, job) == []


@pytest.mark.parametrize(
    ("name", "namespace"), [("minorkey-confirm", "try-runs"), ("minorkey-models", "try")]
)
def test_policies_hold_where_the_folder_puts_its_objects(
    manifests: list[Manifest], name: str, namespace: str
) -> None:
    cluster_wide = f"try{name.removeprefix('minorkey')}"
    policy = one(manifests, "ValidatingAdmissionPolicy", cluster_wide)
    binding = one(manifests, "ValidatingAdmissionPolicyBinding", cluster_wide)
    images = one(manifests, "ConfigMap", name)
    for made in (policy, binding, images):
        assert complaints(made) == [] and wave(made) == -1
    assert policy["spec"]["failurePolicy"] == "Fail"
    assert binding["spec"]["policyName"] == cluster_wide
    assert binding["spec"]["validationActions"] == ["Deny", "Audit"]
    assert binding["spec"]["paramRef"] == {"name": name, "parameterNotFoundAction": "Deny"}
    assert binding["spec"]["matchResources"]["namespaceSelector"]["matchLabels"] == {
        "kubernetes.io/metadata.name": namespace
    }
    assert images["metadata"]["namespace"] == namespace
