import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import false_discovery_control

from minorkey.drift.divergences import jensen_shannon, population_stability_index, smoothed
from minorkey.drift.multiplicity import benjamini_hochberg
from minorkey.errors import ShapeError

counts = st.lists(st.integers(0, 500), min_size=2, max_size=12).filter(any)


def test_smoothing_adds_half_to_every_bin():
    np.testing.assert_allclose(smoothed([0, 3, 1]), np.array([0.5, 3.5, 1.5]) / 5.5)
    np.testing.assert_allclose(smoothed([[0, 1], [9, 0]]).sum(axis=1), 1)


def test_psi_by_hand():
    p, q = np.array([0.2, 0.3, 0.5]), np.array([0.3, 0.3, 0.4])
    by_hand = 0.1 * np.log(0.3 / 0.2) + -0.1 * np.log(0.4 / 0.5)
    assert population_stability_index(p, q) == pytest.approx(by_hand, abs=1e-12)


@given(counts, st.randoms(use_true_random=False))
def test_psi_is_symmetric_not_negative_and_zero_for_equal_shares(reference, random):
    current = random.sample(reference, len(reference))
    p, q = smoothed(reference), smoothed(current)
    index = population_stability_index(p, q)
    assert index >= 0
    assert index == pytest.approx(population_stability_index(q, p))
    assert population_stability_index(p, p) == 0


@given(counts, st.randoms(use_true_random=False))
def test_jensen_shannon_is_scipys(reference, random):
    p = np.array(reference) / sum(reference)
    q = np.array(random.sample(reference, len(reference))) / sum(reference)
    assert jensen_shannon(p, q) == pytest.approx(jensenshannon(p, q, base=2) ** 2, abs=1e-7)


def test_jensen_shannon_of_what_has_nothing_in_common_is_one():
    assert jensen_shannon([1, 0], [0, 1]) == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda: smoothed([]),
        lambda: smoothed([-1, 2]),
        lambda: smoothed([0, 0], by=0),
        lambda: population_stability_index([0.5, 0.5], [1.0, 0.0]),
        lambda: population_stability_index([0.5, 0.5], [0.2, 0.3, 0.5]),
        lambda: jensen_shannon(0.5, 0.5),
        lambda: benjamini_hochberg([0.5, 1.5]),
        lambda: benjamini_hochberg([[0.5]]),
    ],
)
def test_what_cannot_be_compared_is_refused(call):
    with pytest.raises(ShapeError):
        call()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_benjamini_hochberg_is_scipys(p_values):
    np.testing.assert_allclose(benjamini_hochberg(p_values), false_discovery_control(p_values), atol=1e-12)


def test_tests_that_did_not_take_place_count_for_nothing():
    found = benjamini_hochberg([0.01, np.nan, 0.04])
    np.testing.assert_allclose(found, [0.02, np.nan, 0.04])
    assert len(benjamini_hochberg([])) == 0
