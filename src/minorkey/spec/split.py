"""split: how the sealed test and the training folds are formed."""

from typing import Literal, Self

from pydantic import Field, model_validator

from minorkey.data.durations import parse_duration, parse_instant
from minorkey.spec.section import Fraction, Section

__all__ = ["SplitSpec"]


class SplitSpec(Section):
    """How the sealed test and the training folds are formed."""

    kind: Literal["auto", "hash", "time", "repeated_cv"] = Field(
        "auto",
        description="auto: time where there is an event time, else repeated_cv where the test "
        "would hold too few positives, else hash.",
    )
    test_fraction: Fraction = Field(
        0.2, description="Share of rows (or of the last rows in time) in the test."
    )
    folds: int = Field(5, ge=2, le=50, description="Tuning folds.")
    outer_folds: int = Field(5, ge=2, le=50, description="Outer folds of repeated_cv.")
    outer_repeats: int = Field(1, ge=1, le=20, description="Repeats of the outer folds of repeated_cv.")
    min_test_positives: int = Field(
        50,
        ge=2,
        description="Below this many positives in the test auto picks repeated_cv instead of hash; a split "
        "by time is kept, with a warning.",
    )
    salt: str | None = Field(
        None, description="Salt of the row hash. Default: derived from the model's name."
    )
    label_delay: str = Field(
        "0d", description="Time until a label is known, e.g. 7d: the gap before the test."
    )
    train_start: str | None = Field(None, description="First event time of training rows (ISO 8601).")
    train_window: str | None = Field(
        None, description="Length of the training window, e.g. 7d. Default: all."
    )
    train_windows: tuple[str, ...] = Field((), description="Training windows to search over, e.g. [7d, 14d].")
    test_start: str | None = Field(
        None, description="First event time of the test. Default: from test_fraction."
    )
    test_window: str | None = Field(
        None, description="Length of the test window, e.g. 7d. Default: to the end."
    )
    exclude_known: str | None = Field(
        None,
        description="Column of entities: test rows whose entity has a positive that is already known "
        "(in training, or later with its label delay passed) are left out.",
    )

    @model_validator(mode="after")
    def _readable_times(self) -> Self:
        for name in ("label_delay", "train_window", "test_window"):
            if (text := getattr(self, name)) is not None:
                parse_duration(text, key=f"split.{name}")
        for text in self.train_windows:
            parse_duration(text, key="split.train_windows")
        for name in ("train_start", "test_start"):
            if (text := getattr(self, name)) is not None:
                parse_instant(text, key=f"split.{name}")
        return self
