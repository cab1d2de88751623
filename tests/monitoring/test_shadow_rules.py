"""Rules of a challenger in shadow: the library's figures, and not one of the champion's changed by them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from minorkey.drift.divergences import population_stability_index, smoothed
from minorkey.drift.rules import LOOP, PRODUCTION, Windows, render
from minorkey.evaluation.metrics import matthews_corrcoef
from minorkey.evaluation.paired import confusion_of_challenger, confusion_of_champion, mcc_difference
from tests.monitoring.promtool import IDENTITY, absent, complaints, equals, series, steps, text
from tests.monitoring.rule_cases import CASES, ORDER, rule_file
from tests.monitoring.scenario import COUNTS

BOTH = pytest.mark.parametrize("w", [PRODUCTION, LOOP], ids=lambda w: w.name)
#: Version 8 in the shadow of version 7.
OWN = {"version": "8"}
PAIR = OWN | {"champion": "7"}
DECISIONS = np.array([[9_000, 300], [100, 600.0]])
EXPECTED = np.array([[9_050.5, 49.5], [400.0, 500.0]])
SCORE = {"00": (6_000, 0.5), "01": (3_500, 0.375), "02": (500, 0.125)}
CELLS = np.array([[[8_000, 40], [200, 90]], [[260, 20], [150, 240.0]]])
SQUARES = CELLS * np.array([[[1, 1], [1, 1]], [[1, 1], [2, 2]]])
#: Fewer rows than their weights come to: some are audited.
LABELS = (8_500, 300)
SECONDS = {"champion": (900, 90, 10, 0), "challenger": (500, 400, 80, 20)}
BOUNDS = (0.001, 0.01, 0.1)
ERRORS, MISSED = {"unfit": 0.0, "failed": 30.0}, 70.0
_BELOW, _FULL, _STEPS = 2, 4, 8
_Z = 1.959963984540054


def counters() -> Iterator[tuple[str, dict[str, str], float]]:
    for champion in (0, 1):
        for predicted in (0, 1):
            labels = PAIR | {"champion_predicted": str(champion), "predicted": str(predicted)}
            yield "prediction_total", labels, DECISIONS[champion, predicted]
            for actual in (0, 1):
                both = labels | {"actual": str(actual)}
                yield "outcome_total", both, CELLS[champion, predicted, actual]
                yield "outcome_square_total", both, SQUARES[champion, predicted, actual]
    for actual in (0, 1):
        yield "outcome_label_total", PAIR | {"actual": str(actual)}, LABELS[actual]
        for predicted in (0, 1):
            labels = OWN | {"predicted": str(predicted), "actual": str(actual)}
            yield "expected_outcome_total", labels, EXPECTED[predicted, actual]
    for place, (rows, _) in SCORE.items():
        yield "score_bin_total", OWN | {"bin": place}, rows
    for reason, rows in ERRORS.items():
        yield "error_total", OWN | {"reason": reason}, rows
    yield "dropped_total", OWN, MISSED
    for scorer, numbers in SECONDS.items():
        for bound, number in zip((*map(str, BOUNDS), "+Inf"), np.cumsum(numbers), strict=True):
            yield "seconds_bucket", OWN | {"scorer": scorer, "le": bound}, float(number)


def told(shares: list[float], prefix: str = "minorkey_shadow_") -> list[dict[str, str]]:
    """Series of two replicas; each step adds a share of the counts."""
    lines = [
        series(
            f"{prefix}{name}",
            IDENTITY | labels | {"instance": replica},
            steps([value * part * share for share in shares], cumulative=True),
        )
        for name, labels, value in counters()
        for replica, part in (("a", 0.375), ("b", 0.625))
    ]
    return lines + [
        series(
            f"{prefix}score_reference_fraction",
            IDENTITY | OWN | {"bin": place, "instance": replica},
            f"{share:.17g}x{len(shares)}",
        )
        for place, (_, share) in SCORE.items()
        for replica in "ab"
    ]


def decided(w: Windows) -> Iterator[tuple[str, dict[str, str], float]]:
    """What the rules come to without labels."""
    rows = DECISIONS.sum()
    yield "model_champion:minorkey_shadow_rows:increase", PAIR, rows
    yield "model_champion:minorkey_shadow_disagreement:ratio", PAIR, 400 / rows
    yield "model_champion:minorkey_shadow_predicted_positive:ratio", PAIR, 900 / rows
    yield "model_champion:minorkey_shadow_champion_predicted_positive:ratio", PAIR, 700 / rows
    counts, shares = (np.array([pair[place] for pair in SCORE.values()], float) for place in (0, 1))
    yield (
        "model:minorkey_shadow_score_psi:value",
        OWN,
        float(population_stability_index(shares, smoothed(counts))),
    )
    (tn, fn), (fp, tp) = EXPECTED
    mcc = (tp * tn - fp * fn) / np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    yield "model:minorkey_shadow_mcc:estimated", OWN, mcc
    yield "model:minorkey_shadow_recall:estimated", OWN, tp / (tp + fn)


def watched(w: Windows) -> Iterator[tuple[str, dict[str, str], float]]:
    """What the rules of the short window come to."""
    lost = MISSED + sum(ERRORS.values())
    yield "model:minorkey_shadow_lost:ratio", OWN, lost / (lost + DECISIONS.sum())
    slowest = "model_scorer:minorkey_shadow_seconds:p99"
    yield slowest, OWN | {"scorer": "champion"}, 0.01
    yield slowest, OWN | {"scorer": "challenger"}, 0.1


def measured(w: Windows) -> Iterator[tuple[str, dict[str, str], float]]:
    """What the rules come to with labels."""
    for name, of in (("shadow", confusion_of_challenger), ("shadow_champion", confusion_of_champion)):
        found = of(CELLS)
        yield f"model_champion:minorkey_{name}_mcc:measured", PAIR, float(matthews_corrcoef(found)[0])
        precision, recall = found.tp[0] / (found.tp + found.fp)[0], found.tp[0] / (found.tp + found.fn)[0]
        yield f"model_champion:minorkey_{name}_precision:measured", PAIR, precision
        yield f"model_champion:minorkey_{name}_recall:measured", PAIR, recall
    difference, variance = mcc_difference(CELLS, SQUARES)
    gap = "model_champion:minorkey_shadow_mcc_gap:measured"
    yield gap, PAIR, difference
    yield f"{gap}_low", PAIR, difference - _Z * np.sqrt(variance)
    yield f"{gap}_high", PAIR, difference + _Z * np.sqrt(variance)


#: By name: window, the share of the counts just below the gate, and what the rules come to.
GROUPS: dict[str, tuple[Any, Any, Any]] = {
    "decided": (lambda w: w.drift, lambda w: (w.rows - 1) / 10_000, decided),
    "watched": (lambda w: w.traffic, lambda w: 0.0, watched),
    "measured": (lambda w: w.outcome, lambda w: (w.positives - 1) / LABELS[1], measured),
}
GATED = {
    "decided": ("model:minorkey_shadow_score_psi:value", "model:minorkey_shadow_mcc:estimated"),
    "watched": ("model:minorkey_shadow_lost:ratio", "model_champion:minorkey_shadow_mcc_gap:measured"),
    "measured": (
        "model_champion:minorkey_shadow_mcc:measured",
        "model_champion:minorkey_shadow_champion_mcc:measured",
        "model_champion:minorkey_shadow_mcc_gap:measured_low",
    ),
}


def complaint(folder: Path, name: str, w: Windows, rules: str = "") -> str:
    window, gate, figures = GROUPS[name]
    step, below = -(-window(w) // _STEPS), gate(w)
    after = _FULL + _STEPS + 2
    shares = [0.0] * (after + 1)
    shares[_BELOW - 1], shares[_FULL - 1] = below, 1 - below
    checks = [absent(at * step, one) for at in (1, _BELOW, after) for one in GATED[name] if at or below]
    if name == "watched":
        checks = [absent(at * step, GATED[name][0]) for at in (1, after)]
    checks += [equals(_FULL * step, record, labels, value) for record, labels, value in figures(w)]
    (folder / "rules.yaml").write_text(rules or render("rules", w), encoding="utf-8")
    tests = [{"interval": f"{step}s", "input_series": told(shares), "promql_expr_test": checks}]
    (folder / "test.yaml").write_text(text(["rules.yaml"], step, [*ORDER, "minorkey-shadow"], tests))
    return complaints("test", "rules", folder / "test.yaml")


@BOTH
@pytest.mark.parametrize("name", GROUPS)
def test_rules_come_to_the_librarys_figures(name: str, w: Windows, tmp_path: Path, promtool: None) -> None:
    assert complaint(tmp_path, name, w) == ""


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("measured", ") + 1\n", ") + 2\n"),
        ("measured", 'champion_predicted="1", predicted="0", actual="1"', 'predicted="0", actual="1"'),
        ("measured", "_outcome_label_total{actual", "_outcome_total{actual"),
        ("decided", 'champion_predicted="0", predicted="1"', 'predicted="1"'),
        ("watched", "increase(minorkey_shadow_dropped", "0 * increase(minorkey_shadow_dropped"),
    ],
)
def test_a_fault_in_a_rule_is_found(
    name: str, right: str, wrong: str, tmp_path: Path, promtool: None
) -> None:
    own = render("rules", LOOP).partition("- name: minorkey-shadow")
    assert right in own[2]
    assert complaint(tmp_path, name, LOOP, own[0] + own[1] + own[2].replace(right, wrong)) != ""


@pytest.mark.parametrize(
    ("case", "prefix"),
    [("drift", "minorkey_shadow_"), ("measured", "minorkey_shadow_"), ("drift", "minorkey_")],
)
def test_a_challenger_in_shadow_changes_no_figure_of_the_champion(
    case: str, prefix: str, tmp_path: Path, promtool: None
) -> None:
    """And no rule but its own, nor an alert of the champion's, says anything of it."""
    (tmp_path / "rules.yaml").write_text(render("rules", LOOP), encoding="utf-8")
    content = yaml.safe_load(rule_file(CASES[case], LOOP, "rules.yaml", COUNTS))
    (test,) = content["tests"]
    shares = [0.0, 1.0, *[0.5] * 13]
    foreign = '{__name__=~"model.*:.+", __name__!~".+:minorkey_shadow_.+", version="8"}'
    full = test["promql_expr_test"][-len(CASES[case].gated) - 1]["eval_time"]
    test["promql_expr_test"].append({"eval_time": full, "expr": foreign, "exp_samples": []})
    test["input_series"] += told(shares, prefix)
    content["group_eval_order"] = [*ORDER, "minorkey-shadow"]
    (tmp_path / "test.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    # Under the champion's own names they would be seen.
    assert (complaints("test", "rules", tmp_path / "test.yaml") == "") is (prefix == "minorkey_shadow_")


@BOTH
def test_only_rules_and_alerts_of_the_shadow_read_its_metrics(w: Windows) -> None:
    for kind, ours in (("rules", {"minorkey-shadow"}), ("alerts", set[str]())):
        for group in yaml.safe_load(render(kind, w))["groups"]:
            for rule in group["rules"]:
                own = group["name"] in ours or "Shadow" in rule.get("alert", "")
                assert ("minorkey_shadow_" in rule["expr"]) is own, rule
                assert ("minorkey_shadow_" in rule.get("record", "")) is (own and kind == "rules")
