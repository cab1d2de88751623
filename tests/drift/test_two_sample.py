"""One suite for every test: uniform without drift, low with it, the same for the same seed."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency, ks_2samp

from minorkey.drift.two_sample import TWO_SAMPLE_TESTS, Sample, two_sample_test
from minorkey.drift.two_sample.encoding import joint_matrix
from minorkey.drift.two_sample.population_stability import PopulationStability
from minorkey.errors import ShapeError, SpecError

LEVELS = np.array(list("abcdefgh"), dtype=object)


def numbers(random: np.random.Generator, n: int, shift: float = 0.0) -> pd.DataFrame:
    values = random.normal(shift, 1, n)
    return pd.DataFrame({"x": np.where(random.random(n) < 0.05, np.nan, values)})


def tied(random: np.random.Generator, n: int, shift: float = 0.0) -> pd.DataFrame:
    return pd.DataFrame({"x": np.where(random.random(n) < 0.5, 0, random.poisson(3 + 2 * shift, n)) * 1.0})


def levels(random: np.random.Generator, n: int, shift: float = 0.0) -> pd.DataFrame:
    return pd.DataFrame({"x": LEVELS[np.minimum(random.geometric(0.35 - 0.15 * shift, n) - 1, 7)]})


def mixed(random: np.random.Generator, n: int, shift: float = 0.0) -> pd.DataFrame:
    joined = {"a": numbers(random, n, shift)["x"], "b": tied(random, n)["x"], "c": levels(random, n)["x"]}
    return pd.DataFrame(joined)


#: Test, rows drawn, rows of the reference and of today, replications.
CASES = {
    "ks": ("ks", numbers, 400, 100, 200),
    "ks, tied": ("ks", tied, 300, 60, 200),
    "chi2": ("chi2", levels, 400, 100, 200),
    "chi2, rare levels": ("chi2", levels, 60, 20, 200),
    "js": ("js", numbers, 400, 100, 200),
    "psi": ("psi", numbers, 400, 100, 200),
    "psi, levels": ("psi", levels, 400, 100, 200),
    "mmd": ("mmd", mixed, 60, 40, 100),
    "classifier": ("classifier", mixed, 80, 60, 40),
}


def cheap(name: str):
    """The test of that name with few draws."""
    test = two_sample_test(name)
    fewer = {"mmd": {"permutations": 99}, "classifier": {"trees": 10}}
    return type(test)(**fewer.get(name, {"draws": 199}))


@pytest.mark.parametrize("case", CASES)
def test_p_values_are_uniform_without_drift(case):
    name, make, n, m, replications = CASES[case]
    test = cheap(name)
    p_values = []
    for seed in range(replications):
        random = np.random.default_rng([seed, 7])
        outcome = test.compare(Sample(make(random, n)), Sample(make(random, m)), seed=seed)
        p_values.append(outcome.p_value)
    for level in (0.05, 0.1, 0.5):
        three_errors = 3 * np.sqrt(level * (1 - level) / replications)
        assert abs(np.mean(np.array(p_values) <= level) - level) <= three_errors


@pytest.mark.parametrize("case", CASES)
def test_a_real_shift_is_found(case):
    name, make, *_ = CASES[case]
    random = np.random.default_rng(3)
    reference, current = Sample(make(random, 400)), Sample(make(random, 400, 1.0))
    assert cheap(name).compare(reference, current, seed=0).p_value <= 0.01


@pytest.mark.parametrize("name", TWO_SAMPLE_TESTS)
def test_the_same_seed_gives_the_same_outcome(name):
    make = {"numeric": numbers, "categorical": levels, "column": tied, "joint": mixed}
    test = cheap(name)
    samples = [Sample(make[test.scope](np.random.default_rng(seed), 60)) for seed in (0, 1)]
    assert test.compare(*samples, seed=5) == test.compare(*samples, seed=5)
    assert test.compare(samples[0], samples[0], seed=5).p_value > 0.05


@pytest.mark.parametrize("case", ["ks", "ks, tied", "chi2", "psi", "mmd"])
def test_weights_that_depend_on_values_do_not_alarm_where_they_undo_a_bias(case):
    name, make, *_ = CASES[case]
    test = cheap(name)
    alarms = 0
    for seed in range(60):
        random = np.random.default_rng([seed, 1])
        reference, rows = make(random, 200), make(random, 600)
        # Only a quarter of the rows with the first column's larger half are kept, with weight 4.
        first = pd.factorize(rows.iloc[:, 0], sort=True)[0]
        thinned = first > np.median(first)
        kept = ~thinned | (random.random(600) < 0.25)
        weight = np.where(thinned, 4.0, 1.0)[kept]
        outcome = test.compare(Sample(reference), Sample(rows[kept], weight), seed=seed)
        alarms += outcome.p_value <= 0.05
    assert alarms <= 10


def test_ks_without_ties_is_scipys():
    random = np.random.default_rng(0)
    a, b = random.normal(size=900), random.normal(0.05, 1, 700)
    ours = two_sample_test("ks").compare(
        Sample(pd.DataFrame({"x": a})), Sample(pd.DataFrame({"x": b})), seed=0
    )
    theirs = ks_2samp(a, b)
    assert ours.statistic == pytest.approx(theirs.statistic, abs=1e-12)
    assert ours.p_value == pytest.approx(theirs.pvalue, abs=0.02)


def test_chi_squared_is_scipys():
    random = np.random.default_rng(0)
    a, b = levels(random, 900), levels(random, 700, 0.1)
    table = np.array([[np.sum(one["x"] == level) for level in LEVELS] for one in (a, b)])
    theirs = chi2_contingency(table, correction=False)
    ours = two_sample_test("chi2").compare(Sample(a), Sample(b), seed=0)
    assert ours.statistic == pytest.approx(theirs.statistic)
    assert ours.p_value == pytest.approx(theirs.pvalue)


def test_a_new_level_and_a_change_of_the_missing_share_are_seen():
    known = pd.DataFrame({"x": np.array(["a", "b"] * 100, dtype=object)})
    other = pd.DataFrame({"x": np.array(["a", "c"] * 100, dtype=object)})
    full = pd.DataFrame({"x": np.arange(200.0)})
    holes = full.where(np.arange(200)[:, None] % 4 > 0)
    for name, before, after in (("chi2", known, other), ("psi", known, other), ("ks", full, holes)):
        assert two_sample_test(name).compare(Sample(before), Sample(after), seed=0).p_value <= 0.01


def test_psi_stays_below_its_null_quantile_as_often_as_it_says():
    above = 0
    test = PopulationStability(draws=199)
    for seed in range(100):
        random = np.random.default_rng(seed)
        table = test.table(Sample(numbers(random, 400)), Sample(numbers(random, 100)))
        limit = test.null_quantile(table, 0.9, seed=seed)
        above += float(test.divergence(table.reference, table.current)) > limit
    assert 2 <= above <= 20


def test_constant_columns_and_few_rows_are_no_drift():
    constant = Sample(pd.DataFrame({"x": np.ones(30)}))
    text = Sample(pd.DataFrame({"x": np.array(["a"] * 30, dtype=object)}))
    for name, sample in (("ks", constant), ("psi", constant), ("chi2", text), ("mmd", constant)):
        assert two_sample_test(name).compare(sample, sample, seed=0).p_value == 1
    single = Sample(pd.DataFrame({"x": [1.0]}))
    for name in ("ks", "mmd", "classifier"):
        assert two_sample_test(name).compare(single, single, seed=0).p_value == 1


def test_ranks_and_levels_of_all_columns():
    first = pd.DataFrame({"x": [1.0, np.nan], "y": np.array(["a", ""], dtype=object)})
    second = pd.DataFrame({"x": [1e9, 2.0], "y": np.array(["a", "b"], dtype=object)})
    matrix = joint_matrix(Sample(first), Sample(second))
    assert matrix.shape == (4, 5)
    np.testing.assert_allclose(matrix[:, 0], [-1 / 3, 0, 1 / 3, 0])
    np.testing.assert_allclose(matrix[:, 1], [-0.5, 0.5, -0.5, -0.5])


@pytest.mark.parametrize(
    "call",
    [
        lambda: Sample(pd.DataFrame({"x": []})),
        lambda: Sample(pd.DataFrame({"x": [1.0]}), np.array([1.0, 2.0])),
        lambda: Sample(pd.DataFrame({"x": [1.0, 2.0]}), np.array([1.0, -1.0])),
        lambda: Sample(pd.DataFrame({"x": [1.0, 2.0]}), np.array([0.0, 0.0])),
        lambda: two_sample_test("ks").compare(
            Sample(pd.DataFrame({"x": LEVELS})), Sample(pd.DataFrame({"x": LEVELS})), seed=0
        ),
        lambda: two_sample_test("chi2").compare(
            Sample(pd.DataFrame({"x": [1.0]})), Sample(pd.DataFrame({"x": [1.0]})), seed=0
        ),
        lambda: two_sample_test("psi").compare(
            Sample(pd.DataFrame({"x": [1.0], "y": [1.0]})), Sample(pd.DataFrame({"x": [1.0]})), seed=0
        ),
        lambda: two_sample_test("mmd").compare(
            Sample(pd.DataFrame({"x": [1.0]})), Sample(pd.DataFrame({"y": [1.0]})), seed=0
        ),
    ],
)
def test_samples_that_do_not_suit_are_refused(call):
    with pytest.raises(ShapeError):
        call()


def test_an_unknown_test_is_refused_with_the_known_ones():
    with pytest.raises(SpecError, match="ks, chi2"):
        two_sample_test("kuiper")
