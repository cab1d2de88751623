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
    """Rows whose columns are drawn independently from the reference's bins, some values missing.

    Args:
        info: of the bundle.
        rows: how many.
        seed: the same seed gives the same rows.

    Returns:
        One array of shape (rows,) for each feature; the first row has no missing value that the
        reference could avoid.
    """
    random = np.random.default_rng(seed)
    columns: Columns = {}
    for feature in info.schema.features:
        values = _values(feature, info.reference)
        missing = random.random(rows) < 0.1
        missing[0] = False
        if feature.kind == "categorical":
            drawn = np.array([values[index] for index in random.integers(0, len(values), rows)], dtype=object)
            drawn[missing] = MISSING
        else:
            drawn = random.uniform(min(values), max(values), rows)
            drawn[missing] = np.nan
        columns[feature.name] = drawn
    return columns


def _centre(feature: Feature, reference: dict[str, Any]) -> float | str:
    entry = reference.get("features", {}).get(feature.name)
    if feature.kind == "categorical":
        return MISSING if entry is None else str(entry["mode"])
    return float("nan") if entry is None else float(entry["median"])


def _values(feature: Feature, reference: dict[str, Any]) -> list[Any]:
    entry = reference.get("features", {}).get(feature.name)
    if feature.kind == "categorical":
        return [MISSING] if not entry else list(entry["levels"])
    return [0.0, 1.0] if not entry else list(entry["edges"])
