"""RunSpec: all sections, and what holds between them."""

from typing import Self

from pydantic import Field, model_validator

from minorkey.errors import SpecError
from minorkey.spec.data import DataSpec
from minorkey.spec.deploy import DeploySpec
from minorkey.spec.evaluate import EvaluateSpec
from minorkey.spec.monitor import MonitorSpec
from minorkey.spec.search import SearchSpec
from minorkey.spec.section import Section
from minorkey.spec.split import SplitSpec

__all__ = ["RunSpec"]


class RunSpec(Section):
    """What one run does. ``minorkey schema`` prints its JSON schema."""

    model: str = Field(
        "minorkey",
        pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$",
        description="Name in the model registry.",
        json_schema_extra={"format": "name of at most 40 small letters, digits and inner hyphens"},
    )
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Seed of everything random but the split.")
    data: DataSpec = Field(DataSpec(), description="Where the rows come from and what the columns mean.")
    split: SplitSpec = Field(
        SplitSpec(), description="How the sealed test and the training folds are formed."
    )
    search: SearchSpec = Field(SearchSpec(), description="What is tried, how much, and how it is cut short.")
    evaluate: EvaluateSpec = Field(EvaluateSpec(), description="How the sealed test is judged.")
    deploy: DeploySpec = Field(DeploySpec(), description="Where the promoted model serves.")
    monitor: MonitorSpec = Field(
        MonitorSpec(), description="What the bundle records for watching the model in production."
    )

    def data_to_load(self) -> DataSpec:
        """The data section for `load`, with the slices that `evaluate` will ask for.

        So a slice by what is no feature is refused before any work, and not after the search.
        """
        slices = dict.fromkeys([*self.data.slices, *self.evaluate.slices])
        return self.data.model_copy(update={"slices": tuple(slices)})

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        policy = self.search.threshold.policy
        timed = self.data.event_time is not None or self.data.source.startswith("builtin:")
        if self.split.kind == "time" and not timed:
            raise _needs_column("split.kind", "time", "data.event_time")
        if policy == "min_row_cost" and self.data.cost is None:
            raise _needs_column("search.threshold.policy", policy, "data.cost")
        if policy == "alerts_per_day" and not timed:
            raise _needs_column("search.threshold.policy", policy, "data.event_time")
        self._check_slices()
        return self

    def _check_slices(self) -> None:
        """Refuse slices by what cannot be a feature; whether there is such a column, only the rows tell."""
        data = self.data
        named = {*(data.features or ()), *data.keep}
        roles = {data.weight, data.entity, data.event_time, data.label_time, data.cost}
        for column in self.evaluate.slices:
            reason = "is the target" if column == data.target else ""
            reason = reason or ("is dropped by data.drop" if column in data.drop else "")
            if column not in named:
                reason = reason or ("has a role; data.keep makes it a feature too" if column in roles else "")
                reason = reason or ("" if data.features is None else "is not in data.features")
            if reason:
                raise SpecError(
                    f"a slice needs a feature, and the column {reason}",
                    key="evaluate.slices",
                    value=column,
                    allowed="names of features",
                    remedy="name a feature, or leave the column out of evaluate.slices",
                )


def _needs_column(key: str, value: str, role: str) -> SpecError:
    return SpecError(
        f"{key} {value} needs {role}",
        key=key,
        value=value,
        allowed=f"{value} only where {role} names a column",
        remedy=f"set {role} to the name of that column, or choose another {key}",
    )
