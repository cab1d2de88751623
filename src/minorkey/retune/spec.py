"""RetuneSpec: which models are retuned on which alerts, how often, and where the runs run."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError
from pydantic import Field, model_validator

from minorkey.data.durations import parse_duration
from minorkey.drift.rules import TO_TRIGGER
from minorkey.errors import SpecError
from minorkey.spec.reading import read_yaml
from minorkey.spec.section import Section
from minorkey.spec.validation import validated

__all__ = ["KubeflowSpec", "ModelSpec", "RetuneSpec", "RollbackSpec", "ScheduleSpec", "load_retune_spec"]

_MODEL = r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?"
_REMEDY = "see docs/reference/retune.md for every key"
#: Kinds of alerts that tell of harm. What only moved (data_drift, score_drift) informs and never retunes.
_HARM = ("performance_down", "calibration_off", "prior_shift")


class ModelSpec(Section):
    """How a model is retuned."""

    spec: str = Field(description="File of the run specification, as for `minorkey run`.")
    settings: tuple[str, ...] = Field(
        (), description="More settings of the run, as `--set` takes them: search.trials=20."
    )


class KubeflowSpec(Section):
    """The Kubeflow Pipelines that runs are submitted to; the keys are the options of `minorkey submit`."""

    host: str = Field(description="URL of the API.")
    namespace: str = ""
    experiment: str = "minorkey"
    pipeline: str = Field("tune", description="Name of the pipeline that refits and searches.")
    pipeline_version: str = Field("", description="Default: the newest.")
    adjust_pipeline: str = Field("adjust", description="Name of the pipeline that a retune begins with.")
    adjust_pipeline_version: str = Field("", description="Default: the newest.")
    service_account: str = "minorkey-pipeline"
    feedback_root: str = Field(
        "",
        description="Bucket or folder (s3://...) that labelled rows of production are exported to for a run.",
    )
    token_file: str = Field("", description="File with a bearer token.")
    ca_file: str = Field("", description="Certificates (PEM) that vouch for the server.")


class ScheduleSpec(Section):
    """A retune by the clock."""

    model: str = Field(description="One of `models`.")
    cron: str = Field(description="Minute, hour, day, month, weekday: 0 3 * * SUN.")
    time_zone: str = Field("UTC", description="Whose clock: a name like Europe/Berlin.")
    reason: str = Field("", description="Why; it stays with the action.")
    starting_deadline: str = Field(
        "1d", description="How late a tick may be, after the trigger was away; an older one is left out."
    )

    @property
    def starting_deadline_seconds(self) -> float:
        """`starting_deadline` in seconds."""
        return parse_duration(self.starting_deadline, key="schedules.starting_deadline")

    @model_validator(mode="after")
    def _readable_times(self) -> Self:
        parse_duration(self.starting_deadline, key="schedules.starting_deadline")
        try:
            place = ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise SpecError(
                "there is no such time zone",
                key="schedules.time_zone",
                value=self.time_zone,
                allowed="UTC, or a name of the IANA database such as Europe/Berlin",
                remedy="correct the name",
            ) from None
        if len(self.cron.split()) != 5 or not _ticks(self.cron, place):
            raise SpecError(
                "the schedule cannot be read, or never comes about",
                key="schedules.cron",
                value=self.cron,
                allowed="five fields: minute, hour, day, month, day of the week, as in 0 3 * * SUN",
                remedy="correct the expression",
            )
        return self


class RollbackSpec(Section):
    """When a new champion is taken back without asking."""

    on: tuple[str, ...] = Field(
        ("error_budget_burn", "worse_than_before"),
        description="Kinds of alerts that take the champion back; none: never.",
    )
    probation: str = Field(
        "7d", description="Time as champion after which a version is not taken back any more."
    )
    cluster: str = Field(
        "", description="File of the cluster specification, where a cluster serves the models (`serving`)."
    )

    @model_validator(mode="before")
    @classmethod
    def _on_is_a_word(cls, content: Any) -> Any:
        """YAML reads an unquoted key ``on`` as true."""
        if not isinstance(content, dict):
            return content
        return {"on" if key is True else key: value for key, value in content.items()}

    @property
    def probation_seconds(self) -> float:
        """`probation` in seconds."""
        return parse_duration(self.probation, key="rollback.probation")

    @model_validator(mode="after")
    def _readable_times(self) -> Self:
        parse_duration(self.probation, key="rollback.probation")
        return self


class RetuneSpec(Section):
    """What the retune trigger does."""

    models: dict[str, ModelSpec] = Field(description="By name in the registry.", min_length=1)
    act_on: tuple[str, ...] = Field(_HARM, description="Kinds of alerts that lead to a run.")
    cool_down: str = Field("6h", description="Time between two starts for the same model and kind.")
    daily_budget: int = Field(4, ge=1, le=1_000, description="Most starts of a model within 24 hours.")
    min_positives: int = Field(
        50, ge=0, description="Mature labelled positives that a run waits for; needs `feedback`."
    )
    feedback: bool = Field(
        False, description="Whether the feedback service's database is to be asked for labels."
    )
    feedback_spec: str = Field(
        "",
        description="File of the feedback service's specification: its labelled rows are what local retunes "
        "learn from and are judged on. Implies `feedback`.",
    )
    schedules: tuple[ScheduleSpec, ...] = Field((), description="Retunes by the clock.")
    dry_run: bool = Field(False, description="Decide and record, start nothing.")
    rollback: RollbackSpec = Field(RollbackSpec(), description="When a new champion is taken back.")
    launch: Literal["local", "kubeflow"] = "local"
    kubeflow: KubeflowSpec | None = None
    poll_seconds: float = Field(1.0, gt=0, le=60, description="Between two looks at what is under way.")
    claim_seconds: float = Field(
        60.0,
        gt=0,
        le=3_600,
        description="After which a launch that was cut short is taken over.",
    )
    keep_days: float = Field(400.0, ge=1, description="How long events and ended actions stay.")

    @property
    def acts_on(self) -> tuple[str, ...]:
        """Kinds of alerts that lead to an action of either sort."""
        return (*self.act_on, *self.rollback.on)

    @property
    def cool_down_seconds(self) -> float:
        """`cool_down` in seconds."""
        return parse_duration(self.cool_down, key="cool_down")

    def require(self, model: str, *, key: str) -> None:
        """Refuse a model that is not one of `models`.

        Args:
            model: its name.
            key: what named it, for the message.

        Raises:
            SpecError: the specification does not name it.
        """
        if model not in self.models:
            raise SpecError(
                "the trigger's specification does not name this model",
                key=key,
                value=model,
                allowed=", ".join(sorted(self.models)),
            )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        parse_duration(self.cool_down, key="cool_down")
        for name in self.models:
            if not re.fullmatch(_MODEL, name):
                raise SpecError(
                    "this is no model's name", key="models", value=name, allowed=f"a name like {_MODEL}"
                )
        for key, kinds in (("act_on", self.act_on), ("rollback.on", self.rollback.on)):
            if unknown := sorted({*kinds} - {*TO_TRIGGER}):
                raise SpecError(
                    "no alert is of this kind",
                    key=key,
                    value=unknown[0],
                    allowed=", ".join(TO_TRIGGER),
                    remedy="correct the kind; those of the alerts are their label `kind`",
                )
        if both := sorted({*self.act_on} & {*self.rollback.on}):
            raise SpecError(
                "an alert leads to a run or to a rollback, not to both",
                key="act_on",
                value=both[0],
                allowed="kinds that rollback.on does not name",
                remedy="take it out of one of the two",
            )
        for schedule in self.schedules:
            if schedule.model not in self.models:
                raise SpecError(
                    "the schedule is of a model that the specification does not name",
                    key="schedules.model",
                    value=schedule.model,
                    allowed=", ".join(sorted(self.models)),
                    remedy="correct the name, or add the model",
                )
        if (self.launch == "kubeflow") != (self.kubeflow is not None):
            raise ValueError("launch: kubeflow and the section kubeflow go together")
        if self.kubeflow is not None and self.kubeflow.feedback_root and not self.feedback_spec:
            raise ValueError("kubeflow.feedback_root needs feedback_spec: it says what labels mean")
        return self


def load_retune_spec(path: Path) -> RetuneSpec:
    """Read a RetuneSpec from YAML.

    Raises:
        SpecError: the file cannot be read, is not YAML, does not fit, or names a file that is not there.
    """
    what = "the trigger's specification"
    content = read_yaml(path, what=what, absent="check the path", broken=_REMEDY)
    found = validated(RetuneSpec, content, what=what, remedy=_REMEDY)
    for name, model in found.models.items():
        _require_file(model.spec, f"models.{name}.spec", "run", "as minorkey init writes it")
    if found.feedback_spec:
        _require_file(found.feedback_spec, "feedback_spec", "feedback", "as for minorkey feedback serve")
    return found


def _ticks(cron: str, place: ZoneInfo) -> bool:
    """Whether a cron expression can be read and comes about."""
    try:
        return next(CronSim(cron, datetime(2026, 1, 1, tzinfo=UTC).astimezone(place)), None) is not None
    except CronSimError:
        return False


def _require_file(path: str, key: str, kind: str, example: str) -> None:
    if not Path(path).is_file():
        raise SpecError(
            f"there is no such {kind} specification",
            key=key,
            value=path,
            allowed=f"a file, {example}; paths begin where the command runs",
            remedy="correct the path",
        )
