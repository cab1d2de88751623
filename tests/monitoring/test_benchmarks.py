"""The benchmarks' vectorised rules and alerts are those that promtool holds the PromQL against."""

import numpy as np
import pytest

from benchmarks.drift_rules import Bound, drift, measured
from minorkey.drift.rules import PRODUCTION
from tests.monitoring import figures as of
from tests.monitoring.scenario import COUNTS
from tests.monitoring.test_renderings import rules

#: What `benchmarks.null_rates.conditions` and `benchmarks.detection_watchers` write in NumPy.
EXPRESSIONS = {
    "MinorkeyDataDrift": "model:minorkey_drift:standardised > on (model, version) "
    "model:minorkey_drift:null_upper and on (model, version) model:minorkey_feature_psi:max > 0.1",
    "MinorkeyScoreDrift": "model:minorkey_score_psi:standardised > 1 and on (model, version) "
    "model:minorkey_score_psi:value > 0.1",
    "MinorkeyPriorShift": "model:minorkey_prevalence:measured_low > on (model, version) 1.25 * "
    "model:minorkey_reference_prevalence:rate or model:minorkey_prevalence:measured_high < "
    "on (model, version) 0.8 * model:minorkey_reference_prevalence:rate",
    "MinorkeyPerformanceDown": "model:minorkey_mcc_gap:measured_high < -0.05",
    "MinorkeyCalibrationOff": "model:minorkey_calibration_intercept:measured_low > 0.2 or "
    "model:minorkey_calibration_intercept:measured_high < -0.2 or "
    "model:minorkey_calibration_slope:measured_low > 1.2 or "
    "model:minorkey_calibration_slope:measured_high < 0.8",
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_alerts_are_what_the_benchmarks_write(name: str) -> None:
    expressions = {rule["alert"]: " ".join(rule["expr"].split()) for rule in rules("alerts", PRODUCTION)}
    assert expressions[name] == EXPRESSIONS[name]


def test_measured_figures_are_the_librarys() -> None:
    found = measured(
        COUNTS.outcome[None],
        COUNTS.logits[None],
        COUNTS.reference["rates"],
        PRODUCTION.positives,
        COUNTS.reference["design"],
    )
    wanted = {
        name.removeprefix("model:minorkey_"): value
        for figures in (of.measured_figures(COUNTS), of.calibration_figures(COUNTS))
        for name, _, value in figures
    }
    bounds: dict[str, Bound] = {
        "mcc": found.mcc,
        "mcc_gap": found.gap,
        "calibration_intercept": found.intercept,
        "calibration_slope": found.slope,
    }
    for name, bound in bounds.items():
        own = [bound.value[0], bound.low()[0], bound.high()[0]]
        told = [wanted[f"{name}:measured{suffix}"] for suffix in ("", "_low", "_high")]
        np.testing.assert_allclose(own, told, atol=1e-6, err_msg=name)
    own = [found.prevalence[0], found.prevalence_low()[0], found.prevalence_high()[0]]
    told = [wanted[f"prevalence:measured{suffix}"] for suffix in ("", "_low", "_high")]
    np.testing.assert_allclose(own, told, atol=1e-9)


def test_there_are_no_figures_of_too_few_positives() -> None:
    few = COUNTS.outcome * 49 / COUNTS.outcome[:, 1].sum()
    found = measured(few[None], COUNTS.logits[None], COUNTS.reference["rates"], PRODUCTION.positives)
    assert np.isnan([found.mcc.value[0], found.gap.value[0], found.prevalence[0], found.slope.value[0]]).all()


@pytest.mark.parametrize("statistic", ["psi", "jensen_shannon"])
def test_drift_figures_are_the_librarys(statistic: str) -> None:
    features = {name: np.array([counts, counts]) for name, counts in COUNTS.features.items()}
    found = drift(features, np.array([COUNTS.score, COUNTS.score]), COUNTS.reference, statistic)
    wanted = {name: value for name, labels, value in of.drift_figures(COUNTS) if not labels}
    name = {"psi": "drift", "jensen_shannon": "drift_jensen_shannon"}[statistic]
    for own, rule in (
        (found.standardised, f"model:minorkey_{name}:standardised"),
        (found.null_upper, f"model:minorkey_{name}:null_upper"),
        (found.psi, "model:minorkey_feature_psi:max"),
        (found.score, f"model:minorkey_score_{statistic}:standardised"),
        (found.score_psi, "model:minorkey_score_psi:value"),
    ):
        np.testing.assert_allclose(own, wanted[rule], atol=1e-9, err_msg=rule)
