"""The reference profile and the rule that assigns rows to its bins."""

import json

import numpy as np
import pandas as pd
import pytest

from minorkey.bundle.reference import Bins, assign_bins, reference_profile
from minorkey.drift.divergences import population_stability_index, smoothed
from minorkey.spec import MonitorSpec
from tests.bundle.conftest import table


def profile(features: pd.DataFrame, **options) -> dict:
    scores = np.random.default_rng(0).beta(1, 9, len(features))
    return reference_profile(features, scores, MonitorSpec(**options))


def test_one_row_is_placed_as_many_are():
    entries = profile(table(n=1_000))["features"]
    for name, values in table(n=200, seed=5).items():
        many = assign_bins(entries[name], values.to_numpy())
        single = [Bins(entries[name]).place(value) for value in values]
        assert many.tolist() == single


def test_every_entry_counts_every_row_once():
    features = table(n=1_000)
    found = json.loads(json.dumps(profile(features)))
    assert set(found["features"]) == set(features) and found["rows"] == 1_000
    for name, entry in found["features"].items():
        places = assign_bins(entry, features[name].to_numpy())
        counts = np.bincount(places, minlength=len(entry["bins"]))
        assert np.allclose(counts / 1_000, entry["fractions"]) and sum(entry["fractions"]) == pytest.approx(1)
        assert len(set(entry["bins"])) == len(entry["bins"])


def test_thinned_rows_by_their_weights_are_as_the_rows_that_they_stand_for():
    random = np.random.default_rng(1)
    rows = random.normal(size=80_000)
    scores = 1 / (1 + np.exp(5 - 1.5 * rows))
    kept = random.random(len(rows)) < np.where(scores < 0.04, 0.1, 1.0)
    weight = np.where(scores[kept] < 0.04, 10.0, 1.0)
    thinned = reference_profile(
        pd.DataFrame({"x": rows[kept]}),
        scores[kept],
        MonitorSpec(),
        weight=weight,
        times=np.arange(kept.sum()) * 60.0,
    )
    whole = reference_profile(
        pd.DataFrame({"x": rows}), scores, MonitorSpec(), times=np.arange(len(rows)) * 60.0
    )
    window = thinned["null"]["windows"].index(8_000)
    for entry, alike, values in (
        (thinned["features"]["x"], whole["features"]["x"], random.normal(size=(40, 8_000))),
        (thinned["score"], whole["score"], random.choice(scores, (40, 8_000))),
    ):
        reference = smoothed(np.array(entry["fractions"]) * thinned["rows"])
        found = [
            population_stability_index(
                reference, smoothed(np.bincount(assign_bins(entry, one), minlength=len(entry["bins"])))
            )
            for one in values
        ]
        upper = entry["null"]["psi"][window][1]
        assert np.mean(np.array(found) > upper) <= 0.1
        # Too wide by the spread of the weights, not by their size.
        assert upper < 5 * alike["null"]["psi"][window][1]


def test_quantile_bins_hold_equal_shares():
    entry = profile(pd.DataFrame({"x": np.random.default_rng(1).normal(size=10_000)}), bins=8)["features"][
        "x"
    ]
    assert len(entry["edges"]) == 7
    assert np.allclose(entry["fractions"][:-1], 1 / 8, atol=0.002)


def test_few_values_get_a_bin_each():
    rare = np.zeros(1_000)
    rare[:7] = 1
    entry = profile(pd.DataFrame({"x": rare}))["features"]["x"]
    assert entry["edges"] == [1.0] and entry["fractions"] == [0.993, 0.007, 0.0]


def test_a_heavy_value_does_not_hide_the_rest():
    values = np.zeros(1_000)
    values[:50] = np.random.default_rng(0).lognormal(size=50)
    entry = profile(pd.DataFrame({"x": values}))["features"]["x"]
    assert entry["fractions"][0] == 0.95 and len(entry["edges"]) >= 8


def test_values_never_seen_have_their_bins():
    entries = profile(table(n=1_000))["features"]
    amount, kind = entries["amount"], entries["kind"]
    places = assign_bins(amount, np.array([-np.inf, np.inf, np.nan]))
    assert places.tolist() == [0, len(amount["edges"]), len(amount["bins"]) - 1]
    texts = np.array(["", "never seen", kind["levels"][0], "missing"], dtype=object)
    assert [kind["bins"][place] for place in assign_bins(kind, texts)] == [
        "missing",
        "other",
        kind["levels"][0],
        "other",
    ]


def test_levels_named_like_the_common_bins():
    column = np.array(["missing", "other", ""] * 10, dtype=object)
    entry = profile(pd.DataFrame({"x": pd.Series(column, dtype=object)}))["features"]["x"]
    assert entry["bins"] == ["=missing", "=other", "missing", "other"]
    assert entry["fractions"] == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0])


def test_constant_and_all_missing_columns():
    features = pd.DataFrame({"constant": np.ones(50), "missing": np.full(50, np.nan)})
    entries = profile(features)["features"]
    assert entries["constant"]["fractions"] == [1.0, 0.0]
    assert entries["missing"]["fractions"] == [0.0, 1.0] and entries["missing"]["median"] is None


def test_the_features_that_move_the_score_are_kept_and_the_others_told():
    features = table(n=2_000)
    scores = 1 / (1 + np.exp(-np.where(features["kind"] == "a", 2.0, 0.3 * features["score"])))
    found = reference_profile(features, scores, MonitorSpec(max_features=2))
    assert list(found["features"]) == ["kind", "score"] and set(found["left_out"]) == {"amount", "when"}
    assert 1 > found["features"]["kind"]["importance"] > found["features"]["score"]["importance"] > 0


def test_long_levels_are_other():
    column = pd.Series(["x" * 1_000_000, "a"] * 10, dtype=object)
    assert profile(pd.DataFrame({"x": column}))["features"]["x"]["bins"] == ["a", "missing", "other"]
