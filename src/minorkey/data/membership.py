"""Whether a model may have been trained on a row, told from the membership that its bundle carries."""

from typing import Any

import numpy as np
import numpy.typing as npt

from minorkey.data.dataset import Dataset
from minorkey.data.splits_hash import hash_test_rows
from minorkey.data.splits_outer import fingerprints, unpack_fingerprints
from minorkey.errors import ContractError

__all__ = ["seen_in_training"]


def seen_in_training(membership: dict[str, Any], dataset: Dataset) -> npt.NDArray[np.bool_]:
    """Rows that a model with this membership may have been trained on.

    In doubt a row counts as seen: where the data lack the time or the entity that the split went by,
    every row does. Under repeated cross-validation this speaks of the model trained on all rows.

    Args:
        membership: of the split the model was trained with.
        dataset: any rows, also later ones.

    Returns:
        Shape (n,).

    Raises:
        ContractError: the membership is of an unknown kind.
    """
    everything = np.ones(len(dataset), dtype=bool)
    kind = membership.get("kind")
    if kind == "hash":
        by_entity = membership["unit"] == "entity"
        if by_entity != (dataset.entity is not None):
            return everything
        return ~hash_test_rows(dataset, membership["test_fraction"], membership["salt"])
    if kind == "time":
        if dataset.event_time is None:
            return everything
        seen = dataset.event_time < membership["train_end"]
        if membership["train_start"] is not None:
            seen &= dataset.event_time >= membership["train_start"]
        return seen | np.isnan(dataset.event_time)
    if kind == "repeated_cv":
        return np.isin(fingerprints(dataset.row_id), unpack_fingerprints(membership["trained_on"]))
    raise ContractError(f"expected a membership of kind hash, time or repeated_cv, got {kind!r}")
