import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from minorkey.evaluation.fold_ranking import FoldRanking


def test_mean_of_the_folds_weighing_as_their_positives():
    generator = np.random.default_rng(0)
    y, score = (generator.random(90) < 0.3).astype(int), generator.random(90)
    rows = [np.arange(0, 30), np.arange(30, 70), np.arange(70, 90)]
    positives = [y[fold].sum() for fold in rows]
    expected = np.average([average_precision_score(y[fold], score[fold]) for fold in rows], weights=positives)
    found = FoldRanking.of(y, score, rows).average_precision(np.ones((1, 90)))[0]
    assert found == pytest.approx(expected, abs=1e-12)


def test_the_scale_of_a_fold_does_not_count():
    generator = np.random.default_rng(1)
    y, score = (generator.random(60) < 0.3).astype(int), generator.random(60)
    rows = [np.arange(0, 30), np.arange(30, 60)]
    weights = generator.integers(0, 3, (8, 60)).astype(float)
    moved = np.where(np.arange(60) < 30, score / 100, score)
    assert np.array_equal(
        FoldRanking.of(y, moved, rows).average_precision(weights),
        FoldRanking.of(y, score, rows).average_precision(weights),
    )


def test_folds_without_positives_are_passed_over():
    y, score = np.array([0, 0, 1, 0]), np.array([0.9, 0.8, 0.7, 0.6])
    ranking = FoldRanking.of(y, score, [np.array([0, 1]), np.array([2, 3])])
    assert ranking.average_precision(np.ones((1, 4))).tolist() == [1.0]
    assert np.isnan(FoldRanking.of(y * 0, score, [np.arange(4)]).average_precision(np.ones((1, 4))))[0]
