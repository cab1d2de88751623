"""What a split consists of: folds, parts of the training set, and the sealed test."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["FINAL", "Fold", "Part", "Positions", "Split"]

Positions = npt.NDArray[np.intp]

#: Name of the part that holds every training row.
FINAL = "final"


@dataclass(frozen=True)
class Fold:
    """One division of a part's rows.

    Attributes:
        train: ascending positions in the training set's rows.
        valid: ascending positions in the training set's rows, none of them in `train`.
    """

    train: Positions
    valid: Positions


@dataclass(frozen=True)
class Part:
    """Rows that are tuned on together.

    Attributes:
        name: ``final``, or ``outer-<repeat>-<fold>`` under repeated cross-validation.
        rows: ascending positions in the training set's rows.
        partitions: two independent partitions of the rows into folds: the first for the search, the
            second, which no trial sees, for the choice among its finalists.
    """

    name: str
    rows: Positions
    partitions: tuple[tuple[Fold, ...], ...]


@dataclass(frozen=True)
class Split:
    """A data set divided into training rows and the sealed test.

    Attributes:
        train: ascending positions of the training rows in the data set.
        test: ascending positions of the test rows in the data set. Under ``repeated_cv`` both hold
            every row, and a test row is scored only by the part that excludes its outer fold.
        parts: what is tuned; their positions count within `train`.
        kind: ``hash``, ``time`` or ``repeated_cv``.
        membership: JSON content that tells of any row whether it may have been trained on
            (`minorkey.data.membership.seen_in_training`).
        outer: shape (repeats, n_test), outer fold of each test row; None unless ``repeated_cv``.
    """

    train: Positions
    test: Positions
    parts: tuple[Part, ...]
    kind: str
    membership: dict[str, Any]
    outer: npt.NDArray[np.int32] | None = None
