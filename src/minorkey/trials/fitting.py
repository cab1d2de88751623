"""Fit one configuration on one prepared fold: class weights and sub-sampled negatives."""

import numpy as np
import numpy.typing as npt

from minorkey.data.dataset import Labels
from minorkey.data.fold_store import PreparedFold
from minorkey.models import family
from minorkey.models.family import FittedModel
from minorkey.trials.trial import Configuration

__all__ = ["class_weights", "fit_prepared", "sample_negatives"]

Weights = npt.NDArray[np.float64]

#: The same draw for every configuration, so that trials are compared on the same rows.
_SAMPLE_SEED = 0
#: Positives below this share of the rows are all kept when negatives are sampled.
_RARE = 0.25


def fit_prepared(
    prepared: PreparedFold,
    configuration: Configuration,
    *,
    seed: int,
    threads: int,
    negatives: float = 1.0,
) -> FittedModel:
    """Fit a configuration's model on the training rows of a prepared fold.

    Args:
        prepared: the fold, as the fold store prepared it for this configuration.
        configuration: what to fit.
        seed: seed of everything random.
        threads: most threads to use.
        negatives: share of the negatives to fit on, weighted up by its inverse; positives are all used.
    """
    x, y, weight = prepared.x_train, prepared.y_train, prepared.w_train
    if negatives < 1.0:
        rows, factor = sample_negatives(y, negatives, seed=_SAMPLE_SEED)
        x, y, weight = np.ascontiguousarray(x[rows]), np.asarray(y[rows]), weight[rows] * factor
    weight = weight * class_weights(y, weight, configuration.weight_exponent)
    return family(configuration.family).fit(
        x,
        y,
        weight / weight.mean(),
        configuration.model,
        seed=seed,
        threads=threads,
        categorical=prepared.preprocessor.categorical,
    )


def class_weights(y: Labels, weight: Weights, exponent: float) -> Weights:
    """One factor per row: (total weight / weight of the row's class) ** exponent.

    Args:
        y: shape (n,).
        weight: shape (n,), non-negative.
        exponent: 0 leaves every row as it is; 1 makes both classes weigh the same.
    """
    if exponent == 0.0:
        return np.ones(len(y))
    positive = float(weight[y == 1].sum())
    negative = float(weight[y == 0].sum())
    if positive <= 0.0 or negative <= 0.0:
        return np.ones(len(y))
    total = positive + negative
    return np.where(y == 1, (total / positive) ** exponent, (total / negative) ** exponent)


def sample_negatives(y: Labels, share: float, *, seed: int) -> tuple[npt.NDArray[np.intp], Weights]:
    """All positives and a share of the negatives, with the factor that makes up for those left out.

    Positives that are no longer rare, as after resampling, are sampled like the negatives.

    Args:
        y: shape (n,).
        share: share of the negatives to keep, in (0, 1]; at least one is kept.
        seed: seed of the draw. A smaller share of the same seed is a subset of a larger one.

    Returns:
        Positions in ascending order, and one factor per position: the inverse of the share of its class
        that was really kept.
    """
    rng = np.random.default_rng(seed)
    rows, factors = [], []
    for label in (0, 1):
        positions = np.flatnonzero(y == label)
        rare = label == 1 and len(positions) < _RARE * len(y)
        keep = len(positions) if rare else min(len(positions), max(1, round(share * len(positions))))
        rows.append(rng.permutation(positions)[:keep])
        factors.append(np.full(keep, len(positions) / max(1, keep)))
    order = np.argsort(np.concatenate(rows))
    return np.concatenate(rows)[order], np.concatenate(factors)[order]
