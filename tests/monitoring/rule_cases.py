"""Test files of the recording rules: nothing yet, just below the gate, above it, and after the window."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from minorkey.drift.rules import Windows
from tests.monitoring import figures as of
from tests.monitoring.counts import Counts
from tests.monitoring.exported import counters, gauges
from tests.monitoring.figures import Figure
from tests.monitoring.promtool import absent, equals, text

GROUPS = ("reference", "traffic", "drift", "estimated", "measured", "calibration")
ORDER = [f"minorkey-{name}" for name in GROUPS]
#: Steps of a window.
_STEPS = 8
_BELOW, _FULL, _AFTER = 2, 4, 4 + _STEPS + 2


@dataclass(frozen=True)
class Case:
    """What is tested with one length of step.

    Attributes:
        window: seconds that the window of its rules lasts.
        gate: of counts, the share of them that is just below what the rules want.
        figures: what the rules come to.
        gated: rules that have no value below the gate and after the window.
    """

    window: Callable[[Windows], int]
    gate: Callable[[Counts, Windows], float]
    figures: Callable[[Counts, Windows], Iterable[Figure]]
    gated: tuple[str, ...]


def _drift(counts: Counts, w: Windows) -> Iterable[Figure]:
    yield from of.reference_figures(counts)
    yield from of.drift_figures(counts)


CASES = {
    "traffic": Case(
        lambda w: w.burn[0][1],
        lambda counts, w: 0.0,
        of.traffic_figures,
        ("model:minorkey_request_errors:ratio_fast_short",),
    ),
    "drift": Case(
        lambda w: w.drift,
        lambda counts, w: (w.rows - 1) / counts.rows,
        _drift,
        (
            "model_feature:minorkey_feature_psi:value",
            "model_feature:minorkey_feature_jensen_shannon:value",
            "model_feature:minorkey_feature_psi:standardised",
            "model:minorkey_score_psi:value",
            "model:minorkey_score_jensen_shannon:standardised",
            "model:minorkey_drift:standardised",
            "model:minorkey_drift:null_upper",
        ),
    ),
    "estimated": Case(
        lambda w: w.drift,
        lambda counts, w: (w.positives - 0.5) / counts.expected[:, 1].sum(),
        lambda counts, w: of.estimated_figures(counts),
        (
            "model:minorkey_mcc:estimated",
            "model:minorkey_precision:estimated",
            "model:minorkey_recall:estimated",
            "model:minorkey_prevalence:estimated",
            "model:minorkey_mcc_implied:estimated",
        ),
    ),
    "measured": Case(
        lambda w: w.outcome,
        lambda counts, w: (w.positives - 1) / counts.labels[1],
        lambda counts, w: [*of.measured_figures(counts), *of.calibration_figures(counts)],
        (
            "model:minorkey_mcc:measured",
            "model:minorkey_precision:measured_low",
            "model:minorkey_recall:measured_high",
            "model:minorkey_prevalence:measured",
            "model:minorkey_mcc_gap:measured_high",
            "model:minorkey_calibration_intercept:measured",
            "model:minorkey_calibration_slope:measured_low",
        ),
    ),
}


def rule_file(case: Case, w: Windows, rule_file: str, counts: Counts) -> str:
    """The test file of one case."""
    step = -(-case.window(w) // _STEPS)
    below = case.gate(counts, w)
    shares = [0.0] * (_AFTER + 1)
    shares[_BELOW - 1], shares[_FULL - 1] = below, 1 - below
    checks: list[dict[str, Any]] = [absent(at * step, name) for at in (0, 1) for name in case.gated]
    if below:
        checks += [absent(_BELOW * step, name) for name in case.gated]
    checks += [equals(_FULL * step, name, labels, value) for name, labels, value in case.figures(counts, w)]
    checks += [absent(_AFTER * step, name) for name in case.gated]
    series = counters([(counts, share) for share in shares]) + gauges(counts.reference, _AFTER)
    return text(
        [rule_file],
        step,
        ORDER,
        [{"interval": f"{step}s", "input_series": series, "promql_expr_test": checks}],
    )
