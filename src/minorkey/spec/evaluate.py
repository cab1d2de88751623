"""evaluate: how the sealed test is judged."""

from typing import Literal, Self

from pydantic import Field, model_validator

from minorkey.spec.section import Fraction, Section

__all__ = ["EvaluateSpec", "GateSpec"]


class GateSpec(Section):
    """When a challenger replaces the champion."""

    rule: Literal["superior", "non_inferior"] = "superior"
    margin: float = Field(0.01, ge=0, description="Margin in average precision for non_inferior.")
    alpha: Fraction = Field(0.05, description="Error rate spent over all openings of one test.")
    confirmed_drift: bool = Field(
        False, description="non_inferior is allowed only when the champion's drift is confirmed."
    )

    @model_validator(mode="after")
    def _allowed(self) -> Self:
        if self.rule == "non_inferior" and not self.confirmed_drift:
            raise ValueError("rule non_inferior needs confirmed_drift: true")
        return self


class EvaluateSpec(Section):
    """How the sealed test is judged."""

    gate: GateSpec = GateSpec()
    bootstraps: int = Field(1_000, ge=100, le=100_000, description="Bootstrap replicates of the intervals.")
    confidence: Fraction = 0.95
    slices: tuple[str, ...] = Field(
        (), description="Columns whose levels get metrics of their own in the model card."
    )
    intended_use: str = Field("", description="A sentence for the model card.")
