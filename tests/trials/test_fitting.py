import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minorkey.trials.executor import NotANumberError
from minorkey.trials.fitting import class_weights, sample_negatives
from minorkey.trials.scoring import fold_score

Y = np.array([1] * 5 + [0] * 95, dtype=np.int8)


@given(st.floats(0.01, 1.0), st.integers(0, 100))
def test_negatives_are_sampled_and_weighted_up(share: float, seed: int) -> None:
    rows, factor = sample_negatives(Y, share, seed=seed)
    assert Y[rows].sum() == 5
    assert len(np.unique(rows)) == len(rows) == 5 + max(1, round(share * 95))
    assert factor[Y[rows] == 0].sum() == pytest.approx(95)
    assert (factor[Y[rows] == 1] == 1).all()


def test_a_smaller_sample_is_part_of_a_larger_one() -> None:
    small, large = (sample_negatives(Y, share, seed=3)[0] for share in (1 / 9, 1 / 3))
    assert set(small) < set(large)


def test_the_exponent_goes_from_as_is_to_balanced() -> None:
    weight = np.linspace(0.5, 1.5, len(Y))
    assert (class_weights(Y, weight, 0.0) == 1).all()
    balanced = weight * class_weights(Y, weight, 1.0)
    assert balanced[Y == 1].sum() == pytest.approx(balanced[Y == 0].sum())
    half = weight * class_weights(Y, weight, 0.5)
    ratio = weight[Y == 0].sum() / weight[Y == 1].sum()
    assert half[Y == 0].sum() / half[Y == 1].sum() == pytest.approx(ratio**0.5)


def test_average_precision_by_hand_with_weights() -> None:
    y = np.array([1, 0, 1], dtype=np.int8)
    scores = np.array([0.9, 0.8, 0.7])
    assert fold_score(y, scores, np.ones(3)) == pytest.approx((1 + 2 / 3) / 2)
    assert fold_score(y, scores, np.array([1.0, 2.0, 1.0])) == pytest.approx((1 + 2 / 4) / 2)


def test_scores_that_are_no_numbers() -> None:
    with pytest.raises(NotANumberError):
        fold_score(Y, np.full(len(Y), np.nan), np.ones(len(Y)))


def test_positives_that_are_no_longer_rare_are_sampled_too() -> None:
    y = np.array([1] * 90 + [0] * 90, dtype=np.int8)
    rows, factor = sample_negatives(y, 1 / 9, seed=0)
    assert len(rows) == 20 and y[rows].sum() == 10
    assert factor == pytest.approx(np.full(20, 9.0))
