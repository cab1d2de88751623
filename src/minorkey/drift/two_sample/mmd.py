"""Maximum mean discrepancy of all columns with a Gaussian kernel.

Rows of equal weight are permuted. Rows that differ in weight keep their weights, and the null distribution
comes from random signs (a wild bootstrap), which also holds where weights depend on the values.

Source: Gretton et al. (2012), "A Kernel Two-Sample Test"; Chwialkowski, Sejdinovic and Gretton (2014),
"A Wild Bootstrap for Degenerate Kernel Tests".
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import pdist, squareform

from minorkey.drift.two_sample.drawing import Bools, drawn_p_value
from minorkey.drift.two_sample.encoding import joint_matrix
from minorkey.drift.two_sample.protocol import Outcome, Scope
from minorkey.drift.two_sample.sample import Sample

__all__ = ["MaximumMeanDiscrepancy"]

Floats = npt.NDArray[np.float64]
_EQUAL = 1e-12


@dataclass(frozen=True)
class MaximumMeanDiscrepancy:
    """For all columns together. The statistic is the squared discrepancy.

    Attributes:
        permutations: how many at most, or draws of random signs.
        most_rows: of each sample; more are thinned at random.
    """

    permutations: int = 499
    most_rows: int = 1_000
    name = "mmd"
    scope: Scope = "joint"

    def drawing(self, draws: int) -> Self:
        """See `TwoSampleTest.drawing`."""
        return replace(self, permutations=draws)

    def compare(self, reference: Sample, current: Sample, *, seed: int) -> Outcome:
        """See `TwoSampleTest.compare`. The kernel's width is the median distance of the rows."""
        generator = np.random.default_rng(seed)
        reference, current = (sample.at_most(self.most_rows, generator) for sample in (reference, current))
        kernel = _kernel(joint_matrix(reference, current))
        contrast = np.concatenate([reference.shares, -current.shares])
        statistic = float(_quadratic(contrast[None], kernel)[0])
        weighted = reference.weighted or current.weighted
        if weighted:
            pooled = np.concatenate(
                [reference.shares * reference.effective, current.shares * current.effective]
            )
            kernel = _centred(kernel, pooled / pooled.sum())

        def reach(number: int) -> Bools:
            many = np.broadcast_to(contrast, (number, len(contrast)))
            if weighted:
                drawn = many * (generator.integers(0, 2, many.shape) * 2.0 - 1.0)
            else:
                drawn = generator.permuted(many, axis=1)
            return np.asarray(_quadratic(drawn, kernel) >= statistic - _EQUAL)

        return Outcome(statistic, drawn_p_value(reach, self.permutations))


def _kernel(rows: Floats) -> Floats:
    squared = pdist(rows, "sqeuclidean")
    apart = squared[squared > 0]
    width = float(np.median(apart)) if len(apart) else 1.0
    kernel: Floats = np.exp(-squareform(squared) / width)
    return kernel


def _centred(kernel: Floats, shares: Floats) -> Floats:
    """The kernel of rows from which the pooled samples' mean has been taken."""
    means = kernel @ shares
    centred: Floats = kernel - means[:, None] - means[None, :] + shares @ means
    return centred


def _quadratic(contrasts: Floats, kernel: Floats) -> Floats:
    forms: Floats = ((contrasts @ kernel) * contrasts).sum(axis=1)
    return forms
