"""Counts and reference as the series that two replicas of the predictor and one feedback service export."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from minorkey.drift.divergences import smoothed
from minorkey.evaluation.logit_bins import LOGIT_BINS, LOGIT_CENTRES
from tests.monitoring.counts import BUCKETS, Counts
from tests.monitoring.promtool import IDENTITY, series, steps

Line = dict[str, str]
#: Share of the rows that each replica scores.
_REPLICAS = {"a": 0.375, "b": 0.625}


def counters(added: Sequence[tuple[Counts, float]]) -> list[Line]:
    """Every counter of a window.

    Args:
        added: what each step adds: a share of which counts. All counts have the same series.
    """
    lines = []
    for source, replicas in ((_predictor, _REPLICAS), (_feedback, {"": 1.0})):
        by_step = [list(source(counts)) for counts, _ in added]
        for place, (name, labels, _) in enumerate(by_step[0]):
            values = [known[place][2] * share for known, (_, share) in zip(by_step, added, strict=True)]
            for replica, part in replicas.items():
                own = IDENTITY | labels | ({"instance": replica} if replica else {})
                scaled = [value * part for value in values]
                lines.append(series(name, own, steps(scaled, cumulative=True)))
    return lines


def gauges(reference: dict[str, Any], times: int) -> list[Line]:
    """The reference, as each replica tells it, for so many steps after the first."""
    return [
        series(name, IDENTITY | labels | {"instance": replica}, f"{value:.17g}x{times}")
        for name, labels, value in _reference(reference)
        for replica in _REPLICAS
    ]


def _predictor(counts: Counts) -> Iterator[tuple[str, dict[str, str], float]]:
    yield "minorkey_rows_total", {}, counts.rows
    for predicted in (0, 1):
        labels = {"predicted": str(predicted)}
        yield "minorkey_prediction_total", labels, counts.expected[predicted].sum()
        for actual in (0, 1):
            both = labels | {"actual": str(actual)}
            yield "minorkey_expected_outcome_total", both, counts.expected[predicted, actual]
    for code, number in counts.requests.items():
        yield "minorkey_request_total", {"code": code}, number
    for bound, number in zip((*map(str, BUCKETS), "+Inf"), np.cumsum(counts.seconds), strict=True):
        yield "minorkey_request_seconds_bucket", {"le": bound}, number
    for name, entry in counts.reference["features"].items():
        for place, number in zip(entry["bins"], counts.features[name], strict=True):
            yield "minorkey_feature_bin_total", {"feature": name, "bin": place}, number
    for place, number in zip(counts.reference["score"]["bins"], counts.score, strict=True):
        yield "minorkey_score_bin_total", {"bin": place}, number


def _feedback(counts: Counts) -> Iterator[tuple[str, dict[str, str], float]]:
    for actual in (0, 1):
        outcome = {"actual": str(actual)}
        yield "minorkey_outcome_label_total", outcome, counts.labels[actual]
        for predicted in (0, 1):
            labels = {"predicted": str(predicted)} | outcome
            yield "minorkey_outcome_total", labels, counts.outcome[predicted, actual]
            yield "minorkey_outcome_square_total", labels, counts.square[predicted, actual]
        for name, number in zip(LOGIT_BINS, counts.logits[:, actual], strict=True):
            yield "minorkey_outcome_logit_bin_total", {"bin": name} | outcome, number


def _reference(reference: dict[str, Any]) -> Iterator[tuple[str, dict[str, str], float]]:
    grid = reference["null"]
    entries = [("feature", {"feature": name}, entry) for name, entry in reference["features"].items()]
    for metric, own, entry in [*entries, ("score", {}, reference["score"])]:
        shares = smoothed(np.asarray(entry["fractions"]) * reference["rows"])
        for place, share in zip(entry["bins"], shares, strict=True):
            yield f"minorkey_{metric}_reference_fraction", own | {"bin": place}, share
        yield from _quantiles(f"minorkey_{metric}_null", own, entry["null"], grid)
    yield from _quantiles("minorkey_drift_null", {}, grid["largest"], grid)
    for rows in grid["windows"]:
        yield "minorkey_null_window_rows", {"window": str(rows)}, rows
    for rate in ("prevalence", "true_positive", "false_positive"):
        yield "minorkey_reference_rate", {"rate": rate}, reference["rates"][rate]
        if rate != "prevalence":
            yield "minorkey_reference_rate_variance", {"rate": rate}, reference["rates"][f"{rate}_variance"]
    for figure, effect in reference.get("design", {}).items():
        yield "minorkey_reference_design_effect", {"figure": figure}, effect
    for name, centre in zip(LOGIT_BINS, LOGIT_CENTRES, strict=True):
        yield "minorkey_logit_bin_centre", {"bin": name}, centre


def _quantiles(
    name: str, own: dict[str, str], found: dict[str, Any], grid: dict[str, Any]
) -> Iterator[tuple[str, dict[str, str], float]]:
    for statistic, by_window in found.items():
        for rows, values in zip(grid["windows"], by_window, strict=True):
            for quantile, value in zip(grid["quantiles"], values, strict=True):
                labels = {"statistic": statistic, "window": str(rows), "quantile": f"{quantile:g}"}
                yield name, own | labels, value
