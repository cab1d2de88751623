"""Figures of the study: how it went and what mattered."""

import warnings
from typing import Any

import numpy as np
import optuna

from minorkey.evaluation.report.drawing import ACCENT, MUTED, PALETTE, drawn, figure

__all__ = ["history", "history_of_parts", "importances", "parallel_coordinates", "tried"]

#: Fewer finished trials say nothing about which parameter matters.
ENOUGH_TRIALS = 8


def history(trials: list[dict[str, Any]]) -> str:
    """Each complete trial's score in the order of the trials, and the best so far of its part."""
    runs = history_of_parts(trials)
    points = [point for run in runs.values() for point in run]
    families = sorted({family for _, _, _, family in points})
    with figure(width=9.6, height=3.2) as (made, axes):
        for family, colour in zip(families, PALETTE, strict=False):
            own = [(place, value) for place, value, _, name in points if name == family]
            axes.plot(*zip(*own, strict=True), "o", ms=5, color=colour, label=family)
        for run in runs.values():
            places, _, best, _ = zip(*run, strict=True)
            axes.step(places, best, where="post", color=MUTED, linewidth=1.2)
        label = "trial" if len(runs) < 2 else f"trial, {len(runs)} searches one after the other"
        axes.set(xlabel=label, ylabel="validation average precision")
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
        return drawn(made, label="Optimisation history")


def history_of_parts(trials: list[dict[str, Any]]) -> dict[str, list[tuple[int, float, float, str]]]:
    """For each part of the study its complete trials: place among all trials, score, best so far, family.

    Numbers begin anew with each part, so places are counted through: parts follow each other in the order
    in which their first trials stand.
    """
    runs: dict[str, list[tuple[int, float, float, str]]] = {}
    order = dict.fromkeys(trial.get("part", "") for trial in trials)
    by_part = [[trial for trial in trials if trial.get("part", "") == part] for part in order]
    ordered = [trial for part in by_part for trial in sorted(part, key=lambda one: one["number"])]
    for place, trial in enumerate(ordered):
        if trial["outcome"] != "complete" or trial["value"] is None:
            continue
        run = runs.setdefault(trial.get("part", ""), [])
        best = max(trial["value"], run[-1][2] if run else trial["value"])
        run.append((place, trial["value"], best, trial["configuration"]["family"]))
    return runs


def tried(trials: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What was tried: per family and resampler the trials by outcome, the best score, the seconds."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for trial in trials:
        configuration = trial["configuration"]
        groups.setdefault((configuration["family"], configuration["resampler"]), []).append(trial)
    rows = []
    for (family, resampler), own in groups.items():
        complete, pruned = _complete(own), [t for t in own if t["outcome"] == "pruned"]
        rows.append(
            {
                "family": family,
                "resampler": resampler,
                "complete": len(complete),
                "pruned": len(pruned),
                "failed": len(own) - len(complete) - len(pruned),
                "best": max((trial["value"] for trial in complete), default=None),
                "seconds": sum(trial["seconds"] for trial in own),
            }
        )
    return sorted(rows, key=lambda row: -(row["best"] or 0.0))


def importances(trials: list[dict[str, Any]]) -> tuple[str, dict[str, float]] | None:
    """Share of the score's variance by parameter, for the family with most complete trials.

    Returns:
        The family and its parameters, most important first; None where too few trials finished.

    Source: Watanabe et al. (2023), "PED-ANOVA: Efficiently Quantifying Hyperparameter Importance in
    Arbitrary Subspaces", as Optuna implements it.
    """
    family, own = _largest_family(trials)
    if len(own) < ENOUGH_TRIALS:
        return None
    values = _varying(own)
    if not values:
        return None
    study = optuna.create_study(direction="maximize")
    distributions = {name: _distribution(column) for name, column in values.items()}
    for index, trial in enumerate(own):
        params = {name: column[index] for name, column in values.items()}
        study.add_trial(
            optuna.trial.create_trial(params=params, distributions=distributions, value=trial["value"])
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = optuna.importance.get_param_importances(
                study, evaluator=optuna.importance.PedAnovaImportanceEvaluator()
            )
        except (RuntimeError, ValueError):
            return None
    return family, dict(sorted(found.items(), key=lambda item: -item[1]))


def parallel_coordinates(trials: list[dict[str, Any]], *, most: int = 6) -> str:
    """Parameters of the family with most complete trials, one line a trial, coloured by score."""
    family, own = _largest_family(trials)
    values = dict(list(_varying(own).items())[:most])
    if len(own) < 3 or not values:
        return ""
    scores = np.array([trial["value"] for trial in own])
    shade = (scores - scores.min()) / max(float(np.ptp(scores)), 1e-12)
    with figure(width=7.2) as (made, axes):
        places = np.arange(len(values))
        columns = [_unit(column) for column in values.values()]
        for index in np.argsort(scores):
            strength = float(shade[index])
            axes.plot(
                places,
                [column[index] for column in columns],
                color=ACCENT if strength > 0.5 else MUTED,
                alpha=0.15 + 0.8 * strength,
                linewidth=0.8 + 1.6 * strength,
            )
        axes.set_xticks(places, [name.replace("_", "\n") for name in values])
        axes.set_yticks([0, 1], ["lowest", "highest"])
        axes.set_title(f"{family}: bold lines scored best", fontsize=10, color="#5b6472")
        return drawn(made, label="Parallel coordinates")


def _complete(trials: list[dict[str, Any]]) -> list[dict[str, Any]]:
    done = [trial for trial in trials if trial["outcome"] == "complete" and trial["value"] is not None]
    return sorted(done, key=lambda trial: trial["number"])


def _largest_family(trials: list[dict[str, Any]]) -> tuple[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for trial in _complete(trials):
        groups.setdefault(trial["configuration"]["family"], []).append(trial)
    return max(groups.items(), key=lambda item: len(item[1]), default=("", []))


def _varying(trials: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Parameters that take more than one value, as columns over the trials."""
    flat = []
    for trial in trials:
        configuration = trial["configuration"]
        outside = {
            key: configuration[key]
            for key in ("resampler", "weight_exponent", "interactions", "train_window", "recency_half_life")
        }
        flat.append({**configuration["model"], **outside})
    shared = set.intersection(*(set(row) for row in flat)) if flat else set()
    names = [name for name in (flat[0] if flat else {}) if name in shared]
    columns = {name: [row[name] for row in flat] for name in names}
    return {name: column for name, column in columns.items() if len({str(value) for value in column}) > 1}


def _distribution(column: list[Any]) -> optuna.distributions.BaseDistribution:
    if _numeric(column):
        low, high = min(column), max(column)
        return optuna.distributions.FloatDistribution(low, high, log=low > 0 and high / low > 50)
    return optuna.distributions.CategoricalDistribution(list(dict.fromkeys(column)))


def _unit(column: list[Any]) -> list[float]:
    """The column on [0, 1]: numbers by size (by logarithm where they span decades), others by order."""
    if not _numeric(column):
        levels = sorted({str(value) for value in column})
        return [levels.index(str(value)) / max(1, len(levels) - 1) for value in column]
    values = np.array(column, dtype=float)
    if values.min() > 0 and values.max() / values.min() > 50:
        values = np.log(values)
    return list((values - values.min()) / max(float(np.ptp(values)), 1e-12))


def _numeric(column: list[Any]) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in column)
