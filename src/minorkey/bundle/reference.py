"""The reference profile: in which bins the features and the score lay, to compare production with.

Each entry names its bins, in order, and the fraction of rows in each. The same rules assign production
rows to bins (`assign_bins`), so that counters and reference speak of the same thing.
"""

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from minorkey.data.dataset import MISSING, Scores

if TYPE_CHECKING:
    import pandas as pd

    from minorkey.spec import MonitorSpec

__all__ = ["assign_bins", "reference_profile"]

_MISSING_BIN, _OTHER_BIN = "missing", "other"
#: Most levels of a category with a bin of their own.
_MOST_LEVELS = 20
#: A longer level is counted as "other": it could not be a label of a metric.
_LONGEST_LEVEL = 200


def reference_profile(features: "pd.DataFrame", scores: Scores, monitor: "MonitorSpec") -> dict[str, Any]:
    """Bins and fractions of every feature and of the score.

    Args:
        features: canonical features of rows that the scores are honest for (out of fold).
        scores: shape (n,), calibrated scores of these rows.
        monitor: number of bins, and of features that get a profile (the first ones).

    Returns:
        JSON content: ``rows``; ``features``, by name; ``score``; ``left_out``, the names of features
        without a profile. A numeric entry holds ``kind``, ``edges`` (bin i holds values from edge i-1
        up to but not including edge i), ``bins``, ``fractions`` and ``median``; a categorical one
        ``kind``, ``levels``, ``bins``, ``fractions``. Bins ``missing`` and ``other`` come last.
    """
    names = list(features.columns)
    return {
        "rows": len(features),
        "features": {
            name: _profile(features[name].to_numpy(), monitor.bins) for name in names[: monitor.max_features]
        },
        "score": _profile(np.asarray(scores, np.float64), monitor.bins),
        "left_out": names[monitor.max_features :],
    }


def assign_bins(entry: dict[str, Any], values: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    """Position among ``entry["bins"]`` of every value, shape (n,).

    Args:
        entry: of one feature, or of the score, from `reference_profile`.
        values: shape (n,), float64 with NaN where missing, or str with "" where missing.
    """
    last = len(entry["bins"]) - 1
    if entry["kind"] == "numeric":
        numbers = np.asarray(values, np.float64)
        places = np.searchsorted(np.asarray(entry["edges"], np.float64), numbers, side="right")
        return np.where(np.isnan(numbers), last, places)
    table = {level: place for place, level in enumerate(entry["levels"])} | {MISSING: last - 1}
    return np.array([table.get(value, last) for value in values], np.intp)


def _profile(values: npt.NDArray[Any], bins: int) -> dict[str, Any]:
    numeric = values.dtype != object and values.dtype.kind in "fiub"
    entry = _numeric(values.astype(np.float64), bins) if numeric else _categorical(values)
    counts = np.bincount(assign_bins(entry, values), minlength=len(entry["bins"]))
    return {**entry, "fractions": (counts / max(1, len(values))).tolist()}


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
