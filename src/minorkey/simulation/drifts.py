"""Drifts made of a data set's own rows: each changes one thing and keeps the others.

Source: the kinds are those of Moreno-Torres et al. (2012), "A Unifying View on Dataset Shift in
Classification".
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from minorkey.data.dataset import Dataset, Labels
from minorkey.errors import SpecError

__all__ = ["DRIFTS", "Block", "drawn", "feature_to_move_by", "standardised"]

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]
#: Share of a block's rows, those highest in the feature, that a new concept makes positive.
_POCKET = 0.1


@dataclass(frozen=True)
class Block:
    """Rows of the stream that go out together.

    Attributes:
        rows: shape (n,), positions in the data set.
        y: shape (n,), their labels as the drift leaves them.
    """

    rows: Positions
    y: Labels


def _none(block: Block, z: Floats, amount: float, random: np.random.Generator) -> Block:
    return block


def _covariate(block: Block, z: Floats, amount: float, random: np.random.Generator) -> Block:
    """Rows high in the feature come more often: p(x) moves, p(y | x) stays (exponential tilting)."""
    weight = np.exp(np.clip(amount * z, -20, 20))
    return _redrawn(block, weight, random)


def _prior(block: Block, z: Floats, amount: float, random: np.random.Generator) -> Block:
    """The odds of a positive are multiplied by exp(amount): p(y) moves, p(x | y) stays."""
    return _redrawn(block, np.where(block.y == 1, np.exp(amount), 1.0), random)


def _concept(block: Block, z: Floats, amount: float, random: np.random.Generator) -> Block:
    """Positives change places with negatives high in the feature: p(y | x) moves, p(x) and p(y) stay."""
    pocket = np.flatnonzero((block.y == 0) & (z >= np.quantile(z, 1 - _POCKET)))
    positive = np.flatnonzero(block.y == 1)
    moved = positive[random.random(len(positive)) < min(amount, 1.0)]
    moved = moved[: len(pocket)]
    y = block.y.copy()
    y[moved] = 0
    y[random.choice(pocket, len(moved), replace=False)] = 1
    return Block(block.rows, y)


#: Name to what it does to a block, the standardised feature and an amount above 0.
DRIFTS: dict[str, Callable[[Block, Floats, float, np.random.Generator], Block]] = {
    "none": _none,
    "covariate": _covariate,
    "prior": _prior,
    "concept": _concept,
}


def standardised(data: Dataset, feature: str) -> Floats:
    """What covariate and concept drift go by: a numeric feature in its spreads from its mean, shape (n,).

    Args:
        data: the data set.
        feature: its name; "" where the drift needs none: zeros.
    """
    if not feature:
        return np.zeros(len(data))
    whole = data.features[feature].to_numpy(np.float64)
    spread = float(np.nanstd(whole)) or 1.0
    return np.asarray(np.nan_to_num((whole - np.nanmean(whole)) / spread))


def drawn(
    y: Labels, rows: Positions, drift: str, z: Floats, amount: float, random: np.random.Generator
) -> Block:
    """The rows of a block under a drift.

    Args:
        y: labels of the data set.
        rows: shape (n,), positions of the block without drift.
        drift: one of `DRIFTS`.
        z: of the data set, from `standardised`.
        amount: intensity times strength; 0 changes nothing.
        random: source of chance.
    """
    block = Block(rows, y[rows])
    return DRIFTS[drift](block, z[rows], amount, random) if amount > 0 else block


def feature_to_move_by(data: Dataset, drift: str, named: str) -> str:
    """The numeric feature that a drift goes by: the named one, else the first; "" if it needs none.

    Raises:
        SpecError: there is no such drift or feature.
    """
    if drift not in DRIFTS:
        raise SpecError("there is no such drift", key="--drift", value=drift, allowed=", ".join(DRIFTS))
    if drift not in ("covariate", "concept"):
        return ""
    numeric = data.schema.names("numeric")
    if not numeric or (named and named not in numeric):
        raise SpecError(
            f"{drift} drift goes by a numeric feature",
            key="--by",
            value=named or "nothing",
            allowed=", ".join(numeric) or "none: these data have no numeric feature",
            remedy="name one of these, or simulate prior drift",
        )
    return named or numeric[0]


def _redrawn(block: Block, weight: Floats, random: np.random.Generator) -> Block:
    chosen = random.choice(len(block.rows), len(block.rows), p=weight / weight.sum())
    return Block(block.rows[chosen], block.y[chosen])
