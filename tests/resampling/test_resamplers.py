"""The contract that every resampler keeps."""

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from minorkey.errors import ContractError, SpecError
from minorkey.models.family import Facts
from minorkey.resampling import RESAMPLERS, resampler

OVER = ("random_over", "smote", "smote_nc", "borderline_smote", "adasyn")
UNDER = ("random_under", "near_miss", "tomek_links", "cluster_centroids")
COMBINED = ("smote_tomek", "smote_enn")
INTERPOLATING = ("smote", "borderline_smote", "adasyn", *COMBINED)
FACTS = Facts(rows=400, positives=24, numeric=5, categorical=0)


def rows(positives: int, n: int = 400, categories: bool = False, seed: int = 0):
    rng = np.random.default_rng(seed)
    y = np.zeros(n, np.int8)
    y[rng.choice(n, positives, replace=False)] = 1
    x = rng.normal(size=(n, 5)) + y[:, None]
    x *= [1, 1_000, 1e-4, 1, 1]
    if categories:
        x[:, 3] = rng.integers(0, 6, n)
        x[:, 4] = rng.integers(0, 3, n)
    return x.astype(np.float32), y, ((3, 6), (4, 3)) if categories else ()


def middle(name: str, facts: Facts = FACTS) -> dict:
    values = {}
    for key, distribution in resampler(name).space(facts).items():
        if isinstance(distribution, FloatDistribution):
            values[key] = (distribution.low * distribution.high) ** 0.5
        elif isinstance(distribution, IntDistribution):
            values[key] = (distribution.low + distribution.high) // 2
        elif isinstance(distribution, CategoricalDistribution):
            values[key] = distribution.choices[0]
    return values


def as_set(x, y):
    return {(row.tobytes(), int(label)) for row, label in zip(x, y, strict=True)}


@pytest.mark.parametrize("name", RESAMPLERS)
@pytest.mark.parametrize("categories", [False, True])
@pytest.mark.parametrize("positives", [1, 2, 4, 6, 24])
def test_contract(name, categories, positives):
    x, y, categorical = rows(positives, categories=categories)
    if categories and name in INTERPOLATING:
        with pytest.raises(ContractError, match="codes"):
            resampler(name).resample(x, y, categorical, middle(name), seed=1)
        return
    before = x.copy(), y.copy()
    new_x, new_y = resampler(name).resample(x, y, categorical, middle(name), seed=1)
    again_x, again_y = resampler(name).resample(x, y, categorical, middle(name), seed=1)
    assert np.array_equal(new_x, again_x) and np.array_equal(new_y, again_y)
    assert np.array_equal(x, before[0]) and np.array_equal(y, before[1])
    assert new_x.dtype == np.float32 and new_y.dtype == np.int8 and len(new_x) == len(new_y)
    assert np.isfinite(new_x).all()
    assert set(np.unique(new_y)) == {0, 1}
    originals = as_set(x, y)
    if name in OVER:
        assert np.array_equal(new_y[new_y == 0], y[y == 0])
        assert new_y.sum() >= positives
    if name in (*UNDER, "none", "random_over"):
        assert as_set(new_x, new_y) <= originals
    if name in UNDER:
        assert new_y.sum() == positives and len(new_y) <= len(y)
    for column, levels in categorical:
        assert np.isin(new_x[:, column], np.arange(levels)).all()


@pytest.mark.parametrize("name", ["random_over", "smote", "borderline_smote", "random_under", "near_miss"])
@pytest.mark.parametrize("ratio", [0.2, 0.5, 1.0])
def test_ratio_is_reached(name, ratio):
    x, y, _ = rows(24)
    _, new_y = resampler(name).resample(x, y, (), middle(name) | {"ratio": ratio}, seed=0)
    assert new_y.sum() / (new_y == 0).sum() == pytest.approx(ratio, rel=0.03)


@pytest.mark.parametrize("name", ["adasyn", "cluster_centroids"])
def test_ratio_is_approached(name):
    x, y, _ = rows(24)
    _, new_y = resampler(name).resample(x, y, (), middle(name) | {"ratio": 0.5}, seed=0)
    assert new_y.sum() / (new_y == 0).sum() == pytest.approx(0.5, rel=0.3)


@pytest.mark.parametrize("name", [name for name in RESAMPLERS if name not in ("none", "tomek_links")])
def test_a_ratio_already_reached_changes_nothing(name):
    x, y, _ = rows(200)
    if name in COMBINED:
        new_x, new_y = resampler("smote").resample(x, y, (), middle(name) | {"ratio": 0.5}, seed=0)
    else:
        new_x, new_y = resampler(name).resample(x, y, (), middle(name) | {"ratio": 0.5}, seed=0)
    assert np.array_equal(new_x, x) and np.array_equal(new_y, y)


@pytest.mark.parametrize("name", [name for name in RESAMPLERS if not RESAMPLERS[name].deterministic])
def test_the_seed_decides(name):
    x, y, categorical = rows(24, categories=name == "smote_nc")
    first, _ = resampler(name).resample(x, y, categorical, middle(name), seed=1)
    second, _ = resampler(name).resample(x, y, categorical, middle(name), seed=2)
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("name", [name for name in RESAMPLERS if RESAMPLERS[name].deterministic])
def test_deterministic_means_the_seed_is_ignored(name):
    x, y, _ = rows(24)
    first, _ = resampler(name).resample(x, y, (), middle(name), seed=1)
    second, _ = resampler(name).resample(x, y, (), middle(name), seed=2)
    assert np.array_equal(first, second)


def test_smote_interpolates_between_positives_whatever_the_units():
    x, y, _ = rows(24)
    new_x, new_y = resampler("smote").resample(x, y, (), {"ratio": 1.0, "k_neighbors": 3}, seed=0)
    positives = x[y == 1]
    synthetic = new_x[len(x) :]
    slack = 1e-5 * np.ptp(positives, axis=0)
    assert (synthetic >= positives.min(axis=0) - slack).all()
    assert (synthetic <= positives.max(axis=0) + slack).all()
    rescaled, _ = resampler("smote").resample(
        x * np.float32(1024), y, (), {"ratio": 1.0, "k_neighbors": 3}, seed=0
    )
    assert np.allclose(rescaled, new_x * 1024, rtol=1e-4, atol=1e-3 * np.abs(new_x).max(axis=0) * 1024)
    assert (new_y[len(x) :] == 1).all()


def test_combined_cleaning_keeps_original_rows_bit_for_bit():
    x, y, _ = rows(24)
    for name in COMBINED:
        new_x, new_y = resampler(name).resample(x, y, (), middle(name), seed=0)
        assert as_set(new_x[new_y == 0], new_y[new_y == 0]) <= as_set(x, y)
        assert new_y.sum() > 24


def test_tomek_links_removes_exactly_the_negative_end():
    x = np.array([[0.0], [0.1], [5.0], [5.2], [7.0], [7.1], [9.0]], np.float32)
    y = np.array([1, 0, 0, 0, 0, 0, 1], np.int8)
    new_x, new_y = resampler("tomek_links").resample(x, y, (), {}, seed=0)
    assert np.array_equal(new_x, np.delete(x, 1, axis=0)) and new_y.sum() == 2


@pytest.mark.parametrize("name", [name for name in RESAMPLERS if name != "none"])
def test_what_does_not_suit_the_data_leaves_the_space(name):
    one = resampler(name)
    assert not one.applies(Facts(rows=400, positives=24, numeric=5, categorical=2, weighted=True))
    assert not one.applies(Facts(rows=400, positives=3, numeric=5, categorical=2))
    assert not one.applies(Facts(rows=400, positives=199, numeric=5, categorical=2))
    assert one.applies(Facts(rows=400, positives=24, numeric=5, categorical=int(name == "smote_nc")))


@pytest.mark.parametrize("name", [*INTERPOLATING])
def test_interpolation_leaves_the_space_where_there_are_categories(name):
    assert not resampler(name).applies(Facts(rows=400, positives=24, numeric=5, categorical=2))


@pytest.mark.parametrize("name", ["tomek_links", "cluster_centroids", "smote_tomek", "smote_enn"])
def test_slow_resamplers_leave_the_space_of_large_data(name):
    assert not resampler(name).applies(Facts(rows=200_000, positives=2_000, numeric=5, categorical=0))


@pytest.mark.parametrize("name", RESAMPLERS)
@pytest.mark.parametrize(
    ("n", "positives"), [(400, 6), (400, 24), (100_000, 200), (1_000_000, 50_000), (50, 20)]
)
def test_space_is_valid(name, n, positives):
    for distribution in resampler(name).space(Facts(n, positives, 5, 0)).values():
        if not isinstance(distribution, CategoricalDistribution):
            assert distribution.low <= distribution.high
    ratio = resampler(name).space(Facts(n, positives, 5, 0)).get("ratio")
    assert ratio is None or ratio.high <= 1


def test_unknown_name_lists_what_is_allowed():
    with pytest.raises(SpecError, match="smote_enn"):
        resampler("smoke")
