"""What a bank knows of a customer and a terminal when a transaction arrives: strictly past rows."""

import numpy as np
import numpy.typing as npt

__all__ = ["PastRows"]

Values = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]


class PastRows:
    """Sums over the earlier rows of the same group, for all rows at once.

    Args:
        group: shape (n,), codes from 0.
        time: shape (n,), ascending, in any unit, not negative.
    """

    def __init__(self, group: npt.NDArray[np.intp], time: Times) -> None:
        self._order = np.argsort(group, kind="stable")
        # One ascending key for all groups, so that a window in one never reaches into another.
        self._stride = 2 * (int(time[-1]) + 1)
        self._group = group[self._order].astype(np.int64) * self._stride
        self._time = time[self._order]
        self._key = self._group + self._time

    def window(self, length: int, *, before: int = 0) -> "Window":
        """Rows of the same group with a time in [t - before - length, t - before).

        Rows at the same time as t itself are not past, even with `before` 0.
        """
        reach = self._stride // 2
        first = self._key - np.minimum(np.minimum(before + length, reach), self._time + 1)
        last = self._key - np.minimum(np.minimum(before, reach), self._time + 1)
        return Window(self._order, np.searchsorted(self._key, first), np.searchsorted(self._key, last))


class Window:
    """One window of past rows for every row. Made by `PastRows.window`."""

    def __init__(
        self, order: npt.NDArray[np.intp], first: npt.NDArray[np.intp], last: npt.NDArray[np.intp]
    ) -> None:
        self._order, self._first, self._last = order, first, last

    def count(self) -> Values:
        """Number of rows in each row's window, shape (n,)."""
        return self._scattered((self._last - self._first).astype(np.float64))

    def mean(self, values: npt.NDArray[np.generic]) -> Values:
        """Mean of the values in each row's window, shape (n,), to six decimals; NaN where it is empty."""
        sums = np.concatenate([[0.0], np.cumsum(values[self._order], dtype=np.float64)])
        count = self._last - self._first
        total = sums[self._last] - sums[self._first]
        means = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
        return self._scattered(means.round(6))

    def _scattered(self, ordered: Values) -> Values:
        values = np.empty_like(ordered)
        values[self._order] = ordered
        return values
