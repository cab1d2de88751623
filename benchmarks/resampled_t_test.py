"""The t-test for differences measured on splits of the same rows, which plain standard errors overrate."""

import numpy as np
import numpy.typing as npt
from scipy import stats

__all__ = ["corrected_t_test"]


def corrected_t_test(differences: npt.NDArray[np.float64], test_share: float) -> dict[str, float]:
    """Mean difference with its two-sided p-value and 95 % interval.

    Args:
        differences: shape (folds,), one value for each outer fold of each repeat.
        test_share: test rows divided by training rows.

    Source: Nadeau and Bengio (2003), "Inference for the Generalization Error".
    """
    mean, n = float(differences.mean()), len(differences)
    error = float(np.sqrt((1 / n + test_share) * differences.var(ddof=1)))
    half = float(stats.t.ppf(0.975, n - 1)) * error
    p = 2 * float(stats.t.sf(abs(mean) / max(error, 1e-12), n - 1))
    return {"mean": mean, "low": mean - half, "high": mean + half, "p": p}
