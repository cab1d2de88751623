"""Pipelines as Kubernetes objects in a kustomize component, for a server that keeps its pipelines there."""

import tempfile
from pathlib import Path
from typing import Any

import yaml
from kfp import compiler
from kfp.compiler.compiler_utils import KubernetesManifestOptions

from minorkey.aside import put_text
from minorkey.errors import StateError
from pipelines.versions import version_of

__all__ = ["write_component"]

_KUSTOMIZATION = "kustomization.yaml"
_WAVE = "argocd.argoproj.io/sync-wave"
#: A version is refused while its pipeline is not there; an old one stays, because schedules and runs name it.
_ANNOTATIONS = {
    "Pipeline": {_WAVE: "0"},
    "PipelineVersion": {_WAVE: "1", "argocd.argoproj.io/sync-options": "Prune=false"},
}


def write_component(out: Path, pipelines: dict[str, Any]) -> list[Path]:
    """Write a file for each pipeline and the kustomize component that lists them.

    A version cannot be changed, so each has the name that an upload would give it: the pipeline's, and the
    digest of what is compiled.

    Args:
        out: a folder that holds nothing but such a component.
        pipelines: as the compiler takes them, by name.

    Returns:
        The files.

    Raises:
        StateError: the folder holds something else.
    """
    named = {f"pipeline-{name}.yaml": pipeline for name, pipeline in pipelines.items()}
    foreign = sorted({path.name for path in out.iterdir()} - {_KUSTOMIZATION, *named})
    if foreign:
        raise StateError(
            "the folder holds something else than a component of pipelines",
            key=str(out),
            value=", ".join(foreign[:5]),
            allowed="a new or empty folder, or one that was written like this before",
            remedy="give another --out",
        )
    for file, (name, pipeline) in zip(named, pipelines.items(), strict=True):
        put_text(out / file, yaml.safe_dump_all(_manifests(name, pipeline), sort_keys=True))
    component = {
        "apiVersion": "kustomize.config.k8s.io/v1alpha1",
        "kind": "Component",
        "resources": list(named),
    }
    put_text(out / _KUSTOMIZATION, yaml.safe_dump(component, sort_keys=False))
    return [out / file for file in (_KUSTOMIZATION, *named)]


def _manifests(name: str, pipeline: Any) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        package, manifest = Path(folder, "package.yaml"), Path(folder, "manifest.yaml")
        compiler.Compiler().compile(pipeline, str(package))
        version = version_of(name, package)
        options = KubernetesManifestOptions(
            pipeline_name=name,
            pipeline_version_name=version,
            pipeline_version_display_name=version,
            include_pipeline_manifest=True,
        )
        compiler.Compiler().compile(
            pipeline,
            str(manifest),
            kubernetes_manifest_format=True,
            kubernetes_manifest_options=options,
        )
        documents: list[dict[str, Any]] = list(yaml.safe_load_all(manifest.read_text(encoding="utf-8")))
    for document in documents:
        document["metadata"]["annotations"] = dict(_ANNOTATIONS[document["kind"]])
    return documents
