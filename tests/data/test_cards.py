import time

import numpy as np
import pandas as pd
import pytest

from minorkey.data.cards import generate_cards
from minorkey.data.cards_history import PastRows
from minorkey.errors import SpecError

HISTORIES = [
    "customer_count_1h",
    "customer_count_1d",
    "customer_mean_amount_1d",
    "customer_count_7d",
    "customer_mean_amount_7d",
    "customer_country_count_7d",
    "terminal_count_1d",
    "terminal_count_7d",
    "terminal_fraud_share_1d",
    "terminal_fraud_share_7d",
]


@pytest.fixture(scope="module")
def cards() -> pd.DataFrame:
    return generate_cards(rows=20_000, days=40, seed=3, scenario=True)


def test_shape_and_kinds(cards: pd.DataFrame) -> None:
    assert len(cards) == 20_000
    assert cards["time"].is_monotonic_increasing
    assert cards["time"].min() >= pd.Timestamp("2025-01-06")
    assert cards["time"].max() < pd.Timestamp("2025-01-06") + pd.Timedelta(40, "D")
    assert (cards["amount"] > 0).all()
    assert cards["transaction_id"].is_unique
    assert 0.005 <= cards["fraud"].mean() <= 0.01
    assert set(cards.columns) >= set(HISTORIES)


def test_a_million_rows_take_less_than_ten_seconds() -> None:
    started = time.process_time()
    generate_cards(rows=200_000, drift_day=30)
    assert time.process_time() - started < 2.0


def test_only_some_columns_have_missing_values(cards: pd.DataFrame) -> None:
    missing = cards.isna().mean()
    assert 0.01 < missing["country"] < 0.1
    assert 0.01 < missing["customer_age"] < 0.1
    assert missing[["amount", "merchant_category", "channel", "customer", "terminal", "fraud"]].max() == 0


def test_the_same_seed_gives_the_same_rows() -> None:
    first, again, other = (generate_cards(rows=2_000, days=10, seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert not first["amount"].equals(other["amount"])


def test_the_scenario_comes_only_when_asked_for(cards: pd.DataFrame) -> None:
    assert "scenario" not in generate_cards(rows=500, days=10)
    played = cards.loc[cards["fraud"] == 1, "scenario"]
    assert played.nunique() == 4
    assert (cards.loc[cards["fraud"] == 0, "scenario"] == "genuine").all()


def test_labels_come_late(cards: pd.DataFrame) -> None:
    waited = cards["label_time"] - cards["time"]
    week = pd.Timedelta(7, "D")
    assert (waited[cards["fraud"] == 0] == week).all()
    assert (waited[cards["fraud"] == 1] <= week).all()
    assert waited[cards["fraud"] == 1].min() < pd.Timedelta(3, "D")


def test_customer_histories_count_strictly_earlier_rows(cards: pd.DataFrame) -> None:
    late = cards.index[cards["time"] > cards["time"].min() + pd.Timedelta(8, "D")]
    for row in np.random.default_rng(0).choice(late, 40, replace=False):
        now = cards.loc[row]
        own = cards[(cards["customer"] == now["customer"]) & (cards["time"] < now["time"])]
        for name, length in (("1h", "1h"), ("1d", "1D"), ("7d", "7D")):
            recent = own[own["time"] >= now["time"] - pd.Timedelta(length)]
            assert now[f"customer_count_{name}"] == len(recent)
            if name != "1h":
                assert now[f"customer_mean_amount_{name}"] == pytest.approx(
                    recent["amount"].mean(), abs=1e-5, nan_ok=True
                )


def test_the_known_share_of_fraud_rests_on_labels_that_were_out(cards: pd.DataFrame) -> None:
    late = cards.index[cards["time"] > cards["time"].min() + pd.Timedelta(15, "D")]
    interesting = cards.loc[late].query("terminal_fraud_share_7d > 0").index[:30]
    assert len(interesting) == 30
    for row in interesting:
        now = cards.loc[row]
        end = now["time"] - pd.Timedelta(7, "D")
        seen = cards[
            (cards["terminal"] == now["terminal"])
            & (cards["time"] >= end - pd.Timedelta(7, "D"))
            & (cards["time"] < end)
        ]
        assert (seen["label_time"] <= now["time"]).all()
        assert now["terminal_fraud_share_7d"] == pytest.approx(seen["fraud"].mean(), abs=1e-5)


def test_histories_do_not_change_with_the_rows_that_follow() -> None:
    rng = np.random.default_rng(0)
    group, time = rng.integers(5, size=300), np.sort(rng.integers(0, 1_000, size=300))
    values = rng.random(300)
    whole = PastRows(group, time).window(100).mean(values)
    half = PastRows(group[:150], time[:150]).window(100).mean(values[:150])
    np.testing.assert_allclose(whole[:150], half, atol=1e-6)


def test_a_window_holds_what_a_loop_finds() -> None:
    rng = np.random.default_rng(1)
    group, time = rng.integers(4, size=200), np.sort(rng.integers(0, 300, size=200))
    for length, before in ((30, 0), (50, 20), (1_000, 0), (10, 1_000)):
        expected = [
            int(((group == g) & (time >= t - before - length) & (time < t - before)).sum())
            for g, t in zip(group, time, strict=True)
        ]
        assert PastRows(group, time).window(length, before=before).count().tolist() == expected


def test_drift_changes_the_fraudsters_and_nobody_else() -> None:
    calm, drifted = (
        generate_cards(rows=30_000, days=40, seed=5, scenario=True, drift_day=day) for day in (None, 20)
    )
    after = calm["time"].min().normalize() + pd.Timedelta(20, "D")

    def online(frame: pd.DataFrame, stolen: bool) -> float:
        rows = frame[
            (frame["time"] >= after) & (frame["scenario"] == ("stolen_card" if stolen else "genuine"))
        ]
        return float((rows["channel"] == "online").mean())

    assert online(drifted, True) > online(calm, True) + 0.4
    assert online(drifted, False) == pytest.approx(online(calm, False), abs=0.03)
    assert len(drifted) == len(calm) == 30_000


def test_a_forest_finds_much_of_the_fraud_and_not_all() -> None:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.metrics import average_precision_score

    frame = generate_cards(rows=40_000, days=56, seed=1)
    features = frame[["amount", "distance_km", *HISTORIES]].assign(
        hour=frame["time"].dt.hour, online=frame["channel"] == "online"
    )
    test = frame["time"] >= frame["time"].iloc[32_000]
    train = frame["time"] < frame["time"].iloc[32_000] - pd.Timedelta(7, "D")
    forest = RandomForestClassifier(60, min_samples_leaf=3, random_state=0, n_jobs=1)
    forest.fit(features[train], frame["fraud"][train])
    scores = forest.predict_proba(features[test])[:, 1]
    assert 0.4 < average_precision_score(frame["fraud"][test], scores) < 0.95


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"rows": 5}, "rows"),
        ({"rows": 1_000.5}, "rows"),
        ({"days": "many"}, "days"),
        ({"days": 20, "drift_day": 20}, "drift_day"),
        ({"scenario": "yes"}, "scenario"),
        ({"fraud_share": 0.9}, "fraud_share"),
        ({"start": "someday"}, "start"),
    ],
)
def test_an_option_out_of_range_is_named(options: dict[str, object], key: str) -> None:
    with pytest.raises(SpecError) as caught:
        generate_cards(**options)  # type: ignore[arg-type]
    assert caught.value.key == f"data.options.{key}"
    assert caught.value.allowed
