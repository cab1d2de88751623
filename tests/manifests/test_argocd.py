"""What Argo CD is told fits its own definitions, and names what is there."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.manifests.built import MANIFESTS, Manifest, build, one

DEFINITIONS = Path(__file__).parent / "definitions"


@pytest.fixture
def definitions() -> None:
    """Skips where Argo CD's definitions are not installed; in CI, which installs them, that is a failure."""
    if shutil.which("node") and (DEFINITIONS / "node_modules").is_dir():
        return
    told = "Argo CD's definitions are missing: make definitions (Node.js and npm)"
    if os.environ.get("CI") == "true":
        pytest.fail(told)
    pytest.skip(told)


def complaints(manifests: list[Manifest]) -> list[str | None]:
    done = subprocess.run(
        ["node", "validate.mjs"],
        cwd=DEFINITIONS,
        input=json.dumps(manifests),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return json.loads(done.stdout)


def test_every_object_fits_its_definition_and_a_fault_is_found(definitions: None) -> None:
    good, bad = build("argocd"), build("argocd")
    one(bad, "ApplicationSet", "minorkey")["spec"]["template"]["spec"].pop("project")
    one(bad, "AppProject", "minorkey")["spec"]["destinations"] = "everywhere"
    found = complaints([*good, *bad])
    assert found[: len(good)] == [None] * len(good)
    assert sorted(told for told in found[len(good) :] if told) == [
        "data/spec/destinations must be array",
        "data/spec/template/spec must have required property project",
    ]


def test_each_environment_is_an_overlay_within_the_project() -> None:
    spec = one(build("argocd"), "ApplicationSet", "minorkey")["spec"]
    project = one(build("argocd"), "AppProject", "minorkey")["spec"]
    environments = [element["environment"] for element in spec["generators"][0]["list"]["elements"]]
    assert spec["template"]["spec"]["source"]["repoURL"] in project["sourceRepos"]
    allowed = {(kind["group"], kind["kind"]) for kind in project["clusterResourceWhitelist"]}
    for environment in environments:
        path = spec["template"]["spec"]["source"]["path"].replace("{{.environment}}", environment)
        assert (MANIFESTS.parent / path / "kustomization.yaml").is_file()
        for made in build(f"overlays/{environment}"):
            namespace = made["metadata"].get("namespace")
            group = made["apiVersion"].rpartition("/")[0]
            if namespace is None:
                assert (group, made["kind"]) in allowed
            else:
                assert namespace == "kubeflow" or namespace.startswith("minorkey-")
    assert {"ServerSideApply=true"} <= set(spec["template"]["spec"]["syncPolicy"]["syncOptions"])
