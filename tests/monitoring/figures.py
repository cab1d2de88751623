"""What the recording rules have to come to, from the library's own functions."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from minorkey.bundle.null_quantiles import STATISTICS
from minorkey.drift.divergences import smoothed
from minorkey.drift.rules import Windows
from minorkey.evaluation.bounds import wilson_interval
from minorkey.evaluation.implied import implied_mcc, implied_mcc_variance, mcc_variance
from minorkey.evaluation.logit_bins import LOGIT_BINS, LOGIT_CENTRES, fit_logit_bins
from minorkey.evaluation.metrics import Confusion, matthews_corrcoef
from tests.monitoring.counts import BUCKETS, Counts, Floats

#: Name of a rule, labels beside model and version, value.
Figure = tuple[str, dict[str, str], float]
_Z = 1.959963984540054
#: Design effects of a bundle that does not know them.
_INDEPENDENT = dict.fromkeys(
    ("mcc", "mcc_gap", "precision", "recall", "prevalence", "calibration_intercept", "calibration_slope"), 1.0
)


def traffic_figures(counts: Counts, w: Windows) -> Iterator[Figure]:
    """The group minorkey-traffic."""
    yield "model:minorkey_rows:rate", {}, counts.rows / w.traffic
    predicted = counts.expected.sum(axis=1)
    yield "model:minorkey_predicted_positive:ratio", {}, predicted[1] / predicted.sum()
    yield "model:minorkey_request_seconds:p99", {}, _quantile(counts.seconds, 0.99)
    failed = counts.requests["500"] / sum(counts.requests.values())
    for speed in ("fast", "slow"):
        for length in ("long", "short"):
            yield f"model:minorkey_request_errors:ratio_{speed}_{length}", {}, failed


def reference_figures(counts: Counts) -> Iterator[Figure]:
    """The group minorkey-reference."""
    rates = counts.reference["rates"]
    for rate in ("true_positive", "false_positive"):
        yield f"model:minorkey_reference_{rate}:rate", {}, rates[rate]
        yield f"model:minorkey_reference_{rate}:variance", {}, rates[f"{rate}_variance"]
    yield "model:minorkey_reference_prevalence:rate", {}, rates["prevalence"]


def drift_figures(counts: Counts) -> Iterator[Figure]:
    """The group minorkey-drift."""
    reference, grid = counts.reference, counts.reference["null"]
    window = max(place for place, rows in enumerate(grid["windows"]) if rows <= counts.rows)
    yield "model:minorkey_rows:increase", {}, counts.rows
    for rows in grid["windows"][: window + 1]:
        yield "model_window:minorkey_null_window:reached", {"window": str(rows)}, rows
    yield (
        "model_window:minorkey_null_window:chosen",
        {"window": str(grid["windows"][window])},
        grid["windows"][window],
    )
    yield from _bins("model:minorkey_score", {}, counts.score, reference["score"], reference["rows"], window)
    largest = dict.fromkeys(STATISTICS, -np.inf)
    psi = -np.inf
    for name, entry in reference["features"].items():
        labels = {"feature": name}
        found = list(
            _bins(
                "model_feature:minorkey_feature",
                labels,
                counts.features[name],
                entry,
                reference["rows"],
                window,
            )
        )
        yield from found
        values = {record: value for record, _, value in found}
        psi = max(psi, values["model_feature:minorkey_feature_psi:value"])
        for statistic in STATISTICS:
            own = values[f"model_feature:minorkey_feature_{statistic}:standardised"]
            largest[statistic] = max(largest[statistic], own)
    for statistic, name in (("psi", "drift"), ("jensen_shannon", "drift_jensen_shannon")):
        yield f"model:minorkey_{name}:standardised", {}, largest[statistic]
        yield f"model:minorkey_{name}:null_upper", {}, grid["largest"][statistic][window][1]
    yield "model:minorkey_feature_psi:max", {}, psi


def estimated_figures(counts: Counts) -> Iterator[Figure]:
    """The group minorkey-estimated."""
    yield from _cells("model_outcome:minorkey_expected_outcome:increase", counts.expected)
    yield from _scores("estimated", counts.expected)
    yield from _implied("estimated", counts.expected, counts.reference["rates"])


def measured_figures(counts: Counts) -> Iterator[Figure]:
    """The group minorkey-measured."""
    rates, design = counts.reference["rates"], counts.reference.get("design", _INDEPENDENT)
    yield "model:minorkey_mature_positives:increase", {}, counts.labels[1]
    for figure, effect in design.items():
        yield f"model:minorkey_{figure}_design:effect", {}, effect
    yield from _cells("model_outcome:minorkey_outcome:increase", counts.outcome)
    yield from _cells("model_outcome:minorkey_outcome_square:increase", counts.square)
    for name, value in _confusion(counts.square).items():
        yield f"model:minorkey_outcome_{name}:square", {}, value
    found = list(_scores("measured", counts.outcome))
    yield from found
    value = {record.split(":")[1].removeprefix("minorkey_"): number for record, _, number in found}
    cells, squares = _confusion(counts.outcome), _confusion(counts.square)
    for name, of in (
        ("precision", ("tp", "fp")),
        ("recall", ("tp", "fn")),
        ("prevalence", ("tp", "fp", "fn", "tn")),
    ):
        rows = sum(cells[cell] for cell in of) ** 2 / sum(squares[cell] for cell in of) / design[name]
        low, high = wilson_interval(value[name], rows, 0.95)
        yield f"model:minorkey_{name}_rows:effective", {}, rows
        yield f"model:minorkey_{name}:measured_low", {}, low
        yield f"model:minorkey_{name}:measured_high", {}, high
    variance = float(mcc_variance(_weights(counts.outcome), _weights(counts.square))[0])
    yield "model:minorkey_mcc_variance:measured", {}, variance
    yield from _bounds("model:minorkey_mcc:measured", value["mcc"], design["mcc"] * variance)
    yield from _implied("measured", counts.outcome, rates)
    implied = float(implied_mcc(value["prevalence"], rates["true_positive"], rates["false_positive"]))
    own = float(
        implied_mcc_variance(
            value["prevalence"],
            *(
                rates[name]
                for name in (
                    "true_positive",
                    "false_positive",
                    "true_positive_variance",
                    "false_positive_variance",
                )
            ),
        )
    )
    yield "model:minorkey_mcc_implied_variance:measured", {}, own
    yield "model:minorkey_mcc_gap:measured", {}, value["mcc"] - implied
    yield from _bounds(
        "model:minorkey_mcc_gap:measured", value["mcc"] - implied, design["mcc_gap"] * variance + own
    )


def calibration_figures(counts: Counts) -> Iterator[Figure]:
    """The group minorkey-calibration, without the steps of its fit."""
    rows = counts.logits.sum(axis=1)
    for name, centre, number in zip(LOGIT_BINS, LOGIT_CENTRES, rows, strict=True):
        yield "model_bin:minorkey_calibration_rows:increase", {"bin": name}, number
        yield "model_bin:minorkey_calibration_logit:centre", {"bin": name}, centre
    yield "model:minorkey_calibration_rows:increase", {}, rows.sum()
    yield "model:minorkey_calibration_positives:increase", {}, counts.logits[:, 1].sum()
    effect = counts.square[:, 1].sum() / counts.logits[:, 1].sum()
    yield "model:minorkey_calibration_design:effect", {}, effect
    promised = (rows / (1 + np.exp(-LOGIT_CENTRES))).sum()
    yield "model:minorkey_calibration_promised:sum", {}, promised
    fitted = fit_logit_bins(counts.logits[:, 0], counts.logits[:, 1], effect)
    design = counts.reference.get("design", _INDEPENDENT)
    for name in ("intercept", "slope"):
        value, variance = (
            getattr(fitted, name),
            design[f"calibration_{name}"] * getattr(fitted, f"{name}_variance"),
        )
        yield f"model:minorkey_calibration_{name}:measured", {}, value
        yield from _bounds(f"model:minorkey_calibration_{name}:measured", value, variance)


def _bins(
    prefix: str, labels: dict[str, str], counts: Floats, entry: dict[str, Any], rows: int, window: int
) -> Iterator[Figure]:
    level, metric = prefix.split(":")
    p, q = smoothed(counts), smoothed(np.asarray(entry["fractions"]) * rows)
    columns = {"increase": counts, "fraction": p, "reference": q, "middle": (p + q) / 2}
    for operation, values in columns.items():
        for name, value in zip(entry["bins"], values, strict=True):
            yield f"{level}_bin:{metric}_bin:{operation}", labels | {"bin": name}, value
    yield f"{prefix}_rows:increase", labels, counts.sum()
    for statistic, function in STATISTICS.items():
        value, (median, upper) = float(function(q, p)), entry["null"][statistic][window]
        yield f"{prefix}_{statistic}:value", labels, value
        yield f"{prefix}_{statistic}:null_median", labels, median
        yield f"{prefix}_{statistic}:null_upper", labels, upper
        yield f"{prefix}_{statistic}:standardised", labels, (value - median) / (upper - median)


def _cells(record: str, table: Floats) -> Iterator[Figure]:
    for predicted in (0, 1):
        for actual in (0, 1):
            labels = {"predicted": str(predicted), "actual": str(actual)}
            yield record, labels, table[predicted, actual]


def _scores(suffix: str, table: Floats) -> Iterator[Figure]:
    cells = _confusion(table)
    tp, fp, fn, tn = (cells[name] for name in ("tp", "fp", "fn", "tn"))
    for name, value in cells.items():
        yield f"model:minorkey_outcome_{name}:{suffix}", {}, value
    scale = np.sqrt((tp + fp) * (tp + fn)) * np.sqrt((tn + fp) * (tn + fn))
    yield f"model:minorkey_mcc_scale:{suffix}", {}, scale
    yield f"model:minorkey_mcc:{suffix}", {}, float(matthews_corrcoef(_weights(table))[0])
    yield f"model:minorkey_precision:{suffix}", {}, tp / (tp + fp) if tp + fp else 0.0
    yield f"model:minorkey_recall:{suffix}", {}, tp / (tp + fn)
    yield f"model:minorkey_prevalence:{suffix}", {}, (tp + fn) / table.sum()


def _implied(suffix: str, table: Floats, rates: dict[str, float]) -> Iterator[Figure]:
    prevalence, true, false = table[:, 1].sum() / table.sum(), rates["true_positive"], rates["false_positive"]
    called = prevalence * true + (1 - prevalence) * false
    yield f"model:minorkey_called:{suffix}", {}, called
    yield f"model:minorkey_mcc_implied:{suffix}", {}, float(implied_mcc(prevalence, true, false))
    if suffix == "measured":
        curve = (true - false) * (1 - 2 * called) / (2 * (called * (1 - called)) ** 1.5)
        yield "model:minorkey_mcc_curve:measured", {}, curve


def _bounds(record: str, value: float, variance: float) -> Iterator[Figure]:
    yield f"{record}_low", {}, value - _Z * np.sqrt(variance)
    yield f"{record}_high", {}, value + _Z * np.sqrt(variance)


def _confusion(table: Floats) -> dict[str, float]:
    return {"tp": table[1, 1], "fp": table[1, 0], "fn": table[0, 1], "tn": table[0, 0]}


def _weights(table: Floats) -> Confusion:
    return Confusion(**{name: np.array([value]) for name, value in _confusion(table).items()})


def _quantile(seconds: Floats, share: float) -> float:
    """Linear within the bucket, as Prometheus does it."""
    reached, target = np.cumsum(seconds), share * seconds.sum()
    place = int(np.searchsorted(reached, target))
    if place == len(BUCKETS):
        return BUCKETS[-1]
    before, start = (reached[place - 1], BUCKETS[place - 1]) if place else (0.0, 0.0)
    return start + (BUCKETS[place] - start) * (target - before) / seconds[place]
