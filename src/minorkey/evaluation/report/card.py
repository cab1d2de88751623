"""The model card, as Markdown.

Source: Mitchell et al. (2019), "Model Cards for Model Reporting".
"""

from typing import Any

from minorkey.evaluation.baselines import LABELS
from minorkey.evaluation.report.content import Content
from minorkey.evaluation.report.numbers import interval, number, whole

__all__ = ["model_card"]


def model_card(content: Content) -> str:
    """Intended use, data, results, limits and slices of the candidate."""
    verdict, study, profile = content.verdict, content.study, content.profile
    members = ", ".join(
        f"{member['family']} ({member['weight']:.2f})" for member in study["configuration"]["members"]
    )
    sections = [
        f"# Model card: {verdict['model']}",
        f"Decision: **{verdict['decision']}**. {verdict['reason']}",
        "## Intended use",
        content.intended_use or "Not stated. Set `evaluate.intended_use` in the specification.",
        "## Model",
        f"{members}; ships as {study['configuration']['ships']}. Rows with a calibrated score of at least "
        f"{number(verdict['threshold'], 6)} are called positive.",
        "## Data",
        f"{whole(profile['rows'])} rows, {whole(profile['positives'])} positives (imbalance ratio "
        f"{number(profile['imbalance_ratio'], 1)}); digest `{profile['digest']}`. Test: "
        f"{whole(verdict['test']['rows'])} rows, {whole(verdict['test']['positives'])} positives, "
        f"split `{verdict['split']}`.",
        "## Results on the sealed test",
        _table(verdict["metrics"]["test"]),
        "## Beside it",
        _beside(verdict),
        "## Limits",
        _limits(content),
    ]
    if verdict["slices"]:
        sections += ["## Slices", _slices(verdict["slices"])]
    return "\n\n".join(sections) + "\n"


def _table(metrics: dict[str, Any]) -> str:
    rows = [
        f"| {name} | {number(m['value'])} | {number(m['low'])} | {number(m['high'])} |"
        for name, m in metrics.items()
    ]
    return "\n".join(["| metric | value | low | high |", "| --- | --- | --- | --- |", *rows])


def _beside(verdict: dict[str, Any]) -> str:
    """Average precision of the baselines, and of the champion where there is one."""
    lines = [
        f"- {LABELS.get(name, name)}: {interval(metrics['average_precision'])}"
        for name, metrics in verdict["metrics"]["baselines"].items()
    ]
    champion = verdict["metrics"]["champion"]
    if champion:
        gate = verdict["gate"]
        lines.append(
            f"- champion, version {verdict['champion_version']}: {interval(champion['average_precision'])}, "
            f"and the candidate {interval(gate['challenger'])}, on the {whole(gate['rows'])} test rows "
            f"({whole(gate['positives'])} positives) that neither has seen"
        )
    told = "Average precision. Baselines are neither tuned nor calibrated; what their names do not say is "
    return "\n".join([told + "scikit-learn's default.", "", *lines])


def _slices(slices: list[dict[str, Any]]) -> str:
    rows = [
        f"| {s['column']} | {s['level']} | {whole(s['rows'])} | {whole(s['positives'])} "
        f"| {interval(s['average_precision'])} |"
        for s in slices
    ]
    header = ["| column | level | rows | positives | average precision |", "| --- | --- | --- | --- | --- |"]
    return "\n".join(header + rows)


def _limits(content: Content) -> str:
    limits = [
        "- The scores hold for rows drawn as the test rows were; watch for drift after deployment.",
        "- A different base rate moves precision and calibration even where ranking holds.",
    ]
    positives = content.verdict["test"]["positives"]
    if positives < 150:
        limits.append(f"- Only {positives} test positives: read the intervals, not the points.")
    if content.verdict["split"] == "repeated_cv":
        limits.append(
            "- Judged by outer cross-validation, because one sealed test would have held too few positives; "
            "what ships was fitted on all rows in the same way as the judged models."
        )
        limits.append(
            "- Folds are ranked together by calibrated scores of different models, which compare only "
            "roughly; the intervals speak of other rows, not of other training runs."
        )
        if content.repeats > 1:
            limits.append(f"- Metrics are the mean of {content.repeats} repeats of the cross-validation.")
    if content.profile.get("left_out"):
        limits.append("- Columns left out: " + ", ".join(sorted(content.profile["left_out"])) + ".")
    return "\n".join(limits)
