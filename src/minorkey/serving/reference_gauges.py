"""The bundle's reference as gauges: what the recording rules compare the counters with."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from minorkey.drift.divergences import smoothed
from minorkey.evaluation.logit_bins import LOGIT_BINS, LOGIT_CENTRES
from minorkey.serving.label_text import label_text
from minorkey.serving.predictor import Predictor

__all__ = ["reference_gauges", "score_fractions"]

_LABELS = ("model", "version")
#: Most features that are named as left out; their number is told in any case.
_MOST_NAMED = 100


def reference_gauges(predictor: Predictor) -> bytes:
    """Prometheus' text of everything that the bundle says of its reference.

    It does not change while the bundle serves, and is made once. What an older bundle does not know is
    absent.
    """
    registry = CollectorRegistry()
    reference = predictor.bundle.info.reference
    for name, text, labels, series in _families(reference):
        gauge = Gauge(name, text, (*_LABELS, *labels), registry=registry)
        for values, number in series:
            gauge.labels(predictor.model, predictor.version, *map(label_text, values)).set(number)
    return generate_latest(registry)


_Series = Iterator[tuple[tuple[str, ...], float]]


def _families(reference: dict[str, Any]) -> Iterator[tuple[str, str, tuple[str, ...], _Series]]:
    features, score = reference.get("features", {}), reference.get("score")
    null = ("statistic", "window", "quantile")
    yield (
        "minorkey_feature_reference_fraction",
        "Share of the reference's rows in a bin of a feature, smoothed.",
        ("feature", "bin"),
        (
            ((name, *labels), share)
            for name, entry in features.items()
            for labels, share in _fractions(entry, reference["rows"])
        ),
    )
    yield (
        "minorkey_score_reference_fraction",
        "Share of the reference's rows in a bin of the score, smoothed.",
        ("bin",),
        _fractions(score, reference["rows"]) if score else iter(()),
    )
    grid = reference.get("null", {})
    yield (
        "minorkey_feature_null",
        "What a drift figure of a feature comes to by chance.",
        ("feature", *null),
        (
            ((name, *labels), value)
            for name, entry in features.items()
            for labels, value in _quantiles(entry.get("null", {}), grid)
        ),
    )
    own = score.get("null", {}) if score else {}
    yield (
        "minorkey_score_null",
        "What a drift figure of the score comes to by chance.",
        null,
        _quantiles(own, grid),
    )
    yield (
        "minorkey_drift_null",
        "What the largest standardised figure of all features comes to by chance.",
        null,
        _quantiles(grid.get("largest", {}), grid),
    )
    yield (
        "minorkey_null_window_rows",
        "Rows that a window needs for the null quantiles of that name.",
        ("window",),
        (((str(rows),), rows) for rows in grid.get("windows", ())),
    )
    yield from _rates(reference.get("rates", {}))
    yield (
        "minorkey_reference_design_effect",
        "Variance of a figure of the reference over that of as many independent rows.",
        ("figure",),
        (((name,), effect) for name, effect in reference.get("design", {}).items()),
    )
    yield (
        "minorkey_logit_bin_centre",
        "Log-odds in the middle of a bin of minorkey_outcome_logit_bin_total.",
        ("bin",),
        (((name,), centre) for name, centre in zip(LOGIT_BINS, LOGIT_CENTRES.tolist(), strict=True)),
    )
    left_out = reference.get("left_out", [])
    yield (
        "minorkey_feature_left_out",
        "1 for a feature that is not watched (the first hundred of them).",
        ("feature",),
        (((name,), 1.0) for name in left_out[:_MOST_NAMED]),
    )
    yield (
        "minorkey_features_left_out",
        "How many features are not watched.",
        (),
        iter([((), float(len(left_out)))]),
    )


def score_fractions(predictor: Predictor) -> Iterator[tuple[str, float]]:
    """The share of the reference's rows in each bin of the score, smoothed; nothing of an older bundle."""
    reference = predictor.bundle.info.reference
    for labels, share in _fractions(reference["score"], reference["rows"]) if "score" in reference else ():
        yield label_text(labels[0]), share


def _rates(rates: dict[str, float | None]) -> Iterator[tuple[str, str, tuple[str, ...], _Series]]:
    known = {name: value for name, value in rates.items() if value is not None}
    names = ("prevalence", "true_positive", "false_positive")
    yield (
        "minorkey_reference_rate",
        "Rates on the reference: prevalence, true and false positive rate.",
        ("rate",),
        (((name,), known[name]) for name in names if name in known),
    )
    yield (
        "minorkey_reference_rate_variance",
        "Sampling variance of the reference's true and false positive rate.",
        ("rate",),
        (((name,), known[f"{name}_variance"]) for name in names if f"{name}_variance" in known),
    )


def _fractions(entry: dict[str, Any], rows: int) -> _Series:
    shares = smoothed(np.asarray(entry["fractions"], np.float64) * rows)
    return (((name,), share) for name, share in zip(entry["bins"], shares.tolist(), strict=True))


def _quantiles(found: dict[str, list[list[float]]], grid: dict[str, Any]) -> _Series:
    for statistic, by_window in found.items():
        for rows, values in zip(grid["windows"], by_window, strict=True):
            for quantile, value in zip(grid["quantiles"], values, strict=True):
                yield (statistic, str(rows), f"{quantile:g}"), value
