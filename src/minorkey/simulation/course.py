"""How strong a drift is at each moment of a stream."""

from dataclasses import dataclass
from typing import Literal, get_args

from minorkey.errors import SpecError

__all__ = ["SHAPES", "Course", "Shape"]

Shape = Literal["abrupt", "gradual", "recurring"]
SHAPES: tuple[Shape, ...] = get_args(Shape)


@dataclass(frozen=True)
class Course:
    """The intensity of a drift, 0 to 1, over the stream.

    Attributes:
        shape: ``abrupt``: all at once at `start`; ``gradual``: linearly from `start` to `end`;
            ``recurring``: there from `start` to `end`, gone for as long, there again, and so on.
        start: share of the stream at which it begins.
        end: share of the stream, above `start`; `abrupt` does not ask for it.
    """

    shape: Shape
    start: float = 0.5
    end: float = 0.75

    def __post_init__(self) -> None:
        if self.shape not in SHAPES:
            raise SpecError(
                "there is no such course", key="--shape", value=self.shape, allowed=", ".join(SHAPES)
            )
        if not 0 <= self.start < self.end <= 1:
            raise SpecError(
                "the drift's begin and end do not fit",
                key="--start, --end",
                value=f"{self.start:g}, {self.end:g}",
                allowed="0 <= start < end <= 1, shares of the stream",
            )

    def intensity(self, progress: float) -> float:
        """The intensity when a share of the stream has gone by.

        Args:
            progress: from 0 to 1.
        """
        if progress < self.start:
            return 0.0
        if self.shape == "abrupt":
            return 1.0
        length = self.end - self.start
        if self.shape == "gradual":
            return min(1.0, (progress - self.start) / length)
        return float(int((progress - self.start) / length) % 2 == 0)
