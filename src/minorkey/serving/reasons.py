"""Reason codes: which features moved a row's score, by occlusion."""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from minorkey.data.dataset import Scores
from minorkey.serving.columns import Columns

__all__ = ["MAX_REASON_ROWS", "reason_codes"]

#: Most rows of one request that asks for reasons: each costs as many scorings as there are features.
MAX_REASON_ROWS = 1_000

_CLIP = 1e-7
#: Rows that are scored at once.
_BATCH = 20_000


def reason_codes(
    score: Callable[[Columns], Scores],
    columns: Columns,
    raw: Scores,
    centre: Mapping[str, float | str],
    count: int,
) -> tuple[list[list[str]], npt.NDArray[np.float64]]:
    """The features that moved each row's score most.

    A feature's effect is the change of the raw score's log-odds when its value is replaced by the
    reference's median (numbers, times) or mode (categories), everything else as it is. Positive: the
    row's value raises the score. Effects of features that act together are not split between them.

    Args:
        score: raw scores of columns.
        columns: n rows.
        raw: shape (n,), their raw scores.
        centre: reference value of each feature.
        count: features to name for each row, the largest effects by size first; ties in schema order.

    Returns:
        n lists of ``count`` names, and their effects, shape (n, count).

    Source: Zeiler and Fergus (2014) for occlusion; Robnik-Sikonja and Kononenko (2008) for the
    difference of log-odds.
    """
    rows, names = len(raw), list(columns)
    effects = np.empty((rows, len(names)))
    step = max(1, _BATCH // rows)
    for first in range(0, len(names), step):
        chosen = names[first : first + step]
        occluded = _occlude(columns, chosen, centre, rows)
        without = score(occluded).reshape(len(chosen), rows)
        effects[:, first : first + len(chosen)] = _log_odds(raw)[:, None] - _log_odds(without).T
    order = np.argsort(-np.abs(effects), axis=1, kind="stable")[:, :count]
    return [[names[index] for index in row] for row in order], np.take_along_axis(effects, order, axis=1)


def _occlude(columns: Columns, chosen: list[str], centre: Mapping[str, float | str], rows: int) -> Columns:
    """The rows once for each chosen feature, in that order, with that feature at its reference."""
    occluded = {name: np.tile(values, len(chosen)) for name, values in columns.items()}
    for block, name in enumerate(chosen):
        occluded[name][block * rows : (block + 1) * rows] = centre[name]
    return occluded


def _log_odds(raw: Scores) -> Scores:
    clipped = np.clip(raw, _CLIP, 1 - _CLIP)
    odds: Scores = np.log(clipped / (1 - clipped))
    return odds
