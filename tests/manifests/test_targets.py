"""How models get to KServe, by the deploy step or by Git: one of the two, with no more rights than needed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.manifests.built import MANIFESTS, Manifest, one

DIGEST = "sha256:" + "1" * 64


def services_with(folder: Path, *components: str) -> list[Manifest]:
    """The services of an environment with components.

    Raises:
        ValueError: kustomize refuses.
    """

    def below(place: str) -> str:
        return os.path.relpath(MANIFESTS / place, folder)

    content = {
        "namespace": "minorkey-try",
        "resources": [below("base/services")],
        "components": [below(f"components/{component}") for component in components],
        "images": [{"name": "minorkey-predictor", "newName": "registry.example/predictor", "digest": DIGEST}],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(content))
    kubectl = Path(sys.executable).parent / "kubectl"
    done = subprocess.run([kubectl, "kustomize", folder], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ValueError(done.stderr)
    text = done.stdout.replace("matchType: =\n", 'matchType: "="\n')
    return [made for made in yaml.load_all(text, yaml.CSafeLoader) if made]


def test_by_git_nobody_of_ours_may_change_what_serves(tmp_path: Path) -> None:
    manifests = services_with(tmp_path, "gitops/services")
    assert [made for made in manifests if made["kind"] in ("Role", "RoleBinding")] == []
    pod = one(manifests, "Deployment", "minorkey-trigger")["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    (container,) = pod["containers"]
    (folder,) = (one["value"] for one in container["env"] if one["name"] == "MINORKEY_GIT_CREDENTIALS")
    (volume,) = (one["name"] for one in container["volumeMounts"] if one["mountPath"] == folder)
    assert {"name": volume, "secret": {"secretName": "minorkey-git", "defaultMode": 0o440}} in pod["volumes"]
    runtime = one(manifests, "ServingRuntime", "minorkey")["spec"]["containers"][0]
    assert runtime["image"] == f"registry.example/predictor@{DIGEST}"


def test_by_the_deploy_step_the_trigger_may_go_back_too(tmp_path: Path) -> None:
    manifests = services_with(tmp_path, "kserve")
    (binding,) = (made for made in manifests if made["kind"] == "RoleBinding")
    assert {subject["name"] for subject in binding["subjects"]} == {"minorkey-deploy", "minorkey-trigger"}
    pod = one(manifests, "Deployment", "minorkey-trigger")["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is True


@pytest.mark.parametrize("component", ["kserve", "gitops/services"])
def test_either_way_predictors_have_an_account_a_closed_network_and_are_scraped(
    component: str, tmp_path: Path
) -> None:
    manifests = services_with(tmp_path, component)
    for kind in ("ServiceAccount", "NetworkPolicy", "PodMonitor"):
        assert one(manifests, kind, "minorkey-predictor")


def test_both_at_a_time_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="minorkey-predictor"):
        services_with(tmp_path, "kserve", "gitops/services")
