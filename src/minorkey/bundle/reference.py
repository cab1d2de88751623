"""The reference profile: in which bins the features and the score lay, to compare production with.

Each entry names its bins, in order, and the fraction of rows in each. The same rules assign production
rows to bins (`assign_bins`), so that counters and reference speak of the same thing.
"""

from bisect import bisect_right
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from minorkey.bundle.null_quantiles import QUANTILES, WINDOWS, null_quantiles
from minorkey.data.dataset import MISSING, Scores

if TYPE_CHECKING:
    import pandas as pd

    from minorkey.spec import MonitorSpec

__all__ = ["Bins", "assign_bins", "bin_entry", "reference_profile"]

Weights = npt.NDArray[np.float64]

_MISSING_BIN, _OTHER_BIN = "missing", "other"
#: Most levels of a category with a bin of their own.
_MOST_LEVELS = 20
#: A longer level is counted as "other": it could not be a label of a metric.
_LONGEST_LEVEL = 200
_CLIP = 1e-7


def reference_profile(
    features: "pd.DataFrame",
    scores: Scores,
    monitor: "MonitorSpec",
    *,
    weight: npt.ArrayLike | None = None,
    times: npt.NDArray[np.float64] | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Bins and fractions of every feature and of the score, and what they come to without drift.

    Rows that were thinned, or that an audit lets stand for others, weigh what they stand for: production is
    not thinned.

    Args:
        features: canonical features of rows that the scores are honest for (out of fold).
        scores: shape (n,), calibrated scores of these rows.
        monitor: number of bins, and of features that get a profile: those that the score depends on
            most, each by itself.
        weight: shape (n,), non-negative; None: all equal.
        times: shape (n,), seconds: when the rows happened. None: rows without order.
        seed: seed of the null quantiles.

    Returns:
        JSON content: ``rows``; ``features``, by name; ``score``; ``left_out``, the names of features
        without a profile, the more important first; ``null``. A numeric entry holds ``kind``, ``edges``
        (bin i holds values from edge i-1 up to but not including edge i), ``bins``, ``fractions`` and
        ``median``; a categorical one ``kind``, ``levels``, ``bins``, ``fractions``. Bins ``missing`` and
        ``other`` come last. Each entry but the score's has ``importance``, the share of the score's
        variance that lies between its bins; each has ``null``: by statistic, for each window and
        quantile of ``reference["null"]``, the figure that chance alone gives (`null_quantiles`).
    """
    values = np.asarray(scores, np.float64)
    own = np.ones(len(values)) if weight is None else np.asarray(weight, np.float64)
    entries = {name: bin_entry(features[name].to_numpy(), monitor.bins, own) for name in features.columns}
    places = {name: assign_bins(entry, features[name].to_numpy()) for name, entry in entries.items()}
    for name, entry in entries.items():
        entry["importance"] = _importance(places[name], values, own)
    ranked = sorted(entries, key=lambda name: -entries[name]["importance"])
    kept, left_out = ranked[: monitor.max_features], ranked[monitor.max_features :]
    score = bin_entry(values, monitor.bins, own)
    drawn: dict[str, Any] = {"weight": own, "times": times, "seed": seed}
    nulls, largest = null_quantiles(
        {name: places[name] for name in kept}, {name: len(entries[name]["bins"]) for name in kept}, **drawn
    )
    of_score, _ = null_quantiles({"": assign_bins(score, values)}, {"": len(score["bins"])}, **drawn)
    return {
        "rows": len(features),
        "features": {name: entries[name] | {"null": nulls.get(name, {})} for name in kept},
        "score": score | {"null": of_score.get("", {})},
        "left_out": left_out,
        "null": {"windows": list(WINDOWS), "quantiles": list(QUANTILES), "largest": largest},
    }


class Bins:
    """The rule of one entry of a reference profile, made ready for many calls.

    Args:
        entry: of one feature, or of the score, from `reference_profile`.
    """

    def __init__(self, entry: dict[str, Any]) -> None:
        self.names: list[str] = list(entry["bins"])
        self._last = len(self.names) - 1
        self._numeric = entry["kind"] == "numeric"
        if self._numeric:
            self._edges = [float(edge) for edge in entry["edges"]]
            self._knots = np.asarray(self._edges, np.float64)
        else:
            levels = {level: place for place, level in enumerate(entry["levels"])}
            self._table = levels | {MISSING: self._last - 1}

    def place(self, value: Any) -> int:
        """As `places`, of one value: much faster than a call of NumPy."""
        if not self._numeric:
            return self._table.get(value, self._last)
        number = float(value)
        return bisect_right(self._edges, number) if number == number else self._last

    def places(self, values: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
        """Position among `names` of every value, shape (n,).

        Args:
            values: shape (n,), float64 with NaN where missing, or str with "" where missing.
        """
        if not self._numeric:
            return np.array([self._table.get(value, self._last) for value in values], np.intp)
        numbers = np.asarray(values, np.float64)
        placed = np.searchsorted(self._knots, numbers, side="right")
        return np.where(np.isnan(numbers), self._last, placed)


def assign_bins(entry: dict[str, Any], values: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    """Position among ``entry["bins"]`` of every value, shape (n,).

    Args:
        entry: of one feature, or of the score, from `reference_profile`.
        values: shape (n,), float64 with NaN where missing, or str with "" where missing.
    """
    return Bins(entry).places(values)


def _importance(places: npt.NDArray[np.intp], scores: Scores, weight: Weights) -> float:
    """The share of the variance of the score's log-odds that lies between the bins, from 0 to 1.

    Source: Pearson's correlation ratio; it estimates the first-order index of Sobol (1993).
    """
    if not len(scores):
        return 0.0
    clipped = np.clip(scores, _CLIP, 1 - _CLIP)
    logit = np.log(clipped / (1 - clipped))
    mean = np.average(logit, weights=weight)
    variance = np.average((logit - mean) ** 2, weights=weight)
    if not variance > 0:
        return 0.0
    held = np.bincount(places, weight)
    filled = held > 0
    means = np.bincount(places, weight * logit)[filled] / held[filled]
    return float(np.average((means - mean) ** 2, weights=held[filled]) / variance)


def bin_entry(values: npt.NDArray[Any], bins: int, weight: Weights | None = None) -> dict[str, Any]:
    """The entry of one column, as `reference_profile` describes it, without what is known of chance.

    Args:
        values: shape (n,), float64 with NaN where missing, or str with "" where missing.
        bins: about how many there are, for numbers.
        weight: shape (n,); None: all equal. Fractions go by it; the bins are cut by the rows.
    """
    numeric = values.dtype != object and values.dtype.kind in "fiub"
    entry = _numeric(values.astype(np.float64), bins) if numeric else _categorical(values)
    held = np.bincount(assign_bins(entry, values), weight, len(entry["bins"]))
    return {**entry, "fractions": (held / (held.sum() or 1.0)).tolist()}


def _numeric(values: npt.NDArray[np.float64], bins: int) -> dict[str, Any]:
    present = values[np.isfinite(values)]
    edges = _edges(present, bins)
    return {
        "kind": "numeric",
        "edges": edges,
        "bins": [f"{place:02d}" for place in range(len(edges) + 1)] + [_MISSING_BIN],
        "median": float(np.median(present)) if len(present) else None,
    }


def _edges(present: npt.NDArray[np.float64], bins: int) -> list[float]:
    """Inner edges: between distinct values if they are few, else quantiles.

    A value that alone fills several bins gets one, and the quantiles of the other values the rest.
    """
    distinct, counts = np.unique(present, return_counts=True)
    if len(distinct) <= bins:
        return [float(value) for value in distinct[1:]]
    heaviest = distinct[counts.argmax()]
    if counts.max() >= 2 * len(present) / bins:
        rest = present[present != heaviest]
        after = distinct[distinct > heaviest][:1]
        edges = np.concatenate([_quantiles(rest, bins - 1), [heaviest], after])
    else:
        edges = _quantiles(present, bins)
    return [float(edge) for edge in np.unique(edges) if edge > distinct[0]]


def _quantiles(values: npt.NDArray[np.float64], bins: int) -> npt.NDArray[np.float64]:
    return np.quantile(values, np.arange(1, bins) / bins, method="lower") if bins > 1 else np.empty(0)


def _categorical(values: npt.NDArray[Any]) -> dict[str, Any]:
    counts = Counter(value for value in values if value != MISSING and len(value) <= _LONGEST_LEVEL)
    kept = sorted(counts, key=lambda level: (-counts[level], level))[:_MOST_LEVELS]
    return {"kind": "categorical", "levels": kept, "bins": [*_bin_names(kept), _MISSING_BIN, _OTHER_BIN]}


def _bin_names(levels: list[str]) -> list[str]:
    """Levels as names of bins, told apart from the bins that every category has."""
    return [f"={level}" if level in (_MISSING_BIN, _OTHER_BIN) else level for level in levels]
