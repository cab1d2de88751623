import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score

from minorkey.data.leaks import find_leaks, held_out_average_precision
from minorkey.data.loading import load_dataset
from minorkey.spec import DataSpec
from tests.data.raw_frames import rare_frame

DATA = Path(os.environ.get("MINORKEY_DATA", "../shared/data"))


def _leaks(
    features: pd.DataFrame, y: np.ndarray, threshold: float = 0.95, weight: np.ndarray | None = None
) -> list[tuple[str, ...]]:
    suspects = find_leaks(features, y.astype(np.int8), threshold=threshold, seed=0, weight=weight)
    assert all(suspect.average_precision > threshold for suspect in suspects)
    return [suspect.columns for suspect in suspects]


def _noise(rows: int, share: float, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray, np.random.Generator]:
    rng = np.random.default_rng(seed)
    y = (rng.random(rows) < share).astype(np.int8)
    return pd.DataFrame({f"n{i}": rng.normal(size=rows) for i in range(4)}), y, rng


def test_average_precision_equals_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    y = (rng.random(4_000) < 0.1).astype(np.int8)
    cells = np.minimum(rng.poisson(2 + 2 * y), 6)
    weight = rng.uniform(0.5, 2, size=len(y))
    half = np.arange(len(y)) % 2 == 0
    expected = []
    for learn, judge in ((half, ~half), (~half, half)):
        base = np.average(y[learn], weights=weight[learn])
        rate = [
            (weight[learn] @ (y[learn] * (cells[learn] == cell)) + base)
            / (weight[learn] @ (cells[learn] == cell) + 1)
            for cell in range(7)
        ]
        score = np.array(rate)[cells[judge]]
        expected.append(average_precision_score(y[judge], score, sample_weight=weight[judge]))
    assert held_out_average_precision((cells, cells), y, weight, (half, ~half)) == pytest.approx(
        np.mean(expected), abs=1e-12
    )


@pytest.mark.parametrize("share", [0.3, 0.01])
def test_noise_and_many_levels_are_no_leak(share: float) -> None:
    features, y, rng = _noise(20_000, share)
    features["merchant"] = rng.integers(0, 8_000, size=len(y)).astype(str)
    features["merchant"] = features["merchant"].astype(object)
    assert _leaks(features, y, threshold=min(0.95, 2 * share + 0.1)) == []


@pytest.mark.parametrize("seed", range(3))
def test_few_positives_and_many_columns_are_no_leak(seed: int) -> None:
    rng = np.random.default_rng(seed)
    y = (np.arange(300) < 8).astype(np.int8)
    features = pd.DataFrame({f"n{i}": rng.normal(size=300) for i in range(30)})
    for i in range(10):
        features[f"c{i}"] = pd.Series(rng.integers(0, 30, size=300).astype(str), dtype=object)
    assert _leaks(features, y, threshold=0.8) == []


@pytest.mark.parametrize("share", [0.5, 0.02])
def test_single_columns_that_give_the_answer_away(share: float) -> None:
    features, y, rng = _noise(5_000, share)
    features["reason"] = np.where(y == 1, rng.choice(["stolen", "lost"], size=len(y)), "none")
    features["reason"] = features["reason"].astype(object)
    features["refund"] = np.where(y == 1, rng.lognormal(size=len(y)), np.nan)
    features["inside"] = np.where(y == 1, rng.uniform(0.49, 0.51, len(y)), rng.choice([-1, 1], len(y)) * 2.0)
    features["spike"] = np.where(y == 1, 0.25, rng.uniform(0, 1, size=len(y)))
    assert set(_leaks(features, y)) == {("reason",), ("refund",), ("inside",), ("spike",)}


def test_pairs_that_give_the_answer_away_together() -> None:
    features, y, rng = _noise(8_000, 0.1)
    left = rng.integers(0, 2, size=len(y))
    features["left"], features["right"] = left.astype(float), (left ^ y).astype(float)
    assert _leaks(features, y) == [("left", "right")]


@pytest.mark.parametrize("noisy", [0.01, 0.0])
def test_pairs_whose_difference_or_ratio_gives_the_answer_away(noisy: float) -> None:
    features, y, rng = _noise(8_000, 0.02)
    before = rng.lognormal(sigma=2, size=len(y))
    paid = np.where(rng.random(len(y)) < noisy, before, before * (1 + 3 * y))
    features["before"], features["after"] = before, paid
    assert _leaks(features, y, threshold=0.7 if noisy else 0.95) == [("before", "after")]
    features["after"] = before + y
    assert _leaks(features, y) == [("before", "after")]


def test_two_good_columns_are_no_leak_because_they_are_good_together() -> None:
    rng = np.random.default_rng(0)
    y = (rng.random(6_000) < 0.3).astype(np.int8)
    features = pd.DataFrame({name: rng.normal(size=len(y)) + 2.8 * y for name in ("a", "b", "c")})
    assert _leaks(features, y) == []


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("share", [0.97, 0.999])
def test_where_the_positive_is_common_only_what_gives_the_answer_away_goes(
    share: float, weighted: bool
) -> None:
    features, y, rng = _noise(8_000, share)
    features["honest"] = rng.normal(size=len(y)) + 1.5 * y
    features["levels"] = pd.Series(rng.integers(0, 200, size=len(y)).astype(str), dtype=object)
    weight = rng.uniform(0.5, 20, size=len(y)) if weighted else None
    assert _leaks(features, y, weight=weight) == []
    features["scenario"] = np.where(y == 1, 0, rng.integers(1, 4, size=len(y)))
    assert _leaks(features, y, weight=weight) == [("scenario",)]
    assert _leaks(features, 1 - y, weight=weight) == [("scenario",)]


def test_the_base_rate_is_that_of_the_weights() -> None:
    features, y, rng = _noise(6_000, 0.03)
    features["scenario"] = np.where(y == 0, 0, rng.integers(1, 4, size=len(y)))
    weight = np.where(y == 1, 2_000.0, 1.0)
    assert _leaks(features, y, weight=weight) == [("scenario",)]


def test_a_leak_is_judged_by_the_rows_that_count() -> None:
    features, y, rng = _noise(6_000, 0.1)
    counts = rng.random(len(y)) < 0.6
    features["answer"] = np.where(counts, y, rng.normal(size=len(y)))
    assert _leaks(features, y) == []
    assert _leaks(features, y, weight=counts.astype(float)) == [("answer",)]
    assert _leaks(features, y, weight=np.where(y == 1, 0.0, 1.0)) == []


@pytest.mark.parametrize("seed", range(2))
def test_few_positives_of_great_weight_are_no_leak(seed: int) -> None:
    rng = np.random.default_rng(seed)
    y = (np.arange(300) < 8).astype(np.int8)
    features = pd.DataFrame({f"n{i}": rng.normal(size=300) for i in range(20)})
    for i in range(10):
        features[f"c{i}"] = pd.Series(rng.integers(0, 30, size=300).astype(str), dtype=object)
    assert _leaks(features, y, weight=np.where(y == 1, 36.0, 1.0)) == []


def test_leaks_are_left_out_aloud_and_kept_on_request(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    half = rng.integers(0, 2, size=2_000)
    frame = rare_frame(rows=2_000, positives=200).assign(
        answer=lambda rows: rows["fraud"] * 2.0, half=half, other=lambda rows: rows["fraud"] ^ half
    )
    frame.to_parquet(tmp_path / "rows.parquet")
    spec = DataSpec(source=str(tmp_path / "rows.parquet"), target="fraud")
    loaded = load_dataset(spec)
    assert set(loaded.dataset.schema.left_out) == {"answer", "half", "other"}
    assert [tuple(suspect["columns"]) for suspect in loaded.profile["leak_suspects"]] == [
        ("answer",),
        ("half", "other"),
    ]
    assert sum("leak suspect" in text and "--keep-column" in text for text in loaded.assumptions) == 3
    keep = spec.model_copy(update={"keep": ("answer", "half")})
    kept = load_dataset(keep)
    assert set(kept.dataset.schema.left_out) == {"other"}
    assert {"answer", "half"} <= set(kept.dataset.schema.names())


def test_a_higher_limit_accepts_a_good_column(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = rare_frame(rows=3_000, positives=600)
    frame["good"] = frame["fraud"] + rng.normal(size=3_000) * 0.28
    frame.to_parquet(tmp_path / "rows.parquet")
    for limit, left_out in ((0.9, {"good"}), (0.999, set())):
        spec = DataSpec(source=str(tmp_path / "rows.parquet"), target="fraud", leak_average_precision=limit)
        assert set(load_dataset(spec).dataset.schema.left_out) == left_out


def test_an_easy_data_set_keeps_most_of_its_columns() -> None:
    loaded = load_dataset(DataSpec(source="sklearn:breast_cancer"))
    assert len(loaded.dataset.schema.features) >= 25


REAL = {
    "mammography.csv": ("target", "1", set()),
    "oil_spill.csv": ("target", "1", {"f23"}),
    "phoneme.csv": ("target", "1", set()),
    "adult.csv": ("income", ">50K", set()),
    "smtp.parquet": ("target", "1", set()),
    "electricity.csv": ("class", "1", set()),
    "sea_abrupt.csv": ("class", "1", set()),
    "card_transactions.parquet": (
        "TX_FRAUD",
        "1",
        {"TX_FRAUD_SCENARIO", "TRANSACTION_ID", "CUSTOMER_ID", "TERMINAL_ID", "TX_TIME_SECONDS"}
        | {"TX_TIME_DAYS", "TX_DATETIME"},
    ),
}


@pytest.mark.skipif(not DATA.is_dir(), reason="the data sets are not here; set MINORKEY_DATA to their folder")
@pytest.mark.parametrize("name", REAL)
def test_real_data_sets_lose_no_real_feature(name: str) -> None:
    target, positive, left_out = REAL[name]
    schema = load_dataset(DataSpec(source=str(DATA / name), target=target)).dataset.schema
    assert schema.positive == positive
    assert set(schema.left_out) == left_out
    assert schema.roles == ({"event_time": "TX_DATETIME"} if "TX_DATETIME" in left_out else {})
