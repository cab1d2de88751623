import numpy as np
import pytest

from minorkey.errors import ShapeError
from minorkey.evaluation.calibration import sigmoid
from minorkey.evaluation.ranking import average_precision
from minorkey.evaluation.selection import blend, choose_members


def sample(separations, n=6_000, own=1.0, seed=0):
    """Candidates whose errors are independent up to `own`; labels and folds."""
    generator = np.random.default_rng(seed)
    y = (generator.random(n) < 0.05).astype(int)
    common = generator.normal(size=n) * np.sqrt(1 - own)
    scores = [sigmoid(d * y + common + np.sqrt(own) * generator.normal(size=n) - 2) for d in separations]
    return np.array(scores), y, generator.integers(0, 5, n)


def test_models_with_different_errors_ship_together():
    scores, y, folds = sample([2.5, 2.5, 2.4])
    choice = choose_members(scores, y, folds)
    assert choice.ensemble
    assert len(choice.members) == 3
    assert sum(weight for _, weight in choice.members) == pytest.approx(1)
    assert choice.difference.low > 0
    assert average_precision(y, blend(scores, choice.members)) > average_precision(y, scores[0])


def test_copies_ship_as_one():
    scores, y, folds = sample([2.5, 1.0], own=0.0)
    choice = choose_members(np.array([scores[0], scores[0], scores[1]]), y, folds)
    assert not choice.ensemble
    assert choice.members == ((0, 1.0),)


def test_a_gain_within_noise_does_not_ship():
    shipped = 0
    for seed in range(6):
        generator = np.random.default_rng(seed)
        scores, y, folds = sample([2.5], n=1_500, seed=seed)
        near = scores[0] + 1e-3 * generator.normal(size=(3, len(y)))
        shipped += choose_members(np.vstack([scores, near]), y, folds).ensemble
    assert shipped <= 3


@pytest.mark.parametrize("most", [1, 2, 3])
def test_no_more_members_than_asked(most):
    scores, y, folds = sample([2.5, 2.4, 2.3, 2.2])
    choice = choose_members(scores, y, folds, most=most)
    assert len(choice.members) <= most
    assert choice.ensemble == (most > 1)


def test_one_candidate():
    scores, y, folds = sample([2.0])
    choice = choose_members(scores, y, folds)
    assert choice.members == ((0, 1.0),)
    assert choice.value.value == pytest.approx(average_precision(y, scores[0]))


def test_the_cross_fitted_value_of_noise_is_not_optimistic():
    excess, honest = [], []
    for seed in range(6):
        scores, y, folds = sample([0.0] * 8, n=800, seed=seed)
        choice = choose_members(scores, y, folds, seed=seed)
        excess.append(choice.value.value - y.mean())
        honest.append(choice.cross_fitted_value.value - y.mean())
    assert np.mean(excess) > 0.01
    assert np.mean(honest) < 0.6 * np.mean(excess)


def test_a_fold_has_no_say_in_its_own_scores():
    scores, y, folds = sample([2.5, 2.4, 2.0], n=2_000)
    first = choose_members(scores, y, folds).cross_fitted_scores
    changed = choose_members(scores, np.where(folds == 3, 1 - y, y), folds)
    if changed.ensemble:
        assert np.array_equal(changed.cross_fitted_scores[folds == 3], first[folds == 3])
    single = choose_members(scores, y, folds, most=1).cross_fitted_scores
    other = choose_members(scores, np.where(folds == 3, 1 - y, y), folds, most=1).cross_fitted_scores
    assert np.array_equal(other[folds == 3], single[folds == 3])


def test_weights_count_and_the_seed_decides():
    scores, y, folds = sample([2.5, 0.5], n=2_000)
    half = np.arange(2_000) % 2 == 0
    mixed = np.where(half, scores, scores[::-1])
    assert choose_members(mixed, y, folds, weight=half.astype(float), most=1).members == ((0, 1.0),)
    assert choose_members(mixed, y, folds, weight=(~half).astype(float), most=1).members == ((1, 1.0),)
    first, again = (choose_members(scores, y, folds, seed=5) for _ in range(2))
    assert first.members == again.members
    assert first.difference == again.difference


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ShapeError):
        choose_members(np.zeros((2, 3)), [0, 1], [0, 1])
    with pytest.raises(ShapeError):
        choose_members(np.zeros((0, 2)), [0, 1], [0, 1])
    with pytest.raises(ShapeError):
        choose_members(np.zeros((1, 2)), [0, 1], [0, 1, 2])
