"""Tune on given rows and score others: the product's own search and selection, without the pipeline."""

import resource
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from minorkey.bundle.bundle import Bundle, BundleInfo, write_bundle
from minorkey.data.dataset import Dataset
from minorkey.data.fold_store import FoldStore
from minorkey.data.folds_stratified import group_codes, stratified_folds
from minorkey.data.partitions import FINAL, Part
from minorkey.data.training_set import TrainingSet
from minorkey.search.tuning import tune_part
from minorkey.spec import SearchSpec
from minorkey.trials.local import close_shared_pool
from minorkey.trials.study_root import LocalStudyRoot

__all__ = ["Tried", "cpu_seconds", "tune_and_score"]


@dataclass(frozen=True)
class Tried:
    """Scores of the held-out rows, the threshold, and what it cost."""

    raw: npt.NDArray[np.float64]
    score: npt.NDArray[np.float64]
    threshold: float
    cpu_seconds: float
    members: list[str]


def tune_and_score(
    train: Dataset, held_out: Dataset, search: SearchSpec, *, seed: int, account: bool = True
) -> Tried:
    """Tune on `train` as a run would, and score `held_out` with the bundle that would ship.

    With `account` the workers are ended, because only then do their CPU seconds count.
    """
    started = cpu_seconds()
    rows, group = np.arange(len(train)), group_codes(train)
    partitions = tuple(
        stratified_folds(train.y, group, rows, 5, key="split.folds", seed=[seed, partition])
        for partition in range(2)
    )
    training = TrainingSet(train, (Part(FINAL, rows, partitions),), {"kind": "hash"}, "hash")
    with tempfile.TemporaryDirectory(prefix="minorkey-bench-") as name:
        folder = Path(name)
        tuned = tune_part(
            training,
            FINAL,
            search,
            trials=search.trials,
            root=LocalStudyRoot(folder / "study"),
            store=FoldStore(folder / "folds", 4 * 2**30),
            seed=seed,
            on_result=lambda result: None,
        )
        info = BundleInfo(
            model="benchmark",
            schema=train.schema,
            threshold=tuned.selected.threshold,
            calibration=tuned.selected.calibration,
        )
        write_bundle(folder / "bundle", tuned.graph, info)
        raw, score = Bundle.load(folder / "bundle").score(held_out.features)
        if account:
            close_shared_pool()
    return Tried(
        raw,
        score,
        tuned.selected.threshold,
        cpu_seconds() - started,
        [f"{one.family} {share:.2f}" for one, share in tuned.selected.members],
    )


def cpu_seconds() -> float:
    """CPU seconds of this process and of the children it has waited for, by rusage."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)
