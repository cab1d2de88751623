"""Leakage probe: with shuffled labels the whole loop must find nothing.

    python -m benchmarks.leakage [--seeds 100]

For each seed the labels of a small simulated set are shuffled, the product tunes, selects and scores a
held-out test, and the rank of its test average precision among permutations of the test labels gives
a p-value. Without a leak these are uniform; judged by a Kolmogorov-Smirnov test.
"""

import argparse

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.metrics import average_precision_score

from benchmarks.harness import tune_and_score
from benchmarks.recording import record
from minorkey.data.dataset import Dataset, Feature, Schema
from minorkey.spec import SearchSpec

ROWS, TEST, SHARE, PERMUTATIONS = 1_200, 600, 0.1, 999


def shuffled(rng: np.random.Generator, rows: int) -> Dataset:
    """Rows with numbers, a category and duplicates, and labels that have nothing to do with them."""
    features = pd.DataFrame({f"x{index}": rng.normal(size=rows) for index in range(6)})
    features["kind"] = rng.choice(list("abcdef"), rows).astype(object)
    copies = rng.choice(rows, rows // 20, replace=False)
    features.iloc[copies] = features.iloc[rng.choice(rows, len(copies))].to_numpy()
    names = [*(Feature(f"x{index}", "numeric") for index in range(6)), Feature("kind", "categorical")]
    y = (rng.random(rows) < SHARE).astype(np.int8)
    ids = pd.util.hash_pandas_object(features, index=False).to_numpy(np.uint64)
    return Dataset(features, y, ids, Schema(tuple(names), "y", "1", "0"))


def p_value(seed: int, search: SearchSpec) -> float:
    rng = np.random.default_rng(seed)
    data = shuffled(rng, ROWS + TEST)
    train, test = data.take(np.arange(ROWS)), data.take(np.arange(ROWS, ROWS + TEST))
    raw = tune_and_score(train, test, search, seed=seed, account=False).raw
    found = average_precision_score(test.y, raw)
    permuted = [average_precision_score(rng.permutation(test.y), raw) for _ in range(PERMUTATIONS)]
    # Ties are broken at random, so that the p-value of no effect is uniform.
    above, equal = np.sum(np.array(permuted) > found), np.sum(np.array(permuted) == found)
    return float((above + rng.uniform() * (equal + 1)) / (PERMUTATIONS + 1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    args = parser.parse_args()
    search = SearchSpec(
        trials=8,
        workers=2,
        families=("logistic_regression", "lightgbm", "hist_gradient_boosting", "spline_logistic"),
        finalists=4,
        resampling_share=0.5,
    )
    values = []
    for seed in range(args.seeds):
        values.append(p_value(seed, search))
        print(f"{seed + 1} of {args.seeds}: p {values[-1]:.3f}", flush=True)
    test = stats.kstest(values, "uniform")
    record(
        "leakage",
        {"seeds": args.seeds, "ks": float(test.statistic), "p": float(test.pvalue), "values": values},
    )


if __name__ == "__main__":
    main()
