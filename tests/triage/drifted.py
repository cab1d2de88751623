"""Simulated scores and labels after the world has moved in a known way."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from minorkey.evaluation.calibration import sigmoid
from minorkey.evaluation.ranking import Ranking
from minorkey.triage import Reference

#: Of the log-odds of simulated rows: positives lie SPREAD higher.
PREVALENCE, SPREAD = 0.05, 2.5


@dataclass(frozen=True)
class Rows:
    y: npt.NDArray[np.bool_]
    raw: npt.NDArray[np.float64]


def rows(
    n: int = 8_000,
    *,
    prevalence: float = PREVALENCE,
    spread: float = SPREAD,
    factor: float = 1.0,
    seed: int = 0,
) -> Rows:
    """Binormal rows, scored as if prevalence and spread were the reference's, log-odds times a factor.

    With equal variances the true log-odds are linear in the latent, so that reference rows are calibrated.
    """
    rng = np.random.default_rng(seed)
    y = rng.random(n) < prevalence
    latent = rng.normal(size=n) + spread * y
    logit = SPREAD * latent - SPREAD**2 / 2 + np.log(PREVALENCE / (1 - PREVALENCE))
    return Rows(y, sigmoid(factor * logit))


def reference(n: int = 200_000, seed: int = 99) -> Reference:
    """What rows of the world before show."""
    known = rows(n, seed=seed)
    ranking, weights = Ranking.of(known.y, known.raw), np.ones((1, len(known.y)))
    return Reference.of(
        n,
        int(known.y.sum()),
        float(ranking.roc_auc(weights)[0]),
        float(ranking.average_precision(weights)[0]),
    )
