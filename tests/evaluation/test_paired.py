import numpy as np
import pytest

from minorkey.evaluation.implied import mcc_slopes, mcc_variance
from minorkey.evaluation.metrics import matthews_corrcoef
from minorkey.evaluation.paired import RAISED, confusion_of_challenger, confusion_of_champion, mcc_difference


def cells_of(champion, challenger, actual):
    cells = np.zeros((2, 2, 2))
    np.add.at(cells, (champion, challenger, actual), 1.0)
    return cells


def test_the_difference_is_that_of_the_two_confusion_matrices():
    random = np.random.default_rng(0)
    champion, challenger, actual = (random.random((3, 500)) < 0.3).astype(int)
    cells = cells_of(champion, challenger, actual)
    for predicted, confusion in (
        (champion, confusion_of_champion(cells)),
        (challenger, confusion_of_challenger(cells)),
    ):
        assert confusion.tp[0] == np.sum(predicted & actual)
        assert confusion.fp[0] == np.sum(predicted & ~actual & 1)
        assert matthews_corrcoef(confusion)[0] == pytest.approx(np.corrcoef(predicted, actual)[0, 1])
    difference, variance = mcc_difference(cells, cells)
    apart = np.corrcoef(challenger, actual)[0, 1] - np.corrcoef(champion, actual)[0, 1]
    assert difference == pytest.approx(apart)
    own = [mcc_variance(confusion_of_champion(cells), confusion_of_champion(cells))[0]] * 2
    assert 0 < variance < 3 * sum(own)


def test_the_variance_is_that_of_drawn_tables():
    random = np.random.default_rng(0)
    shares = np.array([[[0.93, 0.006], [0.01, 0.008]], [[0.012, 0.004], [0.005, 0.025]]])
    drawn = random.multinomial(8_000, shares.ravel() / shares.sum(), 4_000).reshape(-1, 2, 2, 2)
    differences = [mcc_difference(one, one)[0] for one in drawn.astype(float)]
    table = shares / shares.sum() * 8_000
    assert mcc_difference(table, table)[1] == pytest.approx(np.var(differences), rel=0.1)


@pytest.mark.parametrize("differing", [0.0005, 0.003, 0.02])
def test_equals_are_seldom_called_better(differing):
    """However few rows they decide otherwise on: at most 2.5 % on each side, within chance."""
    random = np.random.default_rng(1)
    shares = np.array(
        [[[0.95, 0.01], [differing / 2, differing / 4]], [[differing / 2, differing / 4], [0.01, 0.02]]]
    )
    drawn = random.multinomial(4_000, shares.ravel() / shares.sum(), 4_000).reshape(-1, 2, 2, 2)
    low = []
    for one in drawn.astype(float):
        difference, variance = mcc_difference(one, one)
        low.append(difference - 1.96 * np.sqrt(variance))
    assert np.mean(np.array(low) > 0) <= 0.025 + 3 * np.sqrt(0.025 / 4_000)


def test_weights_enlarge_the_variance_and_one_that_calls_nothing_adds_none():
    cells = np.array([[[900.0, 12], [10, 14]], [[8, 5], [9, 30]]])
    assert mcc_difference(cells, 4 * cells)[1] > 3 * mcc_difference(cells, cells)[1]
    assert RAISED > 0
    silent = cells.copy()
    silent[:, 1] = 0
    difference, variance = mcc_difference(silent, silent)
    own = confusion_of_champion(silent)
    slopes = mcc_slopes(own)
    alone = mcc_variance(own, own)[0] + RAISED * sum(
        slope[0] ** 2 for slope in (slopes.tp, slopes.fp, slopes.fn, slopes.tn)
    )
    assert difference < 0 and variance == pytest.approx(alone)
