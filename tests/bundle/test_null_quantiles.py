import numpy as np
import pytest

from minorkey.bundle.null_quantiles import QUANTILES, STATISTICS, WINDOWS, null_quantiles
from minorkey.bundle.reference_rates import better_rates, reference_rates
from minorkey.drift.divergences import smoothed

BINS = {"a": 10, "b": 4}


def places(random: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    return {"a": random.integers(0, 10, n), "b": np.minimum(random.geometric(0.5, n) - 1, 3)}


def by_window(found: dict, name: str, statistic: str) -> np.ndarray:
    return np.array(found[name][statistic])


def test_a_window_without_drift_exceeds_the_upper_quantile_about_as_often_as_it_says():
    random = np.random.default_rng(0)
    reference = places(random, 6_000)
    found, largest = null_quantiles(reference, BINS)
    counted = {name: smoothed(np.bincount(place, minlength=BINS[name])) for name, place in reference.items()}
    for statistic, function in STATISTICS.items():
        above, above_all = 0, 0
        for _ in range(400):
            standardised = []
            for name, place in places(random, WINDOWS[0]).items():
                value = function(counted[name], smoothed(np.bincount(place, minlength=BINS[name])))
                low, high = by_window(found, name, statistic)[0]
                standardised.append((value - low) / (high - low))
            above += standardised[0] > 1
            above_all += max(standardised) > largest[statistic][0][1]
        assert above <= 14
        assert above_all <= 14


def test_quantiles_shrink_with_the_window_and_keep_their_order():
    found, largest = null_quantiles(places(np.random.default_rng(0), 6_000), BINS)
    for name in BINS:
        for statistic in STATISTICS:
            table = by_window(found, name, statistic)
            assert table.shape == (len(WINDOWS), len(QUANTILES))
            assert (table[:, 1] > table[:, 0]).all() and (np.diff(table[:, 1]) < 0).all()
    assert np.shape(largest["psi"]) == (len(WINDOWS), len(QUANTILES))


def test_a_reference_that_swings_from_period_to_period_allows_for_swings():
    random = np.random.default_rng(1)
    # Twenty periods that each prefer another bin.
    favourite = np.repeat(random.integers(0, 10, 20), 300)
    swinging = np.where(random.random(6_000) < 0.5, favourite, random.integers(0, 10, 6_000))
    times = np.arange(6_000.0)
    ordered, _ = null_quantiles({"a": swinging}, BINS, times=times)
    shuffled, _ = null_quantiles({"a": swinging}, BINS)
    assert by_window(ordered, "a", "psi")[0, 1] > 5 * by_window(shuffled, "a", "psi")[0, 1]
    turned = random.permutation(6_000)
    again, _ = null_quantiles({"a": swinging[turned]}, BINS, times=times[turned])
    assert again == ordered


def test_the_same_seed_gives_the_same_quantiles():
    rows = places(np.random.default_rng(2), 700)
    assert null_quantiles(rows, BINS, seed=3) == null_quantiles(rows, BINS, seed=3)
    assert null_quantiles(rows, BINS, seed=3) != null_quantiles(rows, BINS, seed=4)


@pytest.mark.parametrize("n", [0, 1, 3, 399, 401])
def test_few_rows(n):
    found, largest = null_quantiles(places(np.random.default_rng(0), n), BINS)
    if n == 0:
        assert (found, largest) == ({}, {})
    else:
        assert np.isfinite(by_window(found, "a", "psi")).all()
        assert np.isfinite(largest["psi"]).all()


def test_reference_rates():
    y, weight = np.array([1, 1, 0, 0, 0, 0]), np.array([1.0, 3.0, 1.0, 1.0, 1.0, 1.0])
    design = {"recall": 1.0, "specificity": 2.0}
    found = reference_rates(y, weight, {"recall": 0.75, "specificity": 0.9}, design)
    assert found["prevalence"] == 0.5
    assert found["true_positive"] == 0.75
    assert found["false_positive"] == pytest.approx(0.1)
    assert found["true_positive_variance"] == pytest.approx(0.75 * 0.25 * 10 / 16)
    assert found["false_positive_variance"] == pytest.approx(2 * 0.09 / 4)
    alone = reference_rates(np.zeros(3), None, {"recall": np.nan, "specificity": 1.0}, design)
    assert alone["true_positive"] is None and alone["true_positive_variance"] is None
    assert alone["false_positive"] == 0 and alone["prevalence"] == 0
    assert reference_rates(np.zeros(0), None, {}, design)["prevalence"] is None


def test_an_adjusted_model_is_judged_by_the_better_rates() -> None:
    former = {
        "prevalence": 0.05,
        "true_positive": 0.8,
        "false_positive": 0.01,
        "true_positive_variance": 0.01,
    }
    fallen = {"prevalence": 0.1, "true_positive": 0.6, "false_positive": 0.01, "true_positive_variance": 0.02}
    # Another threshold of the same ranking, better at a tenth of positives.
    moved = {
        "prevalence": 0.1,
        "true_positive": 0.88,
        "false_positive": 0.015,
        "true_positive_variance": 0.02,
    }
    assert better_rates(fallen, former) == former | {"prevalence": 0.1}
    assert better_rates(moved, former) == moved
    assert better_rates(fallen, {}) == fallen
    assert better_rates(fallen, former | {"false_positive": None}) == fallen
    unknown = fallen | {"prevalence": None}
    assert better_rates(unknown, former) == unknown
    assert better_rates(fallen | {"prevalence": 0.0}, former)["true_positive"] == 0.6
