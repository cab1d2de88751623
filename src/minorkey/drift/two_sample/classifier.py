"""Classifier two-sample test: can a model tell the current rows from the reference?

A random forest learns it on one half of the rows; on the other half, its scores are compared by the Wilcoxon
rank test, one-sided and with the rows' weights. The halves share no row, so that the p-value needs no
permutation.

Source: Lopez-Paz and Oquab (2017), "Revisiting Classifier Two-Sample Tests".
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from minorkey.drift.two_sample.encoding import joint_matrix
from minorkey.drift.two_sample.protocol import Outcome, Scope
from minorkey.drift.two_sample.sample import Sample

__all__ = ["ClassifierTwoSample"]

Floats = npt.NDArray[np.float64]
#: A sample with fewer rows has no two halves.
_LEAST_ROWS = 4


@dataclass(frozen=True)
class ClassifierTwoSample:
    """For all columns together. The statistic is the ROC-AUC on the held-out half, 0.5 by chance.

    Attributes:
        trees: of the forest.
        most_rows: of each sample; more are thinned at random.
    """

    trees: int = 100
    most_rows: int = 2_000
    name = "classifier"
    scope: Scope = "joint"

    def drawing(self, draws: int) -> Self:
        """See `TwoSampleTest.drawing`: the p-value needs none."""
        return self

    def compare(self, reference: Sample, current: Sample, *, seed: int) -> Outcome:
        """See `TwoSampleTest.compare`."""
        from sklearn.ensemble import RandomForestClassifier

        generator = np.random.default_rng(seed)
        reference, current = (sample.at_most(self.most_rows, generator) for sample in (reference, current))
        rows = joint_matrix(reference, current)
        if min(len(reference), len(current)) < _LEAST_ROWS:
            return Outcome(0.5, 1.0)
        label = np.repeat([0, 1], [len(reference), len(current)])
        share = np.concatenate([reference.shares, current.shares])
        learn = np.concatenate([_half(len(reference), generator), _half(len(current), generator)])
        forest = RandomForestClassifier(
            n_estimators=self.trees,
            min_samples_leaf=3,
            class_weight="balanced",
            random_state=int(generator.integers(2**31)),
            n_jobs=1,
        )
        positive = share > 0
        forest.fit(rows[learn & positive], label[learn & positive], share[learn & positive] * len(label))
        held = ~learn & positive
        score = forest.predict_proba(rows[held])[:, -1]
        return _rank_test(score, label[held], share[held])


def _half(n: int, generator: np.random.Generator) -> npt.NDArray[np.bool_]:
    return np.isin(np.arange(n), generator.permutation(n)[: n // 2])


def _rank_test(score: Floats, label: npt.NDArray[np.intp], share: Floats) -> Outcome:
    """ROC-AUC, and how often chance gives as much: ranks of all rows, normal with the weights' variance."""
    weights = [np.where(label == one, share, 0.0) for one in (0, 1)]
    if not all(weight.any() for weight in weights):
        return Outcome(0.5, 1.0)
    shares = [weight / weight.sum() for weight in weights]
    sizes = [1 / (one**2).sum() for one in shares]
    pooled = (shares[0] * sizes[0] + shares[1] * sizes[1]) / sum(sizes)
    auc = float(shares[1] @ _below(score, shares[0]))
    ranks = _below(score, pooled)
    spread = np.average((ranks - 0.5) ** 2, weights=pooled)
    if spread <= 0:
        return Outcome(auc, 1.0)
    variance = sum(float(one**2 @ (ranks - 0.5) ** 2) for one in shares)
    rise = float((shares[1] - shares[0]) @ ranks)
    return Outcome(auc, float(norm.sf(rise / np.sqrt(variance))))


def _below(score: Floats, share: Floats) -> Floats:
    """For each row the share of the weights below its score, with half of those at it."""
    levels, places = np.unique(score, return_inverse=True)
    mass = np.bincount(places, share, len(levels))
    middles: Floats = (np.cumsum(mass) - mass / 2)[places]
    return middles
