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


def split_dataset(
    dataset: Dataset, spec: SplitSpec, *, model: str, seed: int, trained_until: float | None = None
) -> Split:
    """Divide a data set as the specification asks.

    Args:
        dataset: every row there is, also those that will be neither trained nor tested on.
        spec: the split section.
        model: the model's name; the salt of the hash derives from it unless the section names one.
        seed: seed of the tuning folds. The sealed test never depends on it.
        trained_until: on a retune, until when the version that it starts from was trained, in seconds
            since 1970: a split by time tests on later rows only.

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
        split = split_by_time(dataset, spec, trained_until=trained_until)
        _warn_of_few_positives(int(dataset.y[split.test].sum()), spec)
        return split
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


def _warn_of_few_positives(positives: int, spec: SplitSpec) -> None:
    """A split by time is kept with however few positives, since the rows have an order, but not silently."""
    if positives >= spec.min_test_positives:
        return
    remedies = [
        "a larger split.test_fraction" if spec.test_start is None else "an earlier split.test_start",
        *(["a longer split.test_window"] if spec.test_window is not None else []),
        *(["split.kind: repeated_cv, which judges on every row"] if not _time_keys(spec) else []),
    ]
    emit(
        "warned",
        text=f"the test of the split by time holds {positives:,} positives, fewer than "
        f"split.min_test_positives = {spec.min_test_positives}, so its metrics are known only roughly; "
        f"set {', or '.join(remedies)}",
    )


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
    if named := _time_keys(spec):
        raise SpecError(
            f"the key belongs to a split by time, and this one is {kind}",
            key=f"split.{named[0]}",
            value=getattr(spec, named[0]),
            allowed="only with split.kind time",
            remedy="name data.event_time and set split.kind: time, or leave the key out",
        )


def _time_keys(spec: SplitSpec) -> list[str]:
    """The keys of a split by time that are set."""
    defaults: dict[str, Any] = {name: SplitSpec.model_fields[name].default for name in _TIME_ONLY}
    return [name for name, default in defaults.items() if getattr(spec, name) != default]
