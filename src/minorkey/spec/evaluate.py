"""evaluate: how the sealed test is judged."""

from typing import Literal, Self

from pydantic import Field, model_validator

from minorkey.errors import SpecError
from minorkey.spec.section import Fraction, Section

__all__ = ["EvaluateSpec", "GateSpec"]


class GateSpec(Section):
    """When a challenger replaces the champion."""

    rule: Literal["superior", "non_inferior"] = Field(
        "superior",
        description="superior: the challenger has to be better than the champion. non_inferior: worse by "
        "less than the margin is enough.",
    )
    margin: float = Field(0.01, ge=0, description="Margin in average precision for non_inferior.")
    alpha: Fraction = Field(0.05, description="Error rate spent over all openings of one test.")
    confirmed_drift: bool = Field(
        False, description="non_inferior is allowed only when the champion's drift is confirmed."
    )

    @model_validator(mode="after")
    def _allowed(self) -> Self:
        if self.rule == "non_inferior" and not self.confirmed_drift:
            raise SpecError(
                "evaluate.gate.rule non_inferior needs evaluate.gate.confirmed_drift: true",
                key="evaluate.gate.rule",
                value=self.rule,
                allowed="superior; non_inferior only for a champion whose drift is confirmed",
                remedy="use superior, or set evaluate.gate.confirmed_drift to true if the drift is confirmed",
            )
        return self


class EvaluateSpec(Section):
    """How the sealed test is judged."""

    gate: GateSpec = Field(GateSpec(), description="When a challenger replaces the champion.")
    bootstraps: int = Field(1_000, ge=100, le=100_000, description="Bootstrap replicates of the intervals.")
    confidence: Fraction = Field(0.95, description="Confidence of every interval.")
    slices: tuple[str, ...] = Field(
        (), description="Columns whose levels get metrics of their own in the model card."
    )
    intended_use: str = Field("", description="A sentence for the model card.")
