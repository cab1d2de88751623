"""Every recording rule against the library: absent, just below its gate, right, and absent again."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from minorkey.bundle.reference import reference_profile
from minorkey.drift.rules import LOOP, PRODUCTION, Windows, render
from minorkey.spec import MonitorSpec
from tests.monitoring import figures as of
from tests.monitoring.counts import Counts, drawn_counts
from tests.monitoring.exported import counters, gauges
from tests.monitoring.promtool import IDENTITY, complaints, equals, series, text
from tests.monitoring.rule_cases import CASES, ORDER, rule_file
from tests.monitoring.scenario import COUNTS

BOTH = pytest.mark.parametrize("w", [PRODUCTION, LOOP], ids=lambda w: w.name)


def complaint(folder: Path, case: str, w: Windows, counts: Counts, rules: str = "") -> str:
    (folder / "rules.yaml").write_text(rules or render("rules", w), encoding="utf-8")
    (folder / "test.yaml").write_text(rule_file(CASES[case], w, "rules.yaml", counts), encoding="utf-8")
    return complaints("test", "rules", folder / "test.yaml")


def complaint_about(folder: Path, w: Windows, step: int, case: dict[str, Any]) -> str:
    (folder / "rules.yaml").write_text(render("rules", w), encoding="utf-8")
    (folder / "test.yaml").write_text(text(["rules.yaml"], step, ORDER, [case]), encoding="utf-8")
    return complaints("test", "rules", folder / "test.yaml")


@BOTH
@pytest.mark.parametrize("case", CASES)
def test_rules_come_to_the_librarys_figures(case: str, w: Windows, tmp_path: Path, promtool: None) -> None:
    assert complaint(tmp_path, case, w, COUNTS) == ""


@BOTH
@pytest.mark.parametrize("told", ["7", "6"])
def test_counts_are_compared_with_the_reference_of_their_own_version_alone(
    w: Windows, told: str, tmp_path: Path, promtool: None
) -> None:
    reference = gauges(COUNTS.reference, 4)
    for line in reference:
        line["series"] = line["series"].replace('version="7"', f'version="{told}"')
    compared = [
        *CASES["drift"].gated,
        "model:minorkey_mcc_implied:estimated",
        "model:minorkey_mcc_gap:measured",
    ]
    step = w.drift // 8
    found = [{"labels": "{}", "value": 1}] if told == "7" else []
    checks = [
        {"eval_time": f"{3 * step}s", "expr": f"count({name}) > bool 0", "exp_samples": found}
        for name in compared
    ]
    case = {
        "interval": f"{step}s",
        "input_series": counters([(COUNTS, share) for share in (0.0, 0.5, 0.5, 0.0, 0.0)]) + reference,
        "promql_expr_test": checks,
    }
    assert complaint_about(tmp_path, w, step, case) == ""


@BOTH
def test_intervals_of_a_version_stay_wide_when_another_one_serves(
    w: Windows, tmp_path: Path, promtool: None
) -> None:
    step = w.outcome // 8
    wanted = [figure for figure in of.measured_figures(COUNTS) if "mcc:measured_" in figure[0]]
    case = {
        "interval": f"{step}s",
        # Labels come for longer than a window after the reference was told last.
        "input_series": counters([(COUNTS, 0.5 if at in (1, 4, 8, 12) else 0.0) for at in range(13)])
        + gauges(COUNTS.reference, 1),
        "promql_expr_test": [equals(12 * step, name, labels, value) for name, labels, value in wanted],
    }
    assert len(wanted) == 2
    assert complaint_about(tmp_path, w, step, case) == ""


@BOTH
@pytest.mark.parametrize("called", [0, 1])
def test_the_correlation_of_a_version_that_calls_all_alike_is_surely_nothing(
    called: int, w: Windows, tmp_path: Path, promtool: None
) -> None:
    outcome = np.zeros((2, 2))
    outcome[called] = COUNTS.labels
    counts = replace(COUNTS, outcome=outcome, square=outcome)
    step = w.outcome // 8
    mcc = [("model:minorkey_mcc:measured" + bound, {}, 0.0) for bound in ("", "_low", "_high")]
    with np.errstate(invalid="ignore"):
        wanted = [*mcc, *(figure for figure in of.measured_figures(counts) if "mcc_gap:" in figure[0])]
    case = {
        "interval": f"{step}s",
        "input_series": counters([(counts, share) for share in (0.0, 1.0, 0.0)])
        + gauges(counts.reference, 2),
        "promql_expr_test": [equals(2 * step, name, labels, value) for name, labels, value in wanted],
    }
    assert len(wanted) == 6
    assert complaint_about(tmp_path, w, step, case) == ""


@BOTH
@pytest.mark.parametrize(
    ("needed", "unlabelled", "audited", "weight", "known"),
    [
        (1, 0, 0, 0, False),
        (1, 100, 0, 0, False),
        (1, 90, 10, 49, False),
        (1, 90, 10, 50, True),
        (0, 100, 0, 0, True),
    ],
)
def test_outcomes_of_selective_labels_count_while_the_audit_stands_for_what_was_blocked(
    needed: int,
    unlabelled: float,
    audited: float,
    weight: float,
    known: bool,
    w: Windows,
    tmp_path: Path,
    promtool: None,
) -> None:
    step = w.outcome // 8
    added = {"unlabelled": unlabelled, "audited": audited, "audited_weight": weight}
    audit = [
        series(f"minorkey_outcome_{name}_total", IDENTITY, f"0 {value} {value}")
        for name, value in added.items()
    ]
    told = series("minorkey_outcome_needs_audit", {"model": "cards"}, f"{needed} {needed} stale")
    names = ("mcc:measured", "prevalence:measured_low", "calibration_intercept:measured")
    found = [{"labels": "{}", "value": 1}] if known else []
    case = {
        "interval": f"{step}s",
        "input_series": counters([(COUNTS, share) for share in (0.0, 1.0, 0.0)])
        + gauges(COUNTS.reference, 2)
        + [*audit, told],
        "promql_expr_test": [
            {
                "eval_time": f"{2 * step}s",
                "expr": f"count(model:minorkey_{name}) > bool 0",
                "exp_samples": found,
            }
            for name in names
        ],
    }
    assert complaint_about(tmp_path, w, step, case) == ""


def drawn(seed: int, **options: float | bool) -> Counts:
    """Counts of 3,000 drawn rows against a reference of 4,000 others, drifted."""
    random = np.random.default_rng(seed)
    levels = np.array(["NL", "BE", 'D"E', "\\", ""], dtype=object)

    def columns(n: int, shift: float) -> dict[str, np.ndarray]:
        amount = random.lognormal(3 + shift, 1, n)
        return {
            "amount": np.where(random.random(n) < 0.1, np.nan, amount),
            "country": random.choice(levels, n, p=[0.5 - shift / 2, 0.2 + shift / 2, 0.1, 0.1, 0.1]),
        }

    before = columns(4_000, 0.0)
    profile = reference_profile(pd.DataFrame(before), random.beta(0.6, 6, 4_000), MonitorSpec(), seed=seed)
    rates = {"prevalence": 0.09, "true_positive": 0.6, "false_positive": 0.04}
    variances = {"true_positive_variance": 0.0006, "false_positive_variance": 0.00001}
    profile["rates"] = rates | variances
    return drawn_counts(profile, columns(3_000, 0.3), seed=seed, **options)


@pytest.mark.parametrize(
    ("case", "options"),
    [
        ("drift", {}),
        ("estimated", {}),
        ("measured", {"shift": -0.5, "slope": 0.7}),
        ("measured", {"audited": True}),
    ],
)
def test_rules_come_to_the_librarys_figures_on_drawn_counts(
    case: str, options: dict[str, float | bool], tmp_path: Path, promtool: None
) -> None:
    assert complaint(tmp_path, case, LOOP, drawn(1, **options)) == ""


@pytest.mark.parametrize(
    ("case", "right", "wrong"),
    [
        ("drift", "increase + 0.5)", "increase + 0.50001)"),
        ("measured", "minorkey_mcc_variance", "minorkey_mcc_scale"),
        ("measured", "1.959963984540054", "1.95999"),
        ("measured", "minorkey_mcc_gap_design:effect", "minorkey_mcc_design:effect"),
        ("estimated", ">= 50", ">= 49"),
    ],
)
def test_a_fault_in_a_rule_is_found(
    case: str, right: str, wrong: str, tmp_path: Path, promtool: None
) -> None:
    rules = render("rules", LOOP)
    assert right in rules
    assert complaint(tmp_path, case, LOOP, COUNTS, rules.replace(right, wrong)) != ""
