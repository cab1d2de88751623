from pathlib import Path

import numpy as np

from minorkey.bundle.bundle import Bundle
from minorkey.data.dataset import Feature, Schema
from minorkey.serving.samples import central_values, sample_rows
from tests.serving.bundles import small_bundle


def test_rows_lie_within_the_reference(bundle: Bundle) -> None:
    rows = sample_rows(bundle.info, 1_000)
    edges = bundle.info.reference["features"]["amount"]["edges"]
    amounts = rows["amount"][~np.isnan(rows["amount"])]
    assert edges[0] <= amounts.min() <= amounts.max() <= edges[-1]
    assert 50 <= np.isnan(rows["amount"]).sum() <= 150
    assert set(rows["country"]) == {"NL", "BE", "DE", ""}
    assert rows["country"][0] != ""


def test_the_same_seed_gives_the_same_rows(bundle: Bundle) -> None:
    first, again, other = (sample_rows(bundle.info, 5, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first["amount"], again["amount"])
    assert not np.array_equal(first["amount"], other["amount"])


def test_central_values_are_median_and_mode(bundle: Bundle) -> None:
    centre = central_values(bundle.info)
    entry = bundle.info.reference["features"]["country"]
    assert centre["amount"] == bundle.info.reference["features"]["amount"]["median"]
    mode = entry["bins"][int(np.argmax(entry["fractions"]))]
    assert centre["country"] == ("" if mode == "missing" else mode)


def test_a_single_feature_is_served(tmp_path: Path) -> None:
    schema = Schema((Feature("country", "categorical"),), "fraud", "yes", "no")
    bundle = small_bundle(tmp_path / "one", schema=schema)
    assert bundle.score_arrays(sample_rows(bundle.info, 3))[1].shape == (3,)
