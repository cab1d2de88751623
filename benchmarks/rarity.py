"""No collapse at extreme rarity: ``smtp`` has 30 positives in 95,156 rows.

    python -m benchmarks.rarity [--seeds 5] [--search-seconds 120]

Five stratified 80/20 splits; once by row, and once with equal rows kept on one side of the split.
"""

import argparse
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score
from sklearn.model_selection import StratifiedGroupKFold, train_test_split

from benchmarks.harness import tune_and_score
from benchmarks.recording import data_folder, record
from benchmarks.repeated_cv import default_boosting
from minorkey.data.loading import load_dataset
from minorkey.spec import DataSpec, SearchSpec


def measure(grouped: bool, args: argparse.Namespace) -> dict[str, Any]:
    source = str(data_folder() / "smtp.parquet")
    data = load_dataset(DataSpec(source=source, target="target")).dataset
    search = SearchSpec(trials=100_000, timeout=args.search_seconds, workers=2)
    splits: list[dict[str, Any]] = []
    for seed in range(args.seeds):
        if grouped:
            folds = StratifiedGroupKFold(n_splits=5, shuffle=True, random_state=seed)
            inside, outside = next(iter(folds.split(data.features, data.y, data.row_id)))
        else:
            rows = np.arange(len(data))
            inside, outside = train_test_split(rows, test_size=0.2, stratify=data.y, random_state=seed)
        train, test = data.take(inside), data.take(outside)
        tried = tune_and_score(train, test, search, seed=seed)
        splits.append(
            {
                "test_positives": test.positives,
                "minorkey": float(average_precision_score(test.y, tried.raw)),
                "default_gradient_boosting": float(
                    average_precision_score(test.y, default_boosting(train, test, seed))
                ),
                "members": tried.members,
                "cpu_seconds": tried.cpu_seconds,
            }
        )
        print(splits[-1], flush=True)
    means = {
        name: float(np.mean([split[name] for split in splits]))
        for name in ("minorkey", "default_gradient_boosting")
    }
    return {"mean_average_precision": means, "splits": splits}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--search-seconds", type=float, default=120.0)
    args = parser.parse_args()
    record("rarity", {"by_row": measure(False, args), "duplicates_grouped": measure(True, args)})


if __name__ == "__main__":
    main()
