"""``minorkey compile``."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

__all__ = ["compile_command"]


def compile_command(
    *,
    out: Path = Path("pipelines/compiled"),
    image: str | None = None,
    cluster: Path | None = None,
    release: Annotated[bool, Parameter(negative="")] = False,
    kubernetes_native: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Write the pipelines as YAML for Kubeflow Pipelines.

    Example: `minorkey compile --cluster cluster.yaml --image registry.example/minorkey@sha256:...`

    Parameters
    ----------
    out
        Folder for the files, one for each pipeline.
    image
        Image that the steps run in, best by digest. Default: the cluster specification's; without one, the
        placeholder of the committed files.
    cluster
        Cluster specification: resources, stores and identities that are baked in.
    release
        Refuse an image that is not named by digest.
    kubernetes_native
        Write manifests of Pipeline and PipelineVersion, and a kustomize component that lists them, for a
        Kubeflow Pipelines that keeps its pipelines in Kubernetes. Give them a folder of their own.
    """
    from minorkey.cli.run import entry_point
    from minorkey.cluster.spec import load_cluster_spec

    spec = None if cluster is None else load_cluster_spec(cluster)
    for path in entry_point("compile")(
        out, image, spec, release=release, kubernetes_native=kubernetes_native
    ):
        print(path)
