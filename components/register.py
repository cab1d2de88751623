"""The register step as a component."""

from typing import NamedTuple

from kfp import dsl
from kfp.dsl import HTML, Artifact, Input, Markdown, Model

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def register(
    bundle: Input[Model],
    verdict: Input[Artifact],
    report: Input[HTML],
    card: Input[Markdown],
    study: Input[Artifact],
    model: str,
    run_key: str,
) -> NamedTuple("Registered", [("model_version", str), ("bundle_uri", str)]):  # type: ignore[valid-type]
    """Write the version to MLflow, copy the bundle to its digest's folder, set alias challenger.

    Args:
        bundle: the challenger.
        verdict: verdict.json.
        report: the report.
        card: the model card.
        study: study.json.
        model: name in the registry.
        run_key: identity of this run.

    Returns:
        model_version: the new version.
        bundle_uri: where the bundle lies for good.
    """
    from pathlib import Path

    from minorkey.steps import register as step

    registered = step.run(
        model=model,
        run_key=run_key,
        bundle_dir=Path(bundle.path),
        verdict_path=Path(verdict.path),
        report_path=Path(report.path),
        card_path=Path(card.path),
        study_path=Path(study.path),
    )
    return registered.model_version, registered.bundle_uri
