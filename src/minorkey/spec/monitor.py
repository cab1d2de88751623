"""monitor: what the bundle records for watching the model."""

from typing import Self

from pydantic import Field, model_validator

from minorkey.data.durations import parse_duration
from minorkey.spec.section import Section

__all__ = ["MonitorSpec"]


class MonitorSpec(Section):
    """What the bundle records for watching the model in production."""

    bins: int = Field(
        10, ge=2, le=50, description="Quantile bins per numeric feature in the reference profile."
    )
    max_features: int = Field(50, ge=1, description="Most features with a reference profile.")
    label_horizon: str = Field("0d", description="Time after which a missing label means a negative.")

    @model_validator(mode="after")
    def _readable_times(self) -> Self:
        parse_duration(self.label_horizon, key="monitor.label_horizon")
        return self
