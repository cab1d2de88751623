"""Weights that fade with a row's age."""

import numpy as np
import numpy.typing as npt

__all__ = ["recency_weights"]

#: A row that is older than so many half-lives weighs no less: a weight of 0 is none to some learners.
_MOST_HALF_LIVES = 40.0


def recency_weights(event: npt.NDArray[np.float64], half_life: float) -> npt.NDArray[np.float64]:
    """One factor a row: 0.5 ** (age / half_life), by the age at the newest row.

    Ages at any later moment, the training cut-off say, give the same weights but for a common factor, which
    scaling to mean 1 takes out.

    Args:
        event: shape (n,), when each row happened, in seconds.
        half_life: seconds, above 0.

    Returns:
        Shape (n,), in (0, 1].

    Source: Klinkenberg (2004), "Learning drifting concepts: Example selection vs. example weighting".
    """
    age = event.max(initial=-np.inf) - event
    return np.asarray(0.5 ** np.minimum(age / half_life, _MOST_HALF_LIVES))
