"""Compile every pipeline to the YAML that Kubeflow Pipelines takes."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kfp import compiler

from components.image import IMAGE
from minorkey.cluster.spec import ClusterSpec
from minorkey.errors import SpecError
from pipelines import adjust, tune
from pipelines.manifests import write_component

__all__ = ["PIPELINES", "compile_pipelines", "require_digest"]

#: How each pipeline is built for an image and a cluster.
PIPELINES: dict[str, Callable[[str, ClusterSpec | None], Any]] = {
    "tune": tune.build,
    "adjust": adjust.build,
}

_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")


def compile_pipelines(
    out: Path,
    image: str | None = None,
    cluster: ClusterSpec | None = None,
    *,
    release: bool = False,
    kubernetes_native: bool = False,
) -> list[Path]:
    """Write one YAML file a pipeline.

    Args:
        out: the folder.
        image: the image that the steps run in, best by digest. Default: the cluster's, else the
            placeholder of the committed files.
        cluster: resources, stores and identities to bake in.
        release: refuse images that a later push could change.
        kubernetes_native: write manifests of `Pipeline` and `PipelineVersion` and the kustomize component
            that lists them.

    Returns:
        The files written.

    Raises:
        SpecError: a cluster without an image, or a release with a mutable one.
    """
    chosen = image or (cluster.image if cluster else IMAGE)
    if chosen is None:
        raise SpecError(
            "a pipeline for a cluster needs an image",
            key="image",
            allowed="an image that the cluster's nodes can pull, best by digest",
            remedy="add --image, or image in the cluster specification",
        )
    if release:
        require_digest(chosen, key="image")
        if cluster and cluster.trials.image:
            require_digest(cluster.trials.image, key="trials.image")
        if cluster and cluster.serving.kserve:
            require_digest(cluster.serving.kserve.image, key="serving.kserve.image")
        if cluster and cluster.serving.gitops and cluster.serving.gitops.predictor:
            require_digest(cluster.serving.gitops.predictor.image, key="serving.gitops.predictor.image")
    out.mkdir(parents=True, exist_ok=True)
    built = {name: build(chosen, cluster) for name, build in PIPELINES.items()}
    if kubernetes_native:
        return write_component(out, built)
    written = []
    for name, pipeline in built.items():
        path, aside = out / f"{name}.yaml", out / f".{name}.partial.yaml"
        compiler.Compiler().compile(pipeline, str(aside))
        written.append(aside.replace(path))
    return written


def require_digest(image: str, *, key: str) -> None:
    """Refuse an image that is named by a tag: what it means can change after the release.

    Raises:
        SpecError: the image is not named by digest.
    """
    if not _DIGEST.search(image):
        raise SpecError(
            "a release names its image by digest",
            key=key,
            value=image,
            allowed="NAME@sha256:<64 hexadecimal digits>",
            remedy="push the image and take the digest that the registry gives it",
        )
