"""The pipelines as Kubernetes objects, as kubectl builds them into an overlay."""

import subprocess
import sys
from pathlib import Path

import yaml

from minorkey.cluster.spec import load_cluster_spec
from pipelines.compiling import compile_pipelines
from tests.manifests.built import MANIFESTS


def test_an_overlay_takes_the_component_that_compile_writes(tmp_path: Path) -> None:
    cluster = load_cluster_spec(MANIFESTS / "overlays/prod/cluster.yaml")
    compile_pipelines(tmp_path / "pipelines", cluster=cluster, kubernetes_native=True)
    overlay = {"namespace": "minorkey-prod-runs", "components": ["pipelines"]}
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(overlay))
    kubectl = Path(sys.executable).parent / "kubectl"
    done = subprocess.run([kubectl, "kustomize", tmp_path], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    built = {(one["kind"], one["metadata"]["name"]): one for one in yaml.safe_load_all(done.stdout)}
    assert {one["metadata"]["namespace"] for one in built.values()} == {"minorkey-prod-runs"}
    versions = [one for (kind, _), one in built.items() if kind == "PipelineVersion"]
    assert sorted(one["spec"]["pipelineName"] for one in versions) == ["adjust", "tune"]
    for version in versions:
        pipeline = built["Pipeline", version["spec"]["pipelineName"]]
        waves = [
            one["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"] for one in (pipeline, version)
        ]
        assert waves == ["0", "1"] and version["spec"]["platformSpec"]
