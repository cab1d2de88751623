"""schedules.yaml: what is to run when on Kubeflow Pipelines, and which pipelines are there."""

from typing import Annotated, Any

from pydantic import Field

from minorkey.spec import Section

__all__ = ["ScheduleSpec", "SchedulesSpec"]

_NAME = r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$"
_FORMAT: dict[str, Any] = {"format": "name of at most 40 small letters, digits and inner hyphens"}

Name = Annotated[str, Field(pattern=_NAME, json_schema_extra=_FORMAT)]


class ScheduleSpec(Section):
    """One schedule: a recurring run on Kubeflow Pipelines."""

    name: str = Field(
        pattern=_NAME, json_schema_extra=_FORMAT, description="Name of the schedule, unique in the file."
    )
    cron: str = Field(
        min_length=1,
        json_schema_extra={"format": "six fields: second minute hour day-of-month month day-of-week"},
        description="When it runs, by the clock of Kubeflow Pipelines (UTC unless it was set up otherwise). "
        "Quote it.",
    )
    spec: str | dict[str, Any] = Field(
        description="Specification of the run: the path of a YAML file, from this file on, or its content."
    )
    pipeline: str = Field("tune", min_length=1, description="Name of the pipeline.")
    pipeline_version: str = Field(
        "",
        description="Name of its version. Empty: what `pipelines` uploads, else the newest there is when the "
        "schedules are reconciled.",
    )
    parameters: dict[str, str] = Field(
        default_factory=dict,
        description="Parameters of the pipeline beside the specification, e.g. feedback_uri, mode.",
    )
    enabled: bool = Field(True, description="`false` pauses the schedule without forgetting it.")
    max_concurrency: int = Field(1, ge=1, le=10, description="Runs of the schedule at a time.")
    no_catchup: bool = Field(
        True,
        description="`false` makes up for every run that was missed during a pause; `true` for the last.",
    )
    reason: str = Field("", max_length=500, description="Why it runs; a tag of its runs in MLflow.")
    experiment: str = Field("minorkey", min_length=1, description="Experiment of its runs; made if missing.")
    service_account: str = Field(
        "minorkey-pipeline", description="ServiceAccount of its pods. Empty: the installation's default."
    )


class SchedulesSpec(Section):
    """All schedules of one owner."""

    owner: str = Field(
        pattern=_NAME,
        json_schema_extra=_FORMAT,
        description="Whose schedules these are, e.g. `fraud-prod`. Schedules of other owners, and those that "
        "people made in the user interface, are left alone; two files with one owner would undo each other.",
    )
    pipelines: dict[Name, str] = Field(
        default_factory=dict,
        description="Pipelines to upload where they changed: the name, and the path of what "
        "`minorkey compile` wrote, from this file on.",
    )
    schedules: tuple[ScheduleSpec, ...] = Field(
        (), description="The schedules. Those that the owner had and that are gone from here are removed."
    )
