"""Repeated cross-validation on small public sets, beside default gradient boosting and FLAML.

    python -m benchmarks.repeated_cv --repeats 3 [--sets mammography phoneme adult] [--cpu-seconds 60]

Every method sees the same outer folds. Differences are judged by the corrected resampled t-test
(Nadeau and Bengio, 2003). FLAML takes part where it is installed (``pip install flaml[automl]``,
never into the project's own environment). Both get the same CPU seconds a fold, by rusage.
"""

import argparse
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import average_precision_score
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from benchmarks.harness import cpu_seconds, tune_and_score
from benchmarks.recording import data_folder, record
from benchmarks.resampled_t_test import corrected_t_test
from minorkey.data.dataset import Dataset
from minorkey.data.loading import load_dataset
from minorkey.spec import DataSpec, SearchSpec

SETS = {"mammography": "target", "phoneme": "target", "adult": "income"}


@dataclass
class Allowance:
    """Wall-clock seconds to allow a method so that it uses the CPU seconds it is given.

    Neither search can be bounded by CPU time, and what a second of theirs costs hangs on the data and on
    the machine: each fold's allowance follows from what the fold before it used.
    """

    cpu_target: float
    wall: float

    def learn(self, cpu_used: float) -> None:
        self.wall *= min(max(self.cpu_target / cpu_used, 0.5), 2.0)


def default_boosting(train: Dataset, test: Dataset, seed: int) -> npt.NDArray[np.float64]:
    """scikit-learn's gradient boosting with its defaults; categories as ordinal codes."""
    categories = train.schema.names("categorical")
    encode = make_column_transformer(
        (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), categories),
        remainder="passthrough",
    )
    model = make_pipeline(encode, HistGradientBoostingClassifier(random_state=seed))
    return model.fit(train.features, train.y).predict_proba(test.features)[:, 1]


def flaml(train: Dataset, test: Dataset, seed: int, wall: float) -> npt.NDArray[np.float64]:
    """FLAML with its own ensemble, for `wall` seconds on both cores."""
    from flaml import AutoML  # type: ignore[import-not-found]

    settings = {"metric": "ap", "task": "classification", "ensemble": True, "seed": seed, "verbose": 0}
    automl = AutoML()
    frame = train.features.astype(dict.fromkeys(train.schema.names("categorical"), "category"))
    automl.fit(X_train=frame, y_train=train.y, time_budget=wall, n_jobs=2, **settings)
    held = test.features.astype(dict.fromkeys(train.schema.names("categorical"), "category"))
    return automl.predict_proba(held)[:, 1]


def measure(name: str, args: argparse.Namespace) -> dict[str, Any]:
    source = str(data_folder() / f"{name}.csv")
    data = load_dataset(DataSpec(source=source, target=SETS[name])).dataset
    # Where the first fold begins; two workers and the selection after them, or two jobs for three quarters
    # of the time, come to about the CPU seconds asked for.
    allowed = {
        "minorkey": Allowance(args.cpu_seconds, args.cpu_seconds / 4),
        "flaml": Allowance(args.cpu_seconds, args.cpu_seconds / 1.5),
    }
    found: dict[str, list[float]] = {"minorkey": [], "default_gradient_boosting": []}
    used: dict[str, list[float]] = {"minorkey": []}
    splitter = RepeatedStratifiedKFold(n_splits=5, n_repeats=args.repeats, random_state=0)
    for number, (inside, outside) in enumerate(splitter.split(data.features, data.y)):
        train, test = data.take(inside), data.take(outside)

        def score(method: str, scores: Callable[[], Any], y: Any = test.y) -> None:
            started = cpu_seconds()
            found.setdefault(method, []).append(float(average_precision_score(y, scores())))
            used.setdefault(method, []).append(cpu_seconds() - started)
            if method in allowed:
                allowed[method].learn(used[method][-1])

        wall = {method: allowance.wall for method, allowance in allowed.items()}
        search = SearchSpec(trials=100_000, timeout=wall["minorkey"], workers=2, trial_timeout=60)
        score("minorkey", lambda: tune_and_score(train, test, search, seed=number).raw)  # noqa: B023
        score("default_gradient_boosting", lambda: default_boosting(train, test, number))  # noqa: B023
        if importlib.util.find_spec("flaml"):
            score("flaml", lambda: flaml(train, test, number, wall["flaml"]))  # noqa: B023
        figures = {m: (round(found[m][-1], 4), round(used[m][-1], 1)) for m in found}
        print(name, number, figures, flush=True)
    ours = np.array(found["minorkey"])
    return {
        "flaml": "took part" if "flaml" in found else "absent: pip install flaml[automl] elsewhere",
        "average_precision": {method: float(np.mean(values)) for method, values in found.items()},
        "cpu_seconds": {method: float(np.mean(values)) for method, values in used.items()},
        "difference": {
            method: corrected_t_test(ours - np.array(values), 1 / 4)
            for method, values in found.items()
            if method != "minorkey"
        },
        "folds": found,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--cpu-seconds", type=float, default=60.0, help="for each of the two, a fold")
    args = parser.parse_args()
    for name in args.sets:
        record(f"repeated_cv_{name}", measure(name, args))


if __name__ == "__main__":
    main()
