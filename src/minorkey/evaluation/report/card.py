"""The model card, as Markdown.

Source: Mitchell et al. (2019), "Model Cards for Model Reporting".
"""

from typing import Any

from minorkey.evaluation.report.content import Content

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
        f"{verdict['threshold']:.6g} are called positive.",
        "## Data",
        f"{profile['rows']:,} rows, {profile['positives']:,} positives (imbalance ratio "
        f"{profile['imbalance_ratio']:.1f}); digest `{profile['digest']}`. Test: "
        f"{verdict['test']['rows']:,} rows, {verdict['test']['positives']:,} positives, "
        f"split `{verdict['split']}`.",
        "## Results on the sealed test",
        _table(verdict["metrics"]["test"]),
        "## Limits",
        _limits(content),
    ]
    if verdict["slices"]:
        sections += ["## Slices", _slices(verdict["slices"])]
    return "\n\n".join(sections) + "\n"


def _table(metrics: dict[str, Any]) -> str:
    rows = [
        f"| {name} | {m['value']:.4f} | {_bound(m['low'])} | {_bound(m['high'])} |"
        for name, m in metrics.items()
    ]
    return "\n".join(["| metric | value | low | high |", "| --- | --- | --- | --- |", *rows])


def _slices(slices: list[dict[str, Any]]) -> str:
    rows = [
        f"| {s['column']} | {s['level']} | {s['rows']:,} | {s['positives']:,} "
        f"| {s['average_precision']['value']:.3f} |"
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
    if content.profile.get("left_out"):
        limits.append("- Columns left out: " + ", ".join(sorted(content.profile["left_out"])) + ".")
    return "\n".join(limits)


def _bound(value: float | None) -> str:
    return "\N{EN DASH}" if value is None or value != value else f"{value:.4f}"
