"""Divide a data set into training folds and the sealed test. Nothing is fitted here.

Three kinds, each in a file of its own: `splits_hash`, `splits_time` and `splits_outer`.
"""

from typing import Any

import numpy as np

from minorkey.data.dataset import Dataset
from minorkey.data.partitions import FINAL, Fold, Part, Split
from minorkey.data.splits_hash import hash_test_rows, split_by_hash
from minorkey.data.splits_outer import split_by_outer_folds
from minorkey.data.splits_time import split_by_time
from minorkey.errors import DataError, SpecError
from minorkey.progress import emit
from minorkey.spec import SplitSpec

__all__ = ["FINAL", "Fold", "Part", "Split", "split_dataset"]

_TIME_ONLY = (
    "label_delay",
    "train_start",
    "train_window",
    "train_windows",
    "test_start",
    "test_window",
    "exclude_known",
)


def split_dataset(dataset: Dataset, spec: SplitSpec, *, model: str, seed: int) -> Split:
    """Divide a data set as the specification asks.

    Args:
        dataset: every row there is, also those that will be neither trained nor tested on.
        spec: the split section.
        model: the model's name; the salt of the hash derives from it unless the section names one.
        seed: seed of the tuning folds. The sealed test never depends on it.

    Raises:
        DataError: the rows do not allow the split, e.g. too few positives.
        SpecError: the section asks for what the rows cannot give.
    """
    if dataset.positives in (0, len(dataset)):
        raise DataError(
            "the data hold one class only",
            key=dataset.schema.target,
            value=f"{dataset.positives:,} positives in {len(dataset):,} rows",
            allowed="rows of both classes",
        )
    salt = spec.salt or f"minorkey/{model}"
    kind = _chosen_kind(dataset, spec, salt)
    if kind == "time":
        return split_by_time(dataset, spec)
    _refuse_time_keys(spec, kind)
    _refuse_unknown_labels(dataset, kind)
    if kind == "hash":
        return split_by_hash(dataset, spec, salt, seed=seed)
    return split_by_outer_folds(dataset, spec, salt, seed=seed)


def _chosen_kind(dataset: Dataset, spec: SplitSpec, salt: str) -> str:
    if spec.kind != "auto":
        if spec.kind == "time" and dataset.event_time is None:
            raise SpecError(
                "a split by time needs an event time",
                key="split.kind",
                value="time",
                remedy="name the column of the event's time in data.event_time",
            )
        return spec.kind
    if dataset.event_time is not None:
        kind, reason = "time", "the rows have an event time"
    else:
        positives = int(dataset.y[hash_test_rows(dataset, spec.test_fraction, salt)].sum())
        few = positives < spec.min_test_positives
        kind = "repeated_cv" if few else "hash"
        reason = (
            f"a hash of each {'entity' if dataset.entity is not None else 'row'} would put {positives:,} "
            f"positives into the test, {'fewer than' if few else 'at least'} "
            f"split.min_test_positives = {spec.min_test_positives}"
        )
    emit("assumed", text=f"split.kind = {kind}: {reason}. Set split.kind to choose another.")
    return kind


def _refuse_unknown_labels(dataset: Dataset, kind: str) -> None:
    unknown = 0 if dataset.label_time is None else int(np.isnan(dataset.label_time).sum())
    if unknown:
        raise SpecError(
            "labels that are not known yet need a split by time",
            key="data.label_time",
            value=f"{unknown:,} rows without one, and split.kind {kind}",
            remedy="name data.event_time and set split.kind: time, or remove these rows",
        )


def _refuse_time_keys(spec: SplitSpec, kind: str) -> None:
    defaults: dict[str, Any] = {name: SplitSpec.model_fields[name].default for name in _TIME_ONLY}
    for name, default in defaults.items():
        if getattr(spec, name) != default:
            raise SpecError(
                f"the key belongs to a split by time, and this one is {kind}",
                key=f"split.{name}",
                value=getattr(spec, name),
                allowed="only with split.kind time",
                remedy="name data.event_time and set split.kind: time, or leave the key out",
            )
