"""The HTML page: self-contained, readable offline and on a phone."""

import importlib.resources

import jinja2
from markupsafe import Markup

from minorkey.evaluation.baselines import LABELS
from minorkey.evaluation.report import curves, points, trial_figures
from minorkey.evaluation.report.content import Content
from minorkey.evaluation.report.numbers import interval, number, whole

__all__ = ["render"]

_NAMES = {
    "average_precision": "Average precision",
    "roc_auc": "ROC-AUC",
    "matthews_corrcoef": "MCC",
    "f1": "F1",
    "f1_macro": "F1, macro",
    "f1_micro": "F1, micro",
    "balanced_accuracy": "Balanced accuracy",
    "precision": "Precision",
    "recall": "Recall",
    "specificity": "Specificity",
    "g_mean": "G-mean",
    "cohen_kappa": "Cohen's kappa",
    "brier": "Brier score",
    "log_loss": "Log loss",
    "expected_cost": "Expected cost a row",
}


def render(content: Content) -> str:
    """The report as one HTML document without any outside resource."""
    trials = content.study["trials"]
    figures = [
        ("Precision and recall", curves.precision_recall(content)),
        ("ROC", curves.roc(content)),
        ("Calibration", curves.calibration(content)),
        ("Threshold, cost and MCC", curves.threshold_curves(content)),
        ("Decision curve", curves.decision_curve(content)),
    ]
    importances = trial_figures.importances(trials)
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    environment.filters |= {"figures": number, "interval": interval, "count": whole}
    folder = importlib.resources.files("minorkey.evaluation.report")
    source = folder.joinpath("page.html.j2").read_text(encoding="utf-8")
    return environment.from_string(source).render(
        style=Markup(folder.joinpath("page.css").read_text(encoding="utf-8")),  # noqa: S704
        verdict=content.verdict,
        study=content.study,
        profile=content.profile,
        names=_NAMES,
        figures=[(title, Markup(svg)) for title, svg in figures],  # noqa: S704 -- our own drawing
        confusion=points.confusion(content),
        weighted=points.weighted_confusion(content) if content.weighted else None,
        repeats=content.repeats,
        labels=LABELS,
        history=Markup(trial_figures.history(trials)),  # noqa: S704
        parallel=Markup(trial_figures.parallel_coordinates(trials)),  # noqa: S704
        importances=importances,
        tried=trial_figures.tried(trials),
    )
