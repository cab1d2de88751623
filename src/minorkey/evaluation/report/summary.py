"""The verdict in a few lines of Markdown, as the Kubeflow UI shows it beside the step."""

from typing import Any

from minorkey.evaluation.report.numbers import interval, number, whole

__all__ = ["verdict_summary"]

_SHOWN = ("average_precision", "roc_auc", "matthews_corrcoef", "precision", "recall")


def verdict_summary(verdict: dict[str, Any]) -> str:
    """Decision, reason, test set and the main metrics with their intervals.

    Args:
        verdict: the content of ``verdict.json``.
    """
    test, metrics = verdict["test"], verdict["metrics"]
    beside = {"challenger": metrics["test"]}
    if metrics["champion"]:
        beside[f"champion, version {verdict['champion_version']}"] = metrics["champion"]
    rows = [
        f"| {label} | " + " | ".join(interval(scores[name]) for name in _SHOWN) + " |"
        for label, scores in beside.items()
    ]
    table = ["| | " + " | ".join(_SHOWN) + " |", "| --- " * (len(_SHOWN) + 1) + "|", *rows]
    return (
        "\n\n".join(
            [
                f"# {verdict['model']}: {verdict['decision']}",
                verdict["reason"],
                f"{whole(test['rows'])} test rows, {whole(test['positives'])} positives; opening "
                f"{verdict['opening']} of this test. Rows with a score of at least "
                f"{number(verdict['threshold'], 6)} are called positive.",
                "\n".join(table),
                "The whole story is in the artifact `report`.",
            ]
        )
        + "\n"
    )
