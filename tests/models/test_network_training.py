import numpy as np

from minorkey.models.network_training import split_to_stop_by


def _rows(n: int, positives: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, 3)).astype(np.float32), (np.arange(n) < positives).astype(np.int8)


def test_a_part_of_each_class_is_held_out() -> None:
    features, y = _rows(400, 40)
    fitted, held_out = split_to_stop_by(features, y, seed=1)
    assert sorted([*fitted, *held_out]) == list(range(400))
    assert (y[held_out].sum(), len(held_out)) == (6, 60)
    assert not np.array_equal(held_out, split_to_stop_by(features, y, seed=2)[1])


def test_copies_of_a_row_are_on_one_side() -> None:
    features, y = _rows(400, 40)
    drawn = np.concatenate([np.arange(400), np.random.default_rng(1).integers(0, 40, 600)])
    fitted, held_out = split_to_stop_by(features[drawn], y[drawn], seed=1)
    assert not set(drawn[fitted]) & set(drawn[held_out])
    assert len(set(drawn[held_out][y[drawn][held_out] == 1])) == 6


def test_a_class_of_one_row_however_often_it_comes_is_fitted() -> None:
    features, y = _rows(50, 1)
    features, y = np.vstack([features, features[:1]]), np.append(y, np.int8(1))
    fitted, held_out = split_to_stop_by(features, y, seed=0)
    assert y[fitted].sum() == 2 and not y[held_out].any() and len(held_out) == 7
