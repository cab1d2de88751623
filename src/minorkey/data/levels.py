"""The levels of a categorical column, learned without the target."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from minorkey.data.dataset import MISSING

__all__ = ["Levels"]


@dataclass(frozen=True)
class Levels:
    """The levels that have a code of their own; every other value is "other".

    Codes are positions in `kept`, which is sorted; the last code is "other".
    """

    kept: tuple[str, ...]

    #: A level with fewer training rows is "other", except the missing level.
    RARE: ClassVar[int] = 10
    #: Most levels with a column of their own under one-hot coding; the most frequent ones.
    MOST_ONEHOT: ClassVar[int] = 50
    #: Most ordinal codes of their own: with "other" they fit the 255 bins of histogram boosting.
    MOST_ORDINAL: ClassVar[int] = 250
    #: How runtimes spell a missing string. Each means missing unless it is a level itself.
    ALIASES: ClassVar[tuple[str, ...]] = ("None", "nan", "<NA>")

    @classmethod
    def fit(cls, column: pd.Series, *, onehot: bool) -> "Levels":
        """Learn the levels of the training rows.

        Args:
            column: str, `MISSING` where missing.
            onehot: whether each level becomes a column, which bounds their number.
        """
        counts = {str(level): int(count) for level, count in column.value_counts().items()}
        common = sorted(
            (level for level, count in counts.items() if (count >= cls.RARE or level == MISSING)),
            key=lambda level: (-counts[level], level),
        )
        most = cls.MOST_ONEHOT if onehot else cls.MOST_ORDINAL
        return cls(kept=tuple(sorted(level for level in common[:most] if _encodable(level))))

    @property
    def count(self) -> int:
        """Number of codes, "other" included."""
        return len(self.kept) + 1

    def code_table(self) -> dict[str, int]:
        """Value to code, with the spellings of a missing value; what is absent is "other"."""
        table = {level: code for code, level in enumerate(self.kept)}
        missing = table.get(MISSING, len(self.kept))
        return dict.fromkeys((MISSING, *self.ALIASES), missing) | table

    def codes(self, column: pd.Series) -> npt.NDArray[np.intp]:
        """Code of every row, shape (n,)."""
        table = self.code_table()
        places = pd.Index(list(table), dtype=object).get_indexer(
            pd.Index(column.to_numpy(object), dtype=object)
        )
        of_place = np.array([*table.values(), len(self.kept)], np.intp)
        return of_place[places]

    def labels(self) -> list[str]:
        """What each code is called, for people."""
        return [level if level != MISSING else "(missing)" for level in self.kept] + ["(other)"]


def _encodable(level: str) -> bool:
    """Whether the level is valid Unicode: a lone surrogate cannot be written to a graph."""
    try:
        level.encode()
    except UnicodeEncodeError:
        return False
    return True
