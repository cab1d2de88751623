"""How far two distributions over the same bins are apart.

Source: Lin (1991), "Divergence Measures Based on the Shannon Entropy"; Yurdakul (2018), "Statistical
Properties of Population Stability Index".
"""

import numpy as np
import numpy.typing as npt

from minorkey.errors import ShapeError

__all__ = ["SMOOTHING", "jensen_shannon", "population_stability_index", "smoothed"]

Floats = npt.NDArray[np.float64]

#: Added to the count of every bin, so that an empty one has a logarithm.
SMOOTHING = 0.5


def smoothed(counts: npt.ArrayLike, by: float = SMOOTHING) -> Floats:
    """Fractions of bins after the same number was added to every count.

    Args:
        counts: shape (..., bins), non-negative; of weighted rows their sums, scaled to the effective size.
        by: what is added to every bin.

    Raises:
        ShapeError: there are no bins, or nothing was counted and nothing is added.
    """
    numbers = np.asarray(counts, np.float64)
    if numbers.ndim == 0 or numbers.shape[-1] == 0:
        raise ShapeError(f"expected at least one bin, got counts of shape {numbers.shape}")
    raised = numbers + by
    totals = raised.sum(axis=-1, keepdims=True)
    if not (totals > 0).all() or (numbers < 0).any():
        raise ShapeError("expected non-negative counts, and something counted or added")
    fractions: Floats = raised / totals
    return fractions


def population_stability_index(reference: npt.ArrayLike, current: npt.ArrayLike) -> Floats:
    """Sum over bins of ``(current - reference) * ln(current / reference)``, shape (...,).

    Args:
        reference: shape (..., bins), positive fractions (`smoothed`).
        current: fractions of the same bins.

    Raises:
        ShapeError: the bins differ, or a fraction is not positive.
    """
    p, q = _paired(reference, current)
    if not ((p > 0).all() and (q > 0).all()):
        raise ShapeError("expected positive fractions in every bin; smooth the counts first")
    index: Floats = ((q - p) * np.log(q / p)).sum(axis=-1)
    return index


def jensen_shannon(reference: npt.ArrayLike, current: npt.ArrayLike) -> Floats:
    """Jensen-Shannon divergence in bits, 0 (equal) to 1 (nothing in common), shape (...,).

    Args:
        reference: shape (..., bins), fractions; zeros are allowed.
        current: fractions of the same bins.

    Raises:
        ShapeError: the bins differ.
    """
    p, q = _paired(reference, current)
    middle = (p + q) / 2
    divergence: Floats = np.clip((_relative(p, middle) + _relative(q, middle)) / 2, 0.0, 1.0)
    return divergence


def _relative(p: Floats, q: Floats) -> Floats:
    ratio = np.divide(p, q, out=np.ones(np.broadcast_shapes(p.shape, q.shape)), where=p > 0)
    total: Floats = (p * np.log2(ratio)).sum(axis=-1)
    return total


def _paired(reference: npt.ArrayLike, current: npt.ArrayLike) -> tuple[Floats, Floats]:
    p, q = np.asarray(reference, np.float64), np.asarray(current, np.float64)
    if p.ndim == 0 or q.ndim == 0 or p.shape[-1] != q.shape[-1]:
        raise ShapeError(f"expected the same bins, got shapes {p.shape} and {q.shape}")
    return p, q
