"""A driver of a study in trial pods, to be killed and started again: ``python -m tests.cluster.driver``.

It reads what it is to do as JSON from standard input, and writes a JSON line for each trial that has ended.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from minorkey.cluster.spec import TrialPods
from minorkey.data.dataset import Dataset, Feature, Schema
from minorkey.data.fold_store import FoldStore
from minorkey.data.splits import split_dataset
from minorkey.data.training_set import TrainingSet
from minorkey.search.driver import run_study
from minorkey.spec import SearchSpec, SplitSpec
from minorkey.trials.kubernetes.api import KubernetesApi
from minorkey.trials.kubernetes.executor import KubernetesExecutor, Timing
from minorkey.trials.study_root import open_root
from minorkey.trials.trial import TrialResult

_ROWS = 1_200


def rows() -> TrainingSet:
    """A small training set, the same each time."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(_ROWS, 3))
    y = (x[:, 0] + 0.6 * x[:, 1] * x[:, 2] + 0.5 * rng.normal(size=_ROWS) > 1.6).astype(np.int8)
    names = ("a", "b", "c")
    dataset = Dataset(
        features=pd.DataFrame({name: x[:, column] for column, name in enumerate(names)}),
        y=y,
        row_id=np.arange(_ROWS, dtype=np.uint64),
        schema=Schema(tuple(Feature(name, "numeric") for name in names), "t", "1", "0"),
    )
    split = split_dataset(dataset, SplitSpec(kind="hash"), model="cluster-test", seed=0)
    return TrainingSet(
        dataset=dataset.take(split.train), parts=split.parts, membership=split.membership, kind=split.kind
    )


def tell(result: TrialResult) -> None:
    """One line for a trial that has ended."""
    content = {"number": result.number, "outcome": result.outcome.value, "value": result.value}
    print(json.dumps(content), flush=True)


def main() -> None:
    """Run the study, or what is missing of it."""
    # What the driver writes must be readable to the pods' user, whoever that is.
    os.umask(0)
    asked: dict[str, Any] = json.load(sys.stdin)
    root = open_root(asked["root"])
    executor = KubernetesExecutor(
        root,
        TrialPods.model_validate(asked["pods"]),
        "cluster-test",
        asked["namespace"],
        asked["image"],
        KubernetesApi(asked["kubeconfig"]),
        pod_root=asked["pod_root"],
        timing=Timing(poll=0.2, retry=2.0, look=0.5),
    )
    spec = SearchSpec(
        trials=asked["trials"],
        families=("logistic_regression", "extra_trees"),
        resamplers=("none",),
        interactions=False,
        pruner="halving",
        trial_timeout=300,
    )
    with executor:
        run_study(
            rows(),
            "final",
            spec,
            root=root,
            store=FoldStore(Path(asked["folds"]), 10**9),
            seed=3,
            trials=asked["trials"],
            on_result=tell,
            executor=executor,
        )


if __name__ == "__main__":
    main()
