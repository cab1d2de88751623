import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from minorkey.errors import ShapeError
from minorkey.evaluation.ranking import Ranking, average_precision
from tests.evaluation.strategies import rows


@settings(max_examples=60, deadline=None)
@given(rows())
def test_equals_scikit_learn(sample):
    y, score, weight = sample
    ranking = Ranking.of(y, score)
    assert ranking.average_precision(weight[None])[0] == pytest.approx(
        average_precision_score(y, score, sample_weight=weight), abs=1e-12
    )
    assert ranking.roc_auc(weight[None])[0] == pytest.approx(
        roc_auc_score(y, score, sample_weight=weight), abs=1e-12
    )


@settings(max_examples=60, deadline=None)
@given(rows())
def test_a_weight_equals_repetition(sample):
    y, score, weight = sample
    times = weight.astype(int)
    repeated = average_precision(np.repeat(y, times), np.repeat(score, times))
    assert average_precision(y, score, weight) == pytest.approx(repeated, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(rows(), st.sampled_from([np.exp, np.cbrt, lambda score: 7 * score - 3, np.arctan]))
def test_only_the_order_of_the_scores_counts(sample, monotone):
    y, score, weight = sample
    changed, original = Ranking.of(y, monotone(score)), Ranking.of(y, score)
    assert np.array_equal(changed.average_precision(weight[None]), original.average_precision(weight[None]))
    assert np.array_equal(changed.roc_auc(weight[None]), original.roc_auc(weight[None]))


@settings(max_examples=60, deadline=None)
@given(rows(), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_count(sample, random):
    y, score, weight = sample
    order = list(range(len(y)))
    random.shuffle(order)
    assert average_precision(y[order], score[order], weight[order]) == pytest.approx(
        average_precision(y, score, weight), abs=1e-12
    )


@settings(max_examples=60, deadline=None)
@given(rows())
def test_the_mean_share_outranked_is_what_the_roc_curve_lacks(sample):
    y, score, weight = sample
    ranking = Ranking.of(y, score)
    shares = ranking.outranked(weight)
    lacking = 1 - ranking.roc_auc(weight[None])[0]
    assert np.average(shares[y == 1], weights=weight[y == 1]) == pytest.approx(lacking, abs=1e-12)
    assert not shares[y == 0].any()


def test_many_weightings_at_once_equal_one_at_a_time():
    generator = np.random.default_rng(0)
    y, score = (generator.random(300) < 0.1).astype(int), generator.integers(0, 40, 300) / 40
    weights = generator.integers(0, 3, (20, 300)).astype(float)
    ranking = Ranking.of(y, score)
    together = ranking.average_precision(weights), ranking.roc_auc(weights)
    for place, weight in enumerate(weights):
        assert together[0][place] == pytest.approx(
            average_precision_score(y, score, sample_weight=weight), abs=1e-12
        )
        assert together[1][place] == pytest.approx(roc_auc_score(y, score, sample_weight=weight), abs=1e-12)


def test_a_class_that_is_absent_has_no_ranking_metric():
    score = np.array([0.1, 0.5, 0.9])
    ones = np.ones((2, 3))
    without, only = Ranking.of(np.zeros(3), score), Ranking.of(np.ones(3), score)
    assert np.isnan(without.average_precision(ones)).all()
    assert np.isnan(without.roc_auc(ones)).all()
    assert np.isnan(only.roc_auc(ones)).all()
    assert only.average_precision(ones).tolist() == [1.0, 1.0]


def test_no_rows_at_all():
    assert np.isnan(average_precision(np.empty(0), np.empty(0)))


@pytest.mark.parametrize(
    ("y", "score"), [([0, 1], [0.5]), ([0, 1], [0.5, np.nan]), ([0, 1], [np.inf, 0.1]), ([[0]], [[0.1]])]
)
def test_what_cannot_be_ranked_is_refused(y, score):
    with pytest.raises(ShapeError):
        Ranking.of(y, score)
