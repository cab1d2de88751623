"""What an adjustment run tells people: the report, the card, and the lines in the Kubeflow UI."""

import importlib.resources
from collections.abc import Mapping
from typing import Any

import jinja2
import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from minorkey.evaluation.report.drawing import ACCENT, MUTED, WARM, drawn, figure
from minorkey.evaluation.report.numbers import interval, number, whole

__all__ = ["adjustment_card", "adjustment_page", "adjustment_summary"]

_WORDS = {
    "wait": "wait for labels",
    "none": "nothing to mend",
    "shift": "shift the log-odds",
    "platt": "scale and shift the log-odds",
    "refit": "fit again on fresh rows",
}
_BINS = 10


def adjustment_page(
    verdict: dict[str, Any],
    y: npt.ArrayLike,
    scores: Mapping[str, npt.NDArray[np.float64]],
    weight: npt.ArrayLike | None,
) -> str:
    """The report as one HTML document without any outside resource.

    Args:
        verdict: the content of ``verdict.json``.
        y: shape (n,), labels of the later rows.
        scores: served and adjusted probabilities of those rows, each of shape (n,).
        weight: shape (n,); None: all equal.
    """
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    environment.filters |= {"figures": number, "interval": interval, "count": whole}
    source = importlib.resources.files("minorkey.triage").joinpath("page.html.j2")
    return environment.from_string(source.read_text(encoding="utf-8")).render(
        verdict=verdict,
        action=_WORDS[verdict["action"]],
        reliability=Markup(_reliability(np.asarray(y), scores, weight)),  # noqa: S704 -- our own drawing
    )


def adjustment_card(verdict: dict[str, Any]) -> str:
    """The model card of the adjusted version, as Markdown."""
    change = verdict["adjustment"]
    lines = [
        f"# Model card: {verdict['model']}",
        f"Decision: **{verdict['decision']}**. {verdict['reason']}",
        "## Model",
        f"The graph of version {verdict['champion_version']} up to its raw score, unchanged.",
    ]
    if change is not None:
        lines += [
            f"The log-odds of its calibrated scores are multiplied by {number(change['slope'])} and shifted "
            f"by {number(change['intercept'])}. Rows with a score of at least "
            f"{number(verdict['threshold'], 6)} are called positive.",
        ]
    lines += ["## On later rows", _table(verdict)]
    return "\n\n".join(lines) + "\n"


def adjustment_summary(verdict: dict[str, Any]) -> str:
    """Diagnosis, decision and metrics in a few lines of Markdown."""
    test = verdict["test"]
    return (
        "\n\n".join(
            [
                f"# {verdict['model']}: {_WORDS[verdict['action']]}, {verdict['decision']}",
                verdict["reason"],
                f"{whole(test['rows'])} later rows, {whole(test['positives'])} positives.",
                _table(verdict),
            ]
        )
        + "\n"
    )


def _table(verdict: dict[str, Any]) -> str:
    shown = ("average_precision", "matthews_corrcoef", "recall", "precision", "log_loss", "brier")
    rows = [
        f"| {name} | {interval(verdict['metrics']['champion'].get(name))} "
        f"| {interval(verdict['metrics']['test'].get(name))} |"
        for name in shown
    ]
    return "\n".join(["| metric | served | adjusted |", "| --- | --- | --- |", *rows])


def _reliability(
    y: npt.NDArray[Any], scores: Mapping[str, npt.NDArray[np.float64]], weight: npt.ArrayLike | None
) -> str:
    """Observed share of positives over mean score, in bins of equally many rows; both axes logarithmic."""
    own = np.ones(len(y)) if weight is None else np.asarray(weight, np.float64)
    with figure(width=5.6, height=4.0) as (made, axes):
        least = 1.0
        for (name, score), colour in zip(scores.items(), (WARM, ACCENT), strict=True):
            if not len(score):
                continue
            bins = np.array_split(np.argsort(score), _BINS)
            points = [
                (np.average(score[rows], weights=own[rows]), np.average(y[rows], weights=own[rows]))
                for rows in bins
                if len(rows) and own[rows].sum() > 0
            ]
            x, share = np.array(points).T if points else (np.empty(0), np.empty(0))
            seen = share > 0
            axes.plot(x[seen], share[seen], marker="o", markersize=4, color=colour, label=name)
            least = min([least, *x[seen], *share[seen]])
        axes.plot([least, 1], [least, 1], color=MUTED, linestyle="--", linewidth=1.2, label="perfect")
        axes.set(xscale="log", yscale="log", xlabel="mean score", ylabel="share of positives")
        axes.legend(loc="upper left")
        return drawn(made, label="Reliability")
