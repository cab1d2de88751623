"""The deploy step as a component."""

from kfp import dsl
from kfp.dsl import Artifact, Output

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def deploy(
    deployment: Output[Artifact],
    model: str,
    deploy_section: str,
    model_version: str,
    bundle_uri: str,
    champion_version: str,
    cluster: str,
):
    """Make the version serve, verify it, and only then move alias champion.

    Args:
        deployment: deployment.json: where it serves.
        model: name in the registry.
        deploy_section: the specification's deploy section, as JSON.
        model_version: the version that is to serve.
        bundle_uri: where its bundle lies.
        champion_version: the version that it was compared with; a newer champion is never overwritten.
        cluster: the ClusterSpec that was compiled in, as JSON; empty: the run is on this machine.
    """
    from pathlib import Path

    from minorkey.steps import deploy as step

    step.run(
        model=model,
        deploy=deploy_section,
        model_version=model_version,
        bundle_uri=bundle_uri,
        champion_version=champion_version,
        deployment_path=Path(deployment.path),
        cluster=cluster,
    )
