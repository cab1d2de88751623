import dataclasses
import html
import re

import numpy as np
import pytest

from minorkey.evaluation.baselines import BASELINES
from minorkey.evaluation.metrics import METRICS, compute_metrics
from minorkey.evaluation.ranking import average_precision
from minorkey.evaluation.report import Content, curves, model_card, points, render, trial_figures
from minorkey.evaluation.report.summary import verdict_summary


def test_page_is_self_contained_and_escaped(content: Content) -> None:
    page = render(content)
    assert not re.findall(r'(?:src|href)="(?!#|data:)[^"]+"', page)
    assert "<script" not in page
    assert "cards &lt;b&gt;" in page and "cards <b>" not in page


def test_page_leads_with_the_verdict(content: Content) -> None:
    page = render(content)
    assert page.index("No champion yet") < page.index("<svg")
    assert "country" in page and "fold bag" in page


def test_page_tells_all_of_what_ships(content: Content) -> None:
    page = html.unescape(render(content))
    ships = page[page.index("What ships") : page.index("The data")]
    for told in ("{'depth': 3}", "smote", "{'ratio': 0.25}", "0.60", "yes", "14.0 days"):
        assert told in ships, told


def test_page_tells_of_duplicates_across_the_split(content: Content) -> None:
    assert "2 duplicate rows; 17 of 4,000 test rows have the feature values of a training row" in render(
        content
    )
    split = {"kind": "repeated_cv", "test_rows_also_in_training": 0}
    outer = dataclasses.replace(content, profile=content.profile | {"split": split})
    assert "2 duplicate rows. Digest" in render(outer)


def test_ids_of_figures_do_not_collide(content: Content) -> None:
    ids = re.findall(r'\bid="([^"]+)"', render(content))
    assert len(ids) == len(set(ids))


def test_confusion_counts_every_row_once(content: Content) -> None:
    matrix = np.array(points.confusion(content))
    assert matrix.sum() == len(content.y)
    assert matrix[1].sum() == content.y.sum()


@pytest.mark.parametrize("by_row", [False, True])
def test_the_cost_curve_is_the_metric_at_every_threshold(content: Content, by_row: bool) -> None:
    cost = np.random.default_rng(1).lognormal(3, 1, len(content.y)) if by_row else None
    content = dataclasses.replace(content, cost=cost)
    thresholds = np.quantile(content.score, [0.2, 0.9, 0.99])
    expected = [
        compute_metrics(content.y, content.raw, content.score, threshold, cost=cost)["expected_cost"]
        for threshold in thresholds
    ]
    assert curves.expected_costs(content, thresholds) == pytest.approx(expected)


def test_the_summary_holds_every_metric_that_it_names(content: Content) -> None:
    summary = verdict_summary(content.verdict)
    assert "| matthews_corrcoef |" in summary
    assert summary.count("0.500 (0.400 to 0.600)") == 10


def repeated(content: Content, times: int | np.ndarray) -> Content:
    """The same rows several times, as rows of their own."""
    names = ("y", "raw", "score", "called", "weight")
    return dataclasses.replace(content, **{name: np.repeat(getattr(content, name), times) for name in names})


def test_the_band_draws_whole_entities(content: Content) -> None:
    def width(shown: Content) -> float:
        low, high = points.precision_band(shown)
        return float(np.mean(high - low))

    alone, several = width(content), repeated(content, 6)
    of_entities = dataclasses.replace(several, entity=np.repeat(np.arange(len(content.y)), 6))
    assert width(of_entities) == pytest.approx(alone, rel=0.15)
    assert width(several) < 0.6 * alone


def test_the_band_is_as_wide_as_the_confidence_asks(content: Content) -> None:
    narrow = dataclasses.replace(content, verdict={**content.verdict, "confidence": 0.5})
    (low, high), (inner_low, inner_high) = points.precision_band(content), points.precision_band(narrow)
    assert (low <= inner_low).all() and (inner_high <= high).all() and (high > inner_high).any()
    assert "50 % interval" in curves.precision_recall(narrow)


def test_the_area_below_the_steps_is_average_precision(content: Content) -> None:
    weighted = dataclasses.replace(content, weight=np.random.default_rng(0).uniform(0, 2, len(content.y)))
    recall, precision = points.precision_points(weighted)
    assert np.diff(recall, prepend=0) @ precision == pytest.approx(
        average_precision(weighted.y, weighted.raw, weighted.weight)
    )


def test_a_weight_equals_repetition_in_calibration_and_counts(content: Content) -> None:
    times = 1 + np.arange(len(content.y)) % 3
    weighted, several = dataclasses.replace(content, weight=times.astype(float)), repeated(content, times)
    assert points.weighted_confusion(weighted) == points.confusion(several)
    for one, other in zip(points.reliability(weighted), points.reliability(several), strict=True):
        np.testing.assert_allclose(one, other)
    assert "Rows, each counted once." in render(content)
    assert "sums of their weights" in render(weighted)


def test_repeats_of_a_cross_validation_are_averaged(content: Content) -> None:
    twice = dataclasses.replace(
        repeated(content, 2), repeats=2, entity=np.repeat(np.arange(len(content.y)), 2)
    )
    assert points.confusion(twice) == points.confusion(content)
    twice.verdict["split"] = "repeated_cv"
    for text in (render(twice), model_card(twice)):
        assert "mean of 2 repeats" in text and "compare only roughly" in text.replace("\n", " ")


def test_what_is_not_defined_is_a_dash(content: Content) -> None:
    unknown = {"value": None, "low": None, "high": None}
    verdict = content.verdict
    for metrics in (
        verdict["metrics"]["test"],
        verdict["metrics"]["baselines"]["prior"],
        verdict["slices"][0],
    ):
        metrics |= {name: unknown for name, value in metrics.items() if isinstance(value, dict)}
    verdict["metrics"]["champion"] = dict.fromkeys(METRICS, unknown)
    verdict["gate"]["challenger"] = unknown
    content.study["metrics"]["validation"] = dict.fromkeys(METRICS, float("nan"))
    assert "| roc_auc | \N{EN DASH} |" in model_card(content)
    page = render(content)
    assert "None" not in page and "nan" not in re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL)


def test_rows_of_the_comparison_and_the_make_of_baselines_are_told(content: Content) -> None:
    for text in (render(content), model_card(content)):
        assert "1,234" in text and "neither" in text
    content.verdict["metrics"]["baselines"] = dict.fromkeys(BASELINES, content.verdict["metrics"]["test"])
    for text in (render(content), model_card(content)):
        assert "default random forest, five rows a leaf" in text and "no early stopping" in text
        assert "as they come" not in text


def test_parameter_that_decides_the_score_is_the_most_important(content: Content) -> None:
    trials = [trial for trial in content.study["trials"] if trial["outcome"] == "complete"]
    for trial in trials:
        trial["value"] = 0.5 + 0.05 * trial["configuration"]["model"]["depth"]
    found = trial_figures.importances(trials)
    assert found is not None
    assert next(iter(found[1])) == "depth"


def test_few_trials_give_no_importance(content: Content) -> None:
    assert trial_figures.importances(content.study["trials"][:6]) is None


def test_tried_counts_every_trial(content: Content) -> None:
    rows = trial_figures.tried(content.study["trials"])
    assert sum(row["complete"] + row["pruned"] + row["failed"] for row in rows) == 40


def test_searches_of_several_parts_stand_side_by_side(content: Content) -> None:
    one = [trial | {"part": "outer-0-0"} for trial in content.study["trials"][:5]]
    other = [trial | {"part": "final"} for trial in content.study["trials"][:3]]
    runs = trial_figures.history_of_parts([*one, *other])
    assert list(runs) == ["outer-0-0", "final"]
    # The fifth trial was pruned, yet has its place.
    assert [place for place, *_ in runs["outer-0-0"]] == [0, 1, 2, 3]
    assert [place for place, *_ in runs["final"]] == [5, 6, 7]
    values = [trial["value"] for trial in other]
    assert [best for _, _, best, _ in runs["final"]] == [max(values[:n]) for n in (1, 2, 3)]
    assert "2 searches one after the other" in trial_figures.history([*one, *other])


def test_card_names_use_limits_and_slices(content: Content) -> None:
    card = model_card(content)
    assert "Not stated" in card and "scenario" in card and "| country | CH |" in card
    assert f"Only {int(content.y.sum())} test positives" in card
