"""Deploy: make the promoted version serve, verify its answers, and only then call it champion."""

import json
from pathlib import Path
from typing import Any

from minorkey.aside import put_text
from minorkey.bundle.bundle import Bundle
from minorkey.cluster.spec import ClusterSpec
from minorkey.deployment import Release, target_of
from minorkey.registry import fetch_bundle, note_target, require_champion
from minorkey.serving.verification import verify_in_process
from minorkey.spec import DeploySpec, parse_section
from minorkey.steps.step import step

__all__ = ["run"]

#: Targets where a rollback has to be told of the cluster.
_ON_CLUSTERS = ("kserve", "gitops")


@step
def run(
    *,
    model: str,
    deploy: str,
    model_version: str,
    bundle_uri: str,
    champion_version: str,
    deployment_path: Path,
    cluster: str = "",
) -> None:
    """Serve the version, verify it, and move the alias ``champion``.

    Args:
        model: name of the registered model.
        deploy: the `DeploySpec` as JSON text.
        model_version: the version to promote.
        bundle_uri: where its bundle lies.
        champion_version: the champion that it was compared with, "" for none.
        deployment_path: receives ``deployment.json``: url, pid, model, version, digest, verified.
        cluster: the ClusterSpec that was compiled in, as JSON; "": the run is on this machine.

    Raises:
        SpecError: the target is none that the pipeline was compiled for.
        BundleError: the bundle is altered, foreign or gone.
        StateError: the champion is another one by now, or the predictor does not start or answers
            otherwise than its bundle. What served before then serves again, at the same address.
    """
    spec = parse_section(DeploySpec, deploy)
    require_champion(model, model_version, expected=champion_version)
    bundle = Bundle.load(fetch_bundle(bundle_uri))
    content: dict[str, Any] = {"model": model, "version": model_version, "digest": bundle.digest}
    content |= {"target": spec.target, "verified": verify_in_process(bundle)}
    target = target_of(spec, ClusterSpec.model_validate_json(cluster) if cluster else None)
    content |= target.deploy(Release(model, model_version, bundle, bundle_uri, expected=champion_version))
    if spec.target in _ON_CLUSTERS:
        note_target(model, model_version, spec.target)
    put_text(deployment_path, json.dumps(content, indent=1))
