"""search.threshold: which rows are called positive."""

from typing import Literal, Self

from pydantic import Field, model_validator

from minorkey.errors import SpecError
from minorkey.spec.accepted import accepted
from minorkey.spec.section import Fraction, Section

__all__ = ["ThresholdSpec"]


class ThresholdSpec(Section):
    """Which rows are called positive."""

    policy: Literal[
        "max_mcc",
        "max_fbeta",
        "min_cost",
        "min_row_cost",
        "min_precision",
        "min_recall",
        "top_k",
        "alerts_per_day",
    ] = Field(
        "max_mcc",
        description="What the threshold is chosen by. max_mcc: highest Matthews correlation. max_fbeta: "
        "highest F-beta. min_cost: lowest expected cost. min_row_cost: the same, with each row's own cost. "
        "min_precision, min_recall: the other is best while this one keeps its floor. top_k: a share of "
        "the rows. alerts_per_day: a number of alerts a day.",
    )
    beta: float = Field(1.0, gt=0, description="beta of max_fbeta.")
    floor: Fraction | None = Field(None, description="Floor of min_precision or min_recall.")
    top_fraction: Fraction | None = Field(None, description="Share of rows called positive under top_k.")
    alerts: float | None = Field(
        None, gt=0, description="Alerts a day under alerts_per_day (needs event_time)."
    )
    false_negative_cost: float = Field(
        10.0, ge=0, description="Cost of a missed positive, for expected cost."
    )
    false_positive_cost: float = Field(1.0, ge=0, description="Cost of a false alarm, for expected cost.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        needs = {
            "min_precision": ("floor", self.floor),
            "min_recall": ("floor", self.floor),
            "top_k": ("top_fraction", self.top_fraction),
            "alerts_per_day": ("alerts", self.alerts),
        }
        if self.policy in needs and needs[self.policy][1] is None:
            name = needs[self.policy][0]
            field = type(self).model_fields[name]
            raise SpecError(
                f"search.threshold.policy {self.policy} needs search.threshold.{name}",
                key=f"search.threshold.{name}",
                allowed=accepted(field.annotation, field.metadata).removesuffix(", or nothing"),
                remedy=f"add search.threshold.{name}, or choose another policy",
            )
        return self
