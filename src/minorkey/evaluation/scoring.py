"""Scores of the test rows, each by a bundle whose training excluded the row."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from minorkey.bundle.bundle import Bundle
from minorkey.data.dataset import Dataset, Scores
from minorkey.data.training_set import TestSet
from minorkey.errors import ContractError
from minorkey.evaluation.intervals import metric_intervals
from minorkey.spec import EvaluateSpec

__all__ = ["CANDIDATE", "Scored", "judged", "score_test"]

CANDIDATE = "candidate"


@dataclass(frozen=True)
class Scored:
    """One model's view of the test rows.

    Attributes:
        raw: shape (n,), or (repeats, n) under repeated cross-validation; what ranks the rows.
        score: calibrated probability, in the same shape.
        threshold: the threshold of the bundle that scored the row, in the same shape.
    """

    raw: Scores
    score: Scores
    threshold: Scores

    def take(self, rows: npt.NDArray[np.bool_]) -> "Scored":
        """The view of some rows, by a mask of shape (n,)."""
        return Scored(self.raw[..., rows], self.score[..., rows], self.threshold[..., rows])

    @property
    def called(self) -> npt.NDArray[np.bool_]:
        """Which rows are called positive."""
        return self.score >= self.threshold


def judged(
    data: Dataset, scored: Scored, *, costs: Mapping[str, float], spec: EvaluateSpec, seed: int
) -> dict[str, dict[str, float | None]]:
    """Every metric of scored rows with its interval, as JSON content.

    Args:
        data: the rows.
        scored: one model's view of them.
        costs: ``false_negative`` and ``false_positive``.
        spec: confidence and number of bootstraps.
        seed: seed of the bootstraps.
    """
    found = metric_intervals(
        data.y,
        scored.raw,
        scored.score,
        scored.threshold,
        weight=data.weight,
        entity=data.entity,
        cost=data.cost,
        costs=(costs["false_negative"], costs["false_positive"]),
        confidence=spec.confidence,
        bootstraps=spec.bootstraps,
        seed=seed,
    )
    return {name: interval.to_json() for name, interval in found.items()}


def score_test(bundle_dir: Path, baselines_dir: Path, test: TestSet) -> dict[str, Scored]:
    """Score the test with the candidate and every baseline.

    With one sealed test each bundle scores every row. Under repeated cross-validation each row is
    scored in each repeat by the outer bundle that was fitted without it. Repeats stay apart: their mean
    would be the score of an ensemble that does not ship. There the calibrated score ranks, because raw
    scores of differently fitted models do not compare.

    Args:
        bundle_dir: the bundle that ships.
        baselines_dir: what `tune` wrote beside it.
        test: the test.

    Returns:
        `CANDIDATE` and each baseline, by name.
    """
    if test.outer is None:
        folders = {CANDIDATE: bundle_dir} | {
            folder.name: folder for folder in sorted(baselines_dir.iterdir())
        }
        folders = {name: folder for name, folder in folders.items() if not name.startswith("outer-")}
        return {name: _whole(folder, test) for name, folder in folders.items()}
    first = baselines_dir / "outer-0-0"
    names = [folder.name for folder in sorted(first.iterdir())]
    return {name: _outer(baselines_dir, name, test.outer, test) for name in names}


def _whole(folder: Path, test: TestSet) -> Scored:
    bundle = Bundle.load(folder)
    raw, score = bundle.score(test.dataset.features)
    return Scored(raw, score, np.full(len(raw), bundle.info.threshold))


def _outer(folder: Path, name: str, outer: npt.NDArray[np.int32], test: TestSet) -> Scored:
    repeats, n = outer.shape
    score, threshold = np.full((repeats, n), np.nan), np.full((repeats, n), np.nan)
    for repeat in range(repeats):
        for fold in np.unique(outer[repeat]):
            inside = outer[repeat] == fold
            bundle = Bundle.load(folder / f"outer-{repeat}-{fold}" / name)
            _, score[repeat, inside] = bundle.score(test.dataset.features[inside])
            threshold[repeat, inside] = bundle.info.threshold
    if np.isnan(score).any():
        raise ContractError(
            f"the outer folds leave {int(np.isnan(score).any(axis=0).sum())} test rows without a score"
        )
    return Scored(score, score, threshold)
