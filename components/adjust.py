"""The adjust step as a component."""

from kfp import dsl
from kfp.dsl import HTML, Artifact, Dataset, Input, Markdown, Model, Output

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def adjust(
    data: Input[Dataset],
    bundle: Output[Model],
    study: Output[Artifact],
    verdict: Output[Artifact],
    report: Output[HTML],
    card: Output[Markdown],
    summary: Output[Markdown],
    model: str,
    evaluate_section: str,
    seed: int,
    run_key: str,
    champion_version: str,
) -> str:
    """Find the cheapest fix for the champion on fresh labelled rows, and prove it on later ones.

    Args:
        data: rows with mature labels.
        bundle: the champion with another calibration and threshold, if that is what it needs.
        study: the account of the fit.
        verdict: verdict.json: diagnosis, evidence, proof, metrics with intervals, decision and reason.
        report: the report as one HTML page.
        card: the model card.
        summary: the verdict in a few lines, for the Kubeflow UI.
        model: name in the registry.
        evaluate_section: the specification's evaluate section, as JSON.
        seed: seed of the bootstrap.
        run_key: identity of this run.
        champion_version: the version that serves.

    Returns:
        The decision: "promote" or "keep".
    """
    import json
    from pathlib import Path

    from minorkey.steps import adjust as step
    from minorkey.triage.account import adjustment_summary

    decision = step.run(
        model=model,
        evaluate=evaluate_section,
        seed=seed,
        run_key=run_key,
        champion_version=champion_version,
        data_dir=Path(data.path),
        bundle_dir=Path(bundle.path),
        verdict_path=Path(verdict.path),
        report_path=Path(report.path),
        card_path=Path(card.path),
        study_path=Path(study.path),
    )
    content = json.loads(Path(verdict.path).read_text(encoding="utf-8"))
    Path(summary.path).write_text(adjustment_summary(content), encoding="utf-8")
    return decision
