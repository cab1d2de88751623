"""FeedbackSpec: what a label means for each model, when it is mature, and how long rows stay."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from minorkey.data.durations import parse_duration
from minorkey.spec.reading import read_yaml
from minorkey.spec.section import Section
from minorkey.spec.validation import validated

__all__ = ["FeedbackSpec", "LabelledModel", "load_feedback_spec"]

_REMEDY = "see docs/reference/feedback.md for every key"


class LabelledModel(Section):
    """The labels of one model."""

    target: str = Field(description="Column of the label in what is exported.")
    positive: str | int | float | bool = Field(1, description="The rare event as training data write it.")
    negative: str | int | float | bool = Field(0, description="The other value.")
    label_horizon: str = Field(description="Age at which a prediction's outcome is counted, e.g. 7d.")
    label_policy: Literal["full", "delayed_positive", "selective"] = Field(
        "delayed_positive",
        description="full: every outcome is reported, and only a label counts. delayed_positive: silence "
        "until the horizon is a negative; rows that were intervened in do not count. selective: as before, "
        "and nothing is measured where an audit slice stands for too few of those rows.",
    )
    event_time: str = Field("", description="Column that gets the time of the prediction; empty: none.")
    label_time: str = Field("", description="Column that gets the time of the label; empty: none.")
    keep_negatives: float = Field(
        1.0, gt=0, le=1, description="Share of mature negatives with the lowest scores that is kept."
    )
    keep_days: float = Field(180.0, gt=0, description="Days after which every row is deleted.")

    @property
    def horizon_seconds(self) -> float:
        """`label_horizon` in seconds."""
        return parse_duration(self.label_horizon, key="label_horizon")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        parse_duration(self.label_horizon, key="label_horizon")
        if self.keep_days * 86_400 <= self.horizon_seconds:
            raise ValueError("keep_days is not longer than label_horizon: no row would be counted")
        if self.positive == self.negative:
            raise ValueError("positive and negative are the same value")
        return self


class FeedbackSpec(Section):
    """What the feedback service does."""

    models: dict[str, LabelledModel] = Field(description="By name in the registry.", min_length=1)
    early_days: float = Field(
        7.0, gt=0, description="Days that a label waits for its prediction before it counts as unknown."
    )
    poll_seconds: float = Field(2.0, gt=0, le=3_600, description="Between two looks for what is mature.")

    def keep_days(self, model: str) -> float:
        """How long rows of a model stay; of one that is not named, as long as any model's."""
        known = self.models.get(model)
        return known.keep_days if known else max(named.keep_days for named in self.models.values())


def load_feedback_spec(path: Path) -> FeedbackSpec:
    """Read a FeedbackSpec from YAML.

    Raises:
        SpecError: the file cannot be read, is not YAML, or does not fit.
    """
    what = "the feedback service's specification"
    content = read_yaml(path, what=what, absent="check the path", broken=_REMEDY)
    return validated(FeedbackSpec, content, what=what, remedy=_REMEDY)
