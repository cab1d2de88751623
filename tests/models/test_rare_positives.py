"""What must not happen where positives are one in a thousand."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from minorkey.models import FAMILIES
from minorkey.models.boosting import bin_count
from minorkey.models.family import Facts


def cluster(seed: int, rows: int = 20_000, positives: int = 20):
    """Positives in a narrow cluster inside the negatives' range."""
    rng = np.random.default_rng(seed)
    y = np.zeros(rows, np.int8)
    y[:positives] = 1
    features = rng.normal(size=(rows, 3)).astype(np.float32)
    features[:positives] = [0.5, 0.5, 0.5] + rng.normal(size=(positives, 3)) * 1e-3
    return features, y


@pytest.mark.parametrize("name", ["lightgbm", "xgboost", "extra_trees", "random_forest"])
def test_a_narrow_cluster_of_twenty_positives_is_found(name):
    features, y = cluster(seed=0)
    family = FAMILIES[name]
    params = family.portfolio(Facts(rows=len(y), positives=int(y.sum()), numeric=3, categorical=0))[0]
    fitted = family.fit(features, y, np.ones(len(y)), params, seed=0)
    fresh, truth = cluster(seed=1)
    assert average_precision_score(truth, fitted.score(fresh)) > 0.8


@pytest.mark.parametrize("name", ["random_forest", "extra_trees"])
def test_heavy_negatives_do_not_thin_out_the_positives_that_a_tree_sees(name):
    features, y = cluster(seed=0, rows=400, positives=8)
    weight = np.where(y == 1, 1.0, 100.0)
    params = {"max_features": 1.0, "min_samples_leaf": 1, "criterion": "gini"}
    fitted = FAMILIES[name].fit(features, y, weight / weight.mean(), params, seed=0)
    assert fitted.score(features)[y == 1].mean() > 0.6


def test_bins_are_fine_for_few_columns_and_bounded_for_many():
    assert bin_count(3) == 4_095
    assert bin_count(1_000) == 255
