"""Rows like those of training, made from the bundle's reference profile: no training row is kept."""

from typing import Any

import numpy as np

from minorkey.bundle.bundle import BundleInfo
from minorkey.data.dataset import MISSING, Feature
from minorkey.serving.columns import Columns

__all__ = ["central_values", "sample_rows"]


def central_values(info: BundleInfo) -> dict[str, float | str]:
    """Median (numbers, times) or mode (categories) of each feature in the reference.

    A feature without a reference profile is represented by the missing value.
    """
    return {feature.name: _centre(feature, info.reference) for feature in info.schema.features}


def sample_rows(info: BundleInfo, rows: int, *, seed: int = 0) -> Columns:
    """Rows whose columns are drawn independently from the reference's quantiles and levels.

    Args:
        info: of the bundle.
        rows: how many.
        seed: the same seed gives the same rows.

    Returns:
        One array of shape (rows,) for each feature; a tenth of the values is missing, none in the
        first row where the reference knows a value.
    """
    random = np.random.default_rng(seed)
    columns: Columns = {}
    for feature in info.schema.features:
        entry = info.reference.get("features", {}).get(feature.name, {})
        missing = random.random(rows) < 0.1
        missing[:1] = False
        if feature.kind == "categorical":
            levels = entry.get("levels") or [MISSING]
            drawn = np.array([levels[place] for place in random.integers(0, len(levels), rows)], dtype=object)
            drawn[missing] = MISSING
        else:
            knots = _knots(entry)
            drawn = np.interp(random.uniform(0, len(knots) - 1, rows), np.arange(len(knots)), knots)
            drawn[missing] = np.nan
        columns[feature.name] = drawn
    return columns


def _centre(feature: Feature, reference: dict[str, Any]) -> float | str:
    entry = reference.get("features", {}).get(feature.name, {})
    if feature.kind != "categorical":
        median = entry.get("median")
        return float("nan") if median is None else float(median)
    levels = entry.get("levels", [])
    # The levels come first among the bins, most frequent first; then missing, then other.
    fractions = entry.get("fractions", [])
    if not levels or fractions[len(levels)] > fractions[0]:
        return MISSING
    return str(levels[0])


def _knots(entry: dict[str, Any]) -> list[float]:
    """Values to draw between: the edges of the bins, or the median where there are none."""
    median = entry.get("median")
    return sorted(entry.get("edges") or [0.0 if median is None else median])
