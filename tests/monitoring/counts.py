"""Counts as predictor and feedback service would export them, drawn from rows with scores and outcomes."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from minorkey.bundle.reference import Bins
from minorkey.evaluation.logit_bins import LOGIT_BINS, logit_bin_places

Floats = npt.NDArray[np.float64]
BUCKETS = (0.001, 0.01, 0.1, 1.0)


@dataclass(frozen=True)
class Counts:
    """Increases within one window.

    Attributes:
        features: by feature, shape (bins,).
        score: shape (bins,).
        expected: shape (2, 2), by decision and outcome, from the scores.
        outcome: shape (2, 2), sums of weights by decision and outcome.
        square: shape (2, 2), sums of squared weights.
        labels: shape (2,), rows by outcome.
        logits: shape (bins, 2), sums of weights by bin of the log-odds and outcome.
        requests: by HTTP status.
        seconds: shape (buckets + 1,), requests by duration, each bucket by itself.
        reference: the bundle's reference that the counts are compared with.
    """

    features: dict[str, Floats]
    score: Floats
    expected: Floats
    outcome: Floats
    square: Floats
    labels: Floats
    logits: Floats
    requests: dict[str, int]
    seconds: Floats
    reference: dict[str, Any] = field(repr=False)

    @property
    def rows(self) -> int:
        """Rows scored."""
        return int(self.score.sum())


def drawn_counts(
    profile: dict[str, Any],
    columns: dict[str, npt.NDArray[Any]],
    *,
    seed: int,
    shift: float = 0.0,
    slope: float = 1.0,
    audited: bool = False,
) -> Counts:
    """Counts of rows whose outcomes follow their scores, shifted and stretched on the log-odds.

    Args:
        profile: the reference profile.
        columns: the features, each of shape (n,).
        seed: of scores, outcomes and weights.
        shift: added to the log-odds of an outcome.
        slope: factor of the log-odds of an outcome.
        audited: rows that were called positive are labelled with probability 1/4 and count four times.
    """
    random = np.random.default_rng(seed)
    n = len(next(iter(columns.values())))
    score = random.beta(0.6, 6, n)
    logit = np.log(score / (1 - score))
    actual = (random.random(n) < 1 / (1 + np.exp(-(shift + slope * logit)))).astype(int)
    predicted = (score >= 0.3).astype(int)
    weight = np.ones(n)
    if audited:
        weight = np.where(predicted == 1, np.where(random.random(n) < 0.25, 4.0, 0.0), 1.0)
    cell = 2 * predicted + actual
    logits = np.zeros((len(LOGIT_BINS), 2))
    np.add.at(logits, (logit_bin_places(score), actual), weight)
    expected = np.zeros((2, 2))
    np.add.at(expected, (predicted, 1), score)
    np.add.at(expected, (predicted, 0), 1 - score)
    return Counts(
        features={name: _counted(Bins(entry), columns[name]) for name, entry in profile["features"].items()},
        score=_counted(Bins(profile["score"]), score),
        expected=expected,
        outcome=np.bincount(cell, weight, 4).reshape(2, 2),
        square=np.bincount(cell, weight**2, 4).reshape(2, 2),
        labels=np.bincount(actual[weight > 0], minlength=2).astype(float),
        logits=logits,
        requests={"200": n - 7, "400": 4, "500": 3},
        seconds=random.multinomial(n, (0.5, 0.3, 0.1, 0.07, 0.03)).astype(float),
        reference=profile,
    )


def _counted(bins: Bins, values: npt.NDArray[Any]) -> Floats:
    return np.bincount(bins.places(values), minlength=len(bins.names)).astype(float)
