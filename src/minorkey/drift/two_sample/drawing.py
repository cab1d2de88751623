"""P-values from draws: as many as a p-value needs, and none where it is too small for them.

Draws end once so many of them reach the statistic that its p-value is known well enough; the p-value is then
their share among the draws, which is as valid as that of a fixed number. A p-value from draws is never below
one over their number, which may be too large to be found among hundreds of columns.

Source: Besag and Clifford (1991), "Sequential Monte Carlo p-Values".
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

__all__ = ["drawn_p_value"]

Bools = npt.NDArray[np.bool_]

#: Draws that reach the statistic after which no further one is needed: 14 % is the p-value's error then.
_ENOUGH = 50
_FEWEST_AT_ONCE, _MOST_AT_ONCE = 100, 1_000


def drawn_p_value(reach: Callable[[int], Bools], most: int, *, bound: float = 1.0) -> float:
    """The probability of a statistic as large as the one that was seen, if nothing has changed.

    Args:
        reach: draws so many statistics, independent of all before, and tells which reach the one seen.
        most: draws at most.
        bound: what the p-value of endless draws is at most. It is the answer where it is no larger than the
            smallest p-value of the draws, 1 / (most + 1).
    """
    if bound <= 1 / (most + 1):
        return bound
    drawn = reached = 0
    while drawn < most:
        number = min(max(_FEWEST_AT_ONCE, drawn), _MOST_AT_ONCE, most - drawn)
        counts = reached + np.cumsum(reach(number))
        if counts[-1] >= _ENOUGH:
            return _ENOUGH / (drawn + 1 + int(np.searchsorted(counts, _ENOUGH)))
        drawn, reached = drawn + number, int(counts[-1])
    return (1 + reached) / (1 + most)
