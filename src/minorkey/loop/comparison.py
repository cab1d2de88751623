"""The same rows with the loop and without it: what the first version would have called them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from minorkey.bundle.bundle import Bundle
from minorkey.data.dataset import Dataset
from minorkey.evaluation.metrics import Confusion, matthews_corrcoef
from minorkey.simulation.stream import Sent

__all__ = ["Comparison", "Window", "compare"]

#: Rows of a window of the course, and bootstraps of the difference.
_ROWS, _BOOTSTRAPS = 2_000, 1_000

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Window:
    """The Matthews correlation over a stretch of the stream that ends at a second of it."""

    seconds: float
    with_loop: float
    without_loop: float


@dataclass(frozen=True)
class Comparison:
    """The stream with the loop and without it.

    Attributes:
        windows: the course of both.
        rows: that a later version answered.
        positives: among them.
        with_loop: Matthews correlation over those rows as they were answered.
        without_loop: as the first version would have answered.
        low: of the difference, 95 % by bootstrap of rows, paired.
        high: likewise.
    """

    windows: tuple[Window, ...]
    rows: int
    positives: int
    with_loop: float
    without_loop: float
    low: float
    high: float

    @property
    def improved(self) -> bool:
        """Whether the loop's gain is beyond luck."""
        return self.low > 0


def compare(sent: list[Sent], data: Dataset, first: Bundle, version: str, *, seed: int) -> Comparison | None:
    """Compare what was called positive with what the first version would have called.

    Args:
        sent: the answered rows.
        data: what was streamed.
        first: the bundle of the first version.
        version: its number.
        seed: of the bootstrap.

    Returns:
        None if no later version has answered any row.
    """
    ordered = sorted(sent, key=lambda row: row.time)
    rows = np.array([row.row for row in ordered], dtype=np.intp)
    y = np.array([row.label for row in ordered])
    called = np.array([row.predicted for row in ordered])
    began = ordered[0].time if ordered else 0.0
    seconds = np.array([row.time - began for row in ordered])
    later = np.array([row.version != version for row in ordered], dtype=bool)
    if not later.any():
        return None
    stale = (first.score(data.features.iloc[rows])[1] >= first.info.threshold).astype(int)
    random = np.random.default_rng(seed)
    drawn = random.multinomial(later.sum(), np.full(later.sum(), 1 / later.sum()), _BOOTSTRAPS)
    cells = [_cells(y[later], calls[later]) for calls in (called, stale)]
    whole = [float(_mcc(one.sum(axis=1))) for one in cells]
    difference = _mcc(drawn @ cells[0].T, axis=1) - _mcc(drawn @ cells[1].T, axis=1)
    low, high = np.nanpercentile(difference, [2.5, 97.5])
    return Comparison(
        windows=tuple(_windows(seconds, y, called, stale)),
        rows=int(later.sum()),
        positives=int(y[later].sum()),
        with_loop=whole[0],
        without_loop=whole[1],
        low=float(low),
        high=float(high),
    )


def _windows(seconds: Floats, y: npt.NDArray[np.int_], *calls: npt.NDArray[np.int_]) -> list[Window]:
    found = []
    for start in range(0, len(y) - _ROWS + 1, _ROWS):
        part = slice(start, start + _ROWS)
        values = [float(_mcc(_cells(y[part], one[part]).sum(axis=1))) for one in calls]
        found.append(Window(float(seconds[part][-1]), *values))
    return found


def _cells(y: npt.NDArray[np.int_], called: npt.NDArray[np.int_]) -> npt.NDArray[np.int64]:
    """Which of the four cells each row falls into, shape (4, n)."""
    return np.stack(
        [y & called, (1 - y) & called, y & (1 - called), (1 - y) & (1 - called)],
    ).astype(np.int64)


def _mcc(cells: npt.NDArray[np.int64], axis: int = 0) -> Floats:
    tp, fp, fn, tn = np.moveaxis(cells.astype(np.float64), axis, 0)
    return matthews_corrcoef(Confusion(tp, fp, fn, tn))
