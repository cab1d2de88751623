"""The parts of a time that repeat (hour, weekday, season), in double arithmetic that ONNX can follow."""

from dataclasses import dataclass
from typing import Any, overload

import numpy as np
import numpy.typing as npt

__all__ = ["BOUND", "CYCLES", "DAY", "YEAR", "Times"]

Seconds = npt.NDArray[np.float64]

DAY = 86_400.0
#: Days of the mean Gregorian year: the season repeats with it, within a day of the calendar.
YEAR = 365.2425
#: Times beyond some 3,000 years from 1970 are cut off: their days would not be whole in float64.
BOUND = 1e11
#: What repeats, and after how much of its unit.
CYCLES = {"hour": 24.0, "weekday": 7.0, "day of year": YEAR}


@dataclass(frozen=True)
class Times:
    """What was learned of one datetime column.

    Attributes:
        median: seconds that stand for a missing time.
        indicator: whether some training rows were missing.
        cyclic: two smooth waves for each cycle, in place of the position within the cycle.
        trend: first and last day of training, to which the day number is clipped, since no model
            can say anything of days beyond; None leaves the day number out.
    """

    median: float
    indicator: bool
    cyclic: bool
    trend: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.trend is not None:
            object.__setattr__(self, "trend", tuple(self.trend))

    @classmethod
    def fit(cls, seconds: Seconds, *, cyclic: bool, trend: bool) -> "Times":
        """Learn from training rows.

        Args:
            seconds: seconds since 1970-01-01 UTC, NaN where missing.
            cyclic: see the class.
            trend: add the day number. Wrong for the time of the event itself, which only moves on.
        """
        present = np.clip(seconds[~np.isnan(seconds)], -BOUND, BOUND)
        if not len(present):
            return cls(median=0.0, indicator=False, cyclic=cyclic)
        days = (float(np.floor(present.min() / DAY)), float(np.floor(present.max() / DAY)))
        return cls(
            median=float(np.median(present)),
            indicator=len(present) < len(seconds),
            cyclic=cyclic,
            trend=days if trend and days[0] < days[1] else None,
        )

    @overload
    def parts(self, seconds: None = None) -> list[str]: ...
    @overload
    def parts(self, seconds: Seconds) -> dict[str, Seconds]: ...
    def parts(self, seconds: Seconds | None = None) -> Any:
        """The parts of every time, by name; without times, their names alone."""
        if seconds is None:
            return list(self.parts(np.zeros(1)))
        bounded = np.clip(np.where(np.isnan(seconds), self.median, seconds), -BOUND, BOUND)
        day = np.floor(bounded / DAY)
        weekday = day + 3.0
        position = {
            "hour": (bounded - day * DAY) / 3_600.0,
            "weekday": weekday - np.floor(weekday / 7.0) * 7.0,
            "day of year": day - np.floor(day / YEAR) * YEAR,
        }
        parts = {}
        for name, length in CYCLES.items():
            if self.cyclic:
                phase = position[name] / length
                parts[f"{name} wave"] = _wave(phase)
                shifted = phase + 0.25
                parts[f"{name} shifted wave"] = _wave(shifted - np.floor(shifted))
            else:
                parts[name] = position[name]
        if self.trend is not None:
            parts["day"] = np.clip(day, *self.trend)
        return parts


def _wave(phase: Seconds) -> Seconds:
    """A parabola's stand-in for a sine (within 6 %): exact in any runtime, which a sine is not."""
    centred = phase * 2.0 - 1.0
    return centred * (1.0 - np.abs(centred)) * 4.0
