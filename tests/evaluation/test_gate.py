import json

import numpy as np
import pytest

from benchmarks.binormal import Scenario
from benchmarks.gate import pair
from minorkey.errors import ContractError, ShapeError
from minorkey.evaluation.gate import judge, spent_alpha
from minorkey.spec import GateSpec

TEST = Scenario("", 3_000, 0.04, 2.5, 0.3)
CLUSTERED = Scenario("", 3_000, 0.04, 2.5, 0.3, entities=300)
DRIFTED = GateSpec(rule="non_inferior", margin=0.05, confirmed_drift=True)


def compared(gain, seed=0, scenario=TEST):
    return pair(scenario, gain, np.random.default_rng(seed))


def test_a_clear_gain_is_promoted():
    y, challenger, champion, _ = compared(0.8)
    verdict = judge(y, challenger, champion, bootstraps=200)
    assert verdict.decision == "promote"
    assert verdict.difference.low > 0
    assert verdict.difference.value == pytest.approx(verdict.challenger.value - verdict.champion.value)


def test_the_same_model_is_not_promoted():
    y, challenger, _, _ = compared(0.0)
    verdict = judge(y, challenger, challenger, bootstraps=200)
    assert verdict.decision == "keep"
    assert verdict.difference.value == 0


def test_a_worse_model_is_not_promoted():
    y, challenger, champion, _ = compared(0.8)
    assert judge(y, champion, challenger, bootstraps=200).decision == "keep"


@pytest.mark.parametrize("scenario", [TEST, CLUSTERED], ids=["rows", "clustered"])
def test_equal_models_are_seldom_promoted(scenario):
    promoted = 0
    for seed in range(60):
        y, challenger, champion, entity = compared(0.0, seed, scenario)
        promoted += judge(y, challenger, champion, entity=entity, bootstraps=100).decision == "promote"
    assert promoted <= 6


def test_later_openings_ask_for_more():
    y, challenger, champion, _ = compared(0.3)
    bounds = [judge(y, challenger, champion, opening=k, bootstraps=200).difference.low for k in (1, 2, 10)]
    assert bounds == sorted(bounds, reverse=True)
    assert len(set(bounds)) == 3


def test_all_openings_together_spend_alpha():
    assert sum(spent_alpha(0.05, k) for k in range(1, 100_000)) == pytest.approx(0.05, rel=1e-4)
    with pytest.raises(ContractError):
        spent_alpha(0.05, 0)


def test_a_challenger_no_better_than_chance_replaces_not_even_a_reversed_champion():
    y, challenger, _, _ = compared(0.8)
    guessing = np.random.default_rng(1).random(len(y))
    verdict = judge(y, guessing, -challenger, bootstraps=200)
    assert verdict.difference.low > 0 and verdict.decision == "keep"
    assert "better than chance" in verdict.reason
    assert judge(y, challenger, -challenger, bootstraps=200).decision == "promote"


def test_few_positives_never_replace_a_champion():
    y = np.repeat([1, 0], [49, 2_000])
    verdict = judge(y, y.astype(float), 1.0 - y, bootstraps=100)
    assert verdict.decision == "keep"
    assert "49" in verdict.reason


def test_few_positives_may_be_a_first_champion():
    y = np.repeat([1, 0], [20, 2_000])
    assert judge(y, y + 0.0, None, bootstraps=100).decision == "promote"


def test_rows_that_a_model_has_seen_do_not_count():
    y, challenger, champion, _ = compared(0.8)
    seen = np.arange(len(y)) < 1_000
    spoiled = np.where(seen, 1e6 * (1 - 2 * y), challenger)
    masked = judge(y, spoiled, champion, comparable=~seen, bootstraps=200)
    clean = judge(y[~seen], challenger[~seen], champion[~seen], bootstraps=200)
    assert masked == clean
    assert masked.rows == 2_000


@pytest.mark.parametrize(("gain", "decision"), [(0.0, "promote"), (-0.8, "keep")])
def test_non_inferior(gain, decision):
    y, challenger, champion, _ = compared(gain, scenario=Scenario("", 20_000, 0.04, 2.5, 0.3))
    assert judge(y, challenger, champion, spec=DRIFTED, bootstraps=200).decision == decision


def test_chance_is_no_first_champion():
    promoted = 0
    for seed in range(60):
        generator = np.random.default_rng(seed)
        y = (generator.random(1_500) < 0.05).astype(int)
        promoted += judge(y, generator.random(1_500), None, bootstraps=100, seed=seed).decision == "promote"
    assert promoted <= 5


def test_only_the_order_of_the_scores_counts():
    y, challenger, champion, _ = compared(0.3)
    assert judge(y, np.exp(challenger), np.arctan(champion), bootstraps=100) == judge(
        y, challenger, champion, bootstraps=100
    )


def test_a_weight_of_zero_takes_a_row_away():
    y, challenger, champion, _ = compared(0.3)
    weight = (np.arange(len(y)) % 2).astype(float)
    verdict = judge(y, challenger, champion, weight=weight, bootstraps=200)
    half = judge(y[1::2], challenger[1::2], champion[1::2], bootstraps=200)
    assert verdict.difference.value == pytest.approx(half.difference.value)


@pytest.mark.parametrize(("y", "positives"), [(np.zeros(30), 0), (np.ones(30), 30), (np.empty(0), 0)])
@pytest.mark.parametrize("champion", [False, True])
def test_degenerate_tests_keep_and_say_why(y, positives, champion):
    score = np.linspace(0, 1, len(y))
    verdict = judge(y, score, score if champion else None, bootstraps=100)
    assert verdict.decision == "keep"
    assert verdict.positives == positives
    assert verdict.reason
    json.dumps(verdict.to_json(), allow_nan=False)


def test_json_tells_everything():
    y, challenger, champion, _ = compared(0.3)
    content = judge(y, challenger, champion, opening=2, bootstraps=100).to_json()
    assert content["opening"] == 2
    assert content["difference"]["low"] < content["difference"]["value"]
    assert set(content) == {
        "decision", "reason", "rule", "opening", "alpha", "challenger", "champion", "difference", "rows",
        "positives", "base_rate",
    }  # fmt: skip


def test_the_mean_of_the_repeats_is_judged():
    y, challenger, champion, _ = compared(0.4)
    noisy = challenger + np.random.default_rng(1).normal(0, 1, (2, len(y)))
    verdict = judge(y, noisy, champion, bootstraps=100)
    single = [judge(y, one, champion, bootstraps=100).challenger.value for one in noisy]
    assert verdict.challenger.value == pytest.approx(np.mean(single))
    assert judge(y, noisy.mean(axis=0), champion, bootstraps=100).challenger.value > max(single)


def test_a_mask_of_another_length_is_refused():
    with pytest.raises(ShapeError):
        judge([0, 1], [0.1, 0.2], None, comparable=[True])
