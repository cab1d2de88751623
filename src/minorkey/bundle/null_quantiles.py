"""What PSI and Jensen-Shannon come to where nothing has drifted: a block bootstrap of the reference.

A figure that is large for one feature and window is usual for another: it depends on the number of bins,
on the rows of the window, on the rows of the reference and on how much the reference itself swings from
one period to the next. The recording rules therefore divide by the quantiles that are computed here.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from minorkey.drift.divergences import jensen_shannon, population_stability_index, smoothed

__all__ = ["QUANTILES", "STATISTICS", "WINDOWS", "null_quantiles"]

Floats = npt.NDArray[np.float64]

#: Rows of a window for which quantiles are known. A window of production takes those of the largest that
#: it fills: they are too wide for it, and too narrow only where the world swings and production has far more
#: rows a day than the reference: its windows then hold fewer days.
WINDOWS = (500, 2_000, 8_000, 32_000)
#: The quantiles: a standardised figure is 0 at the first and 1 at the second.
QUANTILES = (0.5, 0.99)
STATISTICS = {"psi": population_stability_index, "jensen_shannon": jensen_shannon}

_REPLICATES = 500
#: Rows are resampled in cells; a cell fits a whole number of times into every window.
_CELLS = (1, 2, 4, 5, 10, 20, 25, 50, 100, 125, 250, 500)
_FEWEST_CELLS = 400
#: A period of the reference is this share of it.
_PERIODS = 20


def null_quantiles(
    places: Mapping[str, npt.NDArray[np.intp]],
    bins: Mapping[str, int],
    *,
    weight: Floats | None = None,
    times: Floats | None = None,
    seed: int = 0,
) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Quantiles of both figures between windows and references that differ by chance alone.

    Each of 500 replicates draws a reference and, for every size in `WINDOWS`, a window: whole periods (a
    twentieth of the reference each, contiguous in time) where the window is longer than one, else a
    contiguous stretch. Without times rows are taken to be independent.

    Args:
        places: by feature shape (n,), the bin of every row.
        bins: by feature, how many bins there are.
        weight: shape (n,), non-negative; None: all equal. A window of so many rows is drawn from as many of
            these, which by their weights swing no less than those of production.
        times: shape (n,), seconds; None: rows without order.
        seed: the same seed gives the same quantiles.

    Returns:
        By feature and statistic, and for the largest standardised value over all features by statistic:
        shape (windows, quantiles) as lists. Both empty where there are no rows or no features.

    Source: Kuensch (1989), "The Jackknife and the Bootstrap for General Stationary Observations"; Politis
    and Romano (1992) for the circular form.
    """
    rows = len(next(iter(places.values()), ()))
    if not rows:
        return {}, {}
    random = np.random.default_rng(seed)
    own = np.ones(rows) if weight is None else weight / weight.mean()
    order = random.permutation(rows) if times is None else np.argsort(times, kind="stable")
    cell = max(size for size in _CELLS if size == 1 or size <= rows / _FEWEST_CELLS)
    cells = rows // cell
    period = 1 if times is None else max(1, cells // _PERIODS)
    references = _draws(random, cells, cells, period)
    windows = [_draws(random, cells, size // cell, period) for size in WINDOWS]
    found: dict[str, dict[str, Any]] = {}
    largest = {name: np.full((len(WINDOWS), _REPLICATES), -np.inf) for name in STATISTICS}
    for feature, place in places.items():
        used = order[: cells * cell]
        counts = _counts(place[used], own[used], cell, bins[feature])
        reference = smoothed(references @ counts)
        found[feature] = {}
        for name, statistic in STATISTICS.items():
            values = np.array([statistic(reference, smoothed(window @ counts)) for window in windows])
            low, high = np.quantile(values, QUANTILES, axis=1)
            found[feature][name] = np.column_stack([low, high]).tolist()
            spread = np.where(high > low, high - low, np.inf)
            largest[name] = np.maximum(largest[name], (values - low[:, None]) / spread[:, None])
    return found, {
        name: np.quantile(values, QUANTILES, axis=1).T.tolist() for name, values in largest.items()
    }


def _counts(place: npt.NDArray[np.intp], weight: Floats, cell: int, bins: int) -> Floats:
    """Weight of the rows by cell and bin, shape (cells, bins)."""
    cells = len(place) // cell
    flat = np.repeat(np.arange(cells), cell) * bins + place
    return np.asarray(np.bincount(flat, weight, cells * bins).reshape(cells, bins), np.float64)


def _draws(random: np.random.Generator, cells: int, wanted: int, period: int) -> Floats:
    """How often each replicate draws each cell: circular runs of ``period`` cells, ``wanted`` in all."""
    period = min(period, wanted)
    if period == 1:
        return random.multinomial(wanted, np.full(cells, 1 / cells), _REPLICATES).astype(np.float64)
    runs = -(-wanted // period)
    lengths = np.full(runs, period)
    lengths[-1] = wanted - period * (runs - 1)
    starts = random.integers(0, cells, (_REPLICATES, runs))
    steps = np.zeros((_REPLICATES, 2 * cells + 1))
    replicate = np.repeat(np.arange(_REPLICATES), runs)
    np.add.at(steps, (replicate, starts.ravel()), 1)
    np.add.at(steps, (replicate, (starts + lengths).ravel()), -1)
    drawn = steps.cumsum(axis=1)[:, :-1]
    return np.asarray(drawn[:, :cells] + drawn[:, cells:])
