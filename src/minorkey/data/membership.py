"""Whether a model may have been trained on a row, told from the membership that its bundle carries."""

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from minorkey.data.dataset import Dataset
from minorkey.data.identity import ids_behind
from minorkey.data.splits_hash import hash_test_rows
from minorkey.data.splits_outer import fingerprints, packed_fingerprints, unpack_fingerprints
from minorkey.errors import ContractError

__all__ = ["seen_in_training", "with_adjustment"]

Seen = npt.NDArray[np.bool_]


def seen_in_training(membership: dict[str, Any], dataset: Dataset) -> npt.NDArray[np.bool_]:
    """Rows that a model with this membership may have been trained on.

    In doubt a row counts as seen: where the data lack the time, the entity or a column that the split
    went by, every row does. Under repeated cross-validation this speaks of the model trained on all rows.

    Args:
        membership: of the split the model was trained with.
        dataset: any rows, also later ones, also with other features.

    Returns:
        Shape (n,).

    Raises:
        ContractError: the membership is of an unknown kind.
    """
    kind = membership.get("kind")
    judged = {"hash": _seen_by_hash, "time": _seen_by_time, "repeated_cv": _seen_by_list}
    if kind not in judged:
        raise ContractError(f"expected a membership of kind {', '.join(judged)}, got {kind!r}")
    seen = judged[kind](membership, dataset)
    for adjusted in membership.get("adjusted_on", []):
        on = _seen_by_list(adjusted, dataset)
        seen = None if seen is None or on is None else seen | on
    return np.ones(len(dataset), dtype=bool) if seen is None else seen


def with_adjustment(membership: dict[str, Any], dataset: Dataset) -> dict[str, Any]:
    """The membership of a model whose calibration and threshold were fitted on more rows.

    Args:
        membership: of the model before.
        dataset: those rows.
    """
    on = {"identity": dataset.schema.identity, "trained_on": packed_fingerprints(dataset.row_id)}
    return {**membership, "adjusted_on": [*membership.get("adjusted_on", []), on]}


def _seen_by_hash(membership: dict[str, Any], dataset: Dataset) -> Seen | None:
    by_entity = membership["unit"] == "entity"
    if by_entity != (dataset.entity is not None) or not _same_role(membership, dataset, "entity"):
        return None
    ids = dataset.row_id if by_entity else ids_behind(membership.get("identity", {}), dataset)
    if ids is None:
        return None
    known_by = dataclasses.replace(dataset, row_id=ids)
    return ~hash_test_rows(known_by, membership["test_fraction"], membership["salt"])


def _seen_by_time(membership: dict[str, Any], dataset: Dataset) -> Seen | None:
    if dataset.event_time is None or not _same_role(membership, dataset, "event_time"):
        return None
    seen = dataset.event_time < membership["train_end"]
    if membership["train_start"] is not None:
        seen &= dataset.event_time >= membership["train_start"]
    return seen | np.isnan(dataset.event_time)


def _seen_by_list(membership: dict[str, Any], dataset: Dataset) -> Seen | None:
    ids = ids_behind(membership.get("identity", {}), dataset)
    if ids is None:
        return None
    return np.isin(fingerprints(ids), unpack_fingerprints(membership["trained_on"]))


def _same_role(membership: dict[str, Any], dataset: Dataset, role: str) -> bool:
    return membership.get(role) == dataset.schema.roles.get(role)
