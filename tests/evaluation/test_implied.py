import numpy as np
import pytest

from minorkey.evaluation.implied import implied_mcc, implied_mcc_variance, mcc_variance
from minorkey.evaluation.metrics import Confusion, matthews_corrcoef


def confusion(cells: np.ndarray) -> Confusion:
    """Of counts of shape (n, 4): true positives, false positives, false negatives, true negatives."""
    return Confusion(*cells.T.astype(float))


@pytest.mark.parametrize("prevalence", [0.001, 0.02, 0.3])
@pytest.mark.parametrize(("recall", "false_alarms"), [(0.8, 0.01), (0.3, 0.2), (0.1, 0.5)])
def test_implied_mcc_is_that_of_the_whole_table(prevalence, recall, false_alarms):
    p, n = prevalence * 1e6, (1 - prevalence) * 1e6
    cells = np.array([[recall * p, false_alarms * n, (1 - recall) * p, (1 - false_alarms) * n]])
    whole = matthews_corrcoef(confusion(cells))[0]
    assert implied_mcc(prevalence, recall, false_alarms) == pytest.approx(whole, abs=1e-9)


def test_the_variance_of_the_implied_mcc_is_that_of_drawn_rates():
    random = np.random.default_rng(0)
    recall, alarms = random.binomial(300, 0.7, 40_000) / 300, random.binomial(9_000, 0.02, 40_000) / 9_000
    drawn = np.array([implied_mcc(0.03, *pair) for pair in zip(recall[:8_000], alarms[:8_000], strict=True)])
    by_delta = implied_mcc_variance(0.03, 0.7, 0.02, 0.7 * 0.3 / 300, 0.02 * 0.98 / 9_000)
    assert by_delta == pytest.approx(drawn.var(), rel=0.1)


def test_the_variance_of_mcc_is_that_of_drawn_tables():
    random = np.random.default_rng(0)
    shares = np.array([0.03, 0.01, 0.02, 0.94])
    drawn = matthews_corrcoef(confusion(random.multinomial(5_000, shares, 20_000)))
    table = confusion(shares[None] * 5_000)
    assert mcc_variance(table, table)[0] == pytest.approx(drawn.var(), rel=0.05)


def test_weights_enlarge_the_variance_and_an_empty_margin_leaves_none():
    table = confusion(np.array([[30.0, 10, 20, 940]]))
    heavier = confusion(np.array([[30.0, 40, 20, 940]]))
    assert mcc_variance(table, heavier)[0] > mcc_variance(table, table)[0]
    empty = confusion(np.array([[0.0, 0, 20, 940]]))
    assert mcc_variance(empty, empty)[0] == 0
