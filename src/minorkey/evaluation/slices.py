"""Metrics of parts of the test: where the model does worse than its average."""

import itertools
from typing import Any

import numpy as np

from minorkey.data.dataset import Dataset
from minorkey.evaluation.intervals import metric_intervals
from minorkey.evaluation.scoring import Scored

__all__ = ["slice_metrics"]

_METRICS = ("average_precision", "recall", "precision")
#: Levels beyond the most frequent ones are not shown: their intervals span nearly everything.
_MOST_LEVELS = 10


def slice_metrics(
    data: Dataset, scored: Scored, columns: tuple[str, ...], *, confidence: float, seed: int
) -> list[dict[str, Any]]:
    """Average precision, recall and precision for each level of each column.

    Numeric columns are cut at their quartiles. Levels without a positive are left out.

    Args:
        data: the test rows.
        scored: the candidate's scores.
        columns: names of features.
        confidence: of the intervals.
        seed: seed of the bootstrap.
    """
    slices = []
    for column in columns:
        for level, inside in _levels(data, column).items():
            if not data.y[inside].any() or data.y[inside].all():
                continue
            part = data.take(inside)
            intervals = metric_intervals(
                part.y,
                scored.raw[..., inside],
                scored.score[..., inside],
                scored.threshold[..., inside],
                weight=part.weight,
                entity=part.entity,
                confidence=confidence,
                bootstraps=200,
                seed=seed,
            )
            shown = {name: intervals[name].to_json() for name in _METRICS}
            slices.append(
                {"column": column, "level": level, "rows": len(part), "positives": part.positives, **shown}
            )
    return slices


def _levels(data: Dataset, column: str) -> dict[str, Any]:
    values = data.features[column]
    if column in data.schema.names("categorical"):
        top = values.value_counts().index[:_MOST_LEVELS]
        return {str(level) or "(missing)": (values == level).to_numpy() for level in top}
    numbers = values.to_numpy(np.float64)
    edges = np.unique(np.nanquantile(numbers, [0, 0.25, 0.5, 0.75, 1]))
    bounds = list(itertools.pairwise(edges))
    levels = {
        f"{low:.4g} to {high:.4g}": (numbers >= low) & ((numbers < high) | (high == edges[-1]))
        for low, high in bounds
    }
    return levels | ({"(missing)": np.isnan(numbers)} if np.isnan(numbers).any() else {})
