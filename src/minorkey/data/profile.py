"""Facts about a data set, as JSON content: what the report shows and a reader wants to know first."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from minorkey.data.dataset import MISSING, Dataset, FeatureKind
from minorkey.data.leaks import Suspect
from minorkey.data.left_out import IDENTIFIER, ONE_VALUE, of_reason

__all__ = ["duplicates_across", "profile_dataset"]

_QUANTILES = (0.0, 0.01, 0.25, 0.5, 0.75, 0.99, 1.0)
_TOP_LEVELS = 10


def profile_dataset(dataset: Dataset, *, source: str, suspects: Sequence[Suspect]) -> dict[str, Any]:
    """The profile of a data set.

    Args:
        dataset: canonical rows.
        source: where they come from.
        suspects: columns and pairs that alone rank too well, with their average precision.

    Returns:
        ``rows``, ``positives``, ``imbalance_ratio`` (negatives per positive), ``gini`` (impurity of the
        target, 0 to 0.5), ``entropy`` (of the target, in bits), ``missing_share``, ``columns`` (kind,
        missing share, distinct values, quantiles or top levels), ``left_out`` (column to reason),
        ``constant``, ``identifiers``, ``duplicate_rows`` (rows equal to an earlier one),
        ``leak_suspects``, ``time_range`` (ISO 8601, or None), ``entities``, ``digest``, ``source``.
    """
    left_out = dataset.schema.left_out
    columns = {
        feature.name: _column(dataset.features[feature.name], feature.kind)
        for feature in dataset.schema.features
    }
    share = dataset.positives / len(dataset)
    return {
        "source": source,
        "digest": dataset.digest(),
        "target": dataset.schema.target,
        "positive": dataset.schema.positive,
        "negative": dataset.schema.negative,
        "rows": len(dataset),
        "positives": dataset.positives,
        "imbalance_ratio": (len(dataset) - dataset.positives) / dataset.positives,
        "gini": 1.0 - share**2 - (1.0 - share) ** 2,
        "entropy": float(-sum(p * np.log2(p) for p in (share, 1.0 - share))),
        "missing_share": float(np.mean([column["missing"] for column in columns.values()])),
        "columns": columns,
        "left_out": left_out,
        "constant": of_reason(left_out, ONE_VALUE),
        "identifiers": of_reason(left_out, IDENTIFIER),
        "duplicate_rows": int(len(dataset) - len(np.unique(dataset.row_id))),
        "leak_suspects": [
            {"columns": list(suspect.columns), "average_precision": suspect.average_precision}
            for suspect in suspects
        ],
        "time_range": _time_range(dataset),
        "entities": None if dataset.entity is None else len(set(dataset.entity)),
        "roles": dict(dataset.schema.roles),
    }


def duplicates_across(train_ids: npt.NDArray[np.integer[Any]], test_ids: npt.NDArray[np.integer[Any]]) -> int:
    """Number of test rows that equal some training row.

    Args:
        train_ids: shape (n,), ``Dataset.row_id`` of the training rows.
        test_ids: shape (m,), of the test rows.
    """
    return int(np.isin(test_ids, train_ids).sum())


def _column(column: pd.Series, kind: FeatureKind) -> dict[str, Any]:
    if kind == "categorical":
        counts = column[column != MISSING].value_counts()
        top = [[str(level), int(count)] for level, count in counts.head(_TOP_LEVELS).items()]
        return {
            "kind": kind,
            "missing": float((column == MISSING).mean()),
            "distinct": len(counts),
            "top": top,
        }
    values = column.to_numpy(np.float64)
    known = values[~np.isnan(values)]
    quantiles = np.quantile(known, _QUANTILES) if len(known) else np.zeros(0)
    return {
        "kind": kind,
        "missing": 1.0 - len(known) / len(values),
        "distinct": len(np.unique(known)),
        "quantiles": {
            str(level): float(value) for level, value in zip(_QUANTILES, quantiles, strict=bool(len(known)))
        },
        "mean": float(known.mean()) if len(known) else None,
    }


def _time_range(dataset: Dataset) -> list[str] | None:
    if dataset.event_time is None:
        return None
    ends = (dataset.event_time.min(), dataset.event_time.max())
    return [pd.Timestamp(end, unit="s", tz="UTC").round("ms").isoformat() for end in ends]
