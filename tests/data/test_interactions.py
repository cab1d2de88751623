"""Which pairs of numeric columns are compared."""

import numpy as np

from minorkey.data.interactions import MOST_PAIRS, choose_pairs


def columns(n: int = 500) -> tuple[list[str], np.ndarray]:
    rng = np.random.default_rng(0)
    amount = rng.lognormal(3, 1, n)
    values = [amount, amount * rng.lognormal(0, 0.3, n), rng.normal(size=n) * 1e6, rng.integers(0, 2, n)]
    return ["amount", "mean_amount", "noise", "flag"], np.column_stack(values).astype(np.float32)


def test_what_measures_the_same_thing_comes_first():
    pairs = choose_pairs(*columns())
    assert (pairs[0].first, pairs[0].second) == (0, 1)


def test_two_valued_and_constant_columns_take_no_part():
    names, values = columns()
    values = np.column_stack([values, np.ones(len(values))]).astype(np.float32)
    used = {
        column for pair in choose_pairs([*names, "constant"], values) for column in (pair.first, pair.second)
    }
    assert used == {0, 1, 2}


def test_columns_that_rank_alike_are_no_pair():
    values = np.arange(100, dtype=np.float32)
    assert choose_pairs(["a", "b"], np.column_stack([values, values * 3 + 1])) == ()


def test_the_denominator_is_less_often_zero():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(400, 2)).astype(np.float32)
    values[:200, 1] = 0
    assert choose_pairs(["a", "b"], values)[0].second == 0


def test_the_number_of_pairs_is_bounded():
    values = np.random.default_rng(0).normal(size=(200, 60)).astype(np.float32)
    assert len(choose_pairs([f"c{i}" for i in range(60)], values)) == MOST_PAIRS


def test_too_few_columns_give_none():
    assert choose_pairs([], np.empty((10, 0), np.float32)) == ()
    assert choose_pairs(["a"], np.arange(10, dtype=np.float32)[:, None]) == ()
