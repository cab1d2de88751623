import numpy as np

from minorkey.evaluation.bootstrap import paired_average_precision, replicate_weights, row_weights
from minorkey.evaluation.ranking import Ranking


def drawn(n, replicates, **options):
    chosen = {"weight": None, "entity": None, "seed": 0} | options
    return np.concatenate(list(replicate_weights(n, replicates, **chosen)))


def test_each_replicate_draws_as_many_rows_as_there_are():
    weights = drawn(50, 30)
    assert weights.shape == (30, 50)
    assert (weights.sum(axis=1) == 50).all()
    assert abs(weights.mean(axis=0) - 1).max() < 1


def test_an_entity_is_drawn_as_a_whole():
    entity = np.array(["b", "a", "b", "c", "a", "b"])
    weights = drawn(6, 40, entity=entity)
    for name in "abc":
        assert (np.ptp(weights[:, entity == name], axis=1) == 0).all()
    assert (weights[:, [1, 0, 3]].sum(axis=1) == 3).all()


def test_own_weights_multiply_the_counts():
    own = np.array([0.0, 0.5, 2.0])
    assert np.array_equal(drawn(3, 25, weight=own), drawn(3, 25) * own)


def test_a_seed_gives_the_same_draws_and_another_seed_others():
    assert np.array_equal(drawn(20, 5, seed=3), drawn(20, 5, seed=3))
    assert not np.array_equal(drawn(20, 5, seed=3), drawn(20, 5, seed=4))


def test_chunks_make_up_all_replicates():
    parts = list(replicate_weights(900_000, 9, weight=None, entity=None, seed=0))
    assert len(parts) > 1
    assert sum(len(part) for part in parts) == 9


def test_rankings_are_judged_on_the_same_draws():
    y = np.array([1, 0, 0, 1, 0, 0, 0, 1])
    score = np.arange(8) / 8
    ranking = Ranking.of(y, score)
    twice = paired_average_precision([ranking, ranking], 8, 50, weight=None, entity=None, seed=0)
    assert np.array_equal(twice[0], twice[1], equal_nan=True)


def test_no_rows_make_undefined_replicates():
    ranking = Ranking.of(np.empty(0), np.empty(0))
    assert np.isnan(paired_average_precision([ranking], 0, 5, weight=None, entity=None, seed=0)).all()


def test_rows_weigh_one_unless_told():
    assert row_weights(3, None).tolist() == [1, 1, 1]
    assert row_weights(2, [1, 2]).dtype == np.float64
