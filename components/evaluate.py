"""The evaluate step as a component."""

from kfp import dsl
from kfp.dsl import HTML, Artifact, ClassificationMetrics, Dataset, Input, Markdown, Model, Output

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def evaluate(
    bundle: Input[Model],
    baselines: Input[Model],
    study: Input[Artifact],
    test: Input[Dataset],
    verdict: Output[Artifact],
    report: Output[HTML],
    card: Output[Markdown],
    summary: Output[Markdown],
    metrics: Output[ClassificationMetrics],
    model: str,
    evaluate_section: str,
    seed: int,
    run_key: str,
    champion_version: str,
) -> str:
    """Open the sealed test once, judge the challenger against the champion, and report.

    Args:
        bundle: the challenger.
        baselines: bundles that are only judged.
        study: study.json.
        test: the sealed test.
        verdict: verdict.json: metrics with intervals, decision and reason.
        report: the report as one HTML page.
        card: the model card.
        summary: the verdict in a few lines, for the Kubeflow UI.
        metrics: ROC curve and confusion matrix, for the Kubeflow UI.
        model: name in the registry.
        evaluate_section: the specification's evaluate section, as JSON.
        seed: seed of the bootstrap.
        run_key: identity of this run.
        champion_version: the version to beat, empty if none.

    Returns:
        The decision: "promote" or "keep".
    """
    import json
    from pathlib import Path

    from minorkey.evaluation.report.summary import verdict_summary
    from minorkey.steps import evaluate as step

    decision = step.run(
        model=model,
        evaluate=evaluate_section,
        seed=seed,
        run_key=run_key,
        champion_version=champion_version,
        bundle_dir=Path(bundle.path),
        baselines_dir=Path(baselines.path),
        study_path=Path(study.path),
        test_dir=Path(test.path),
        verdict_path=Path(verdict.path),
        report_path=Path(report.path),
        card_path=Path(card.path),
    )
    content = json.loads(Path(verdict.path).read_text(encoding="utf-8"))
    Path(summary.path).write_text(verdict_summary(content), encoding="utf-8")
    metrics.log_confusion_matrix(["negative", "positive"], content["confusion"])
    metrics.log_roc_curve(content["roc"]["fpr"], content["roc"]["tpr"], content["roc"]["threshold"])
    return decision
