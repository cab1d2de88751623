"""RetuneSpec: which models are retuned on which alerts, how often, and where the runs run."""

import re
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from minorkey.data.durations import parse_duration
from minorkey.errors import SpecError
from minorkey.spec.reading import read_yaml
from minorkey.spec.section import Section
from minorkey.spec.validation import validated

__all__ = ["KubeflowSpec", "ModelSpec", "RetuneSpec", "RollbackSpec", "load_retune_spec"]

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
    pipeline: str = "tune"
    pipeline_version: str = Field("", description="Default: the newest.")
    service_account: str = "minorkey-pipeline"
    feedback_root: str = Field(
        "",
        description="Bucket or folder (s3://...) that labelled rows of production are exported to for a run.",
    )
    token_file: str = Field("", description="File with a bearer token.")
    ca_file: str = Field("", description="Certificates (PEM) that vouch for the server.")


class RollbackSpec(Section):
    """When a new champion is taken back without asking."""

    on: tuple[str, ...] = Field(
        ("error_budget_burn", "worse_than_before"),
        description="Kinds of alerts that take the champion back; none: never.",
    )
    probation: str = Field("7d", description="Age after which a version is not taken back any more.")
    cluster: str = Field(
        "", description="File of the cluster specification, where a cluster serves the models (`serving`)."
    )

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
    keep_days: float = Field(400.0, ge=1, description="How long events and ended actions stay in the ledger.")

    @property
    def acts_on(self) -> tuple[str, ...]:
        """Kinds of alerts that lead to an action of either sort."""
        return (*self.act_on, *self.rollback.on)

    @property
    def cool_down_seconds(self) -> float:
        """`cool_down` in seconds."""
        return parse_duration(self.cool_down, key="cool_down")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        parse_duration(self.cool_down, key="cool_down")
        for name in self.models:
            if not re.fullmatch(_MODEL, name):
                raise SpecError(
                    "this is no model's name", key="models", value=name, allowed=f"a name like {_MODEL}"
                )
        if both := sorted({*self.act_on} & {*self.rollback.on}):
            raise SpecError(
                "an alert leads to a run or to a rollback, not to both",
                key="act_on",
                value=both[0],
                allowed="kinds that rollback.on does not name",
                remedy="take it out of one of the two",
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


def _require_file(path: str, key: str, kind: str, example: str) -> None:
    if not Path(path).is_file():
        raise SpecError(
            f"there is no such {kind} specification",
            key=key,
            value=path,
            allowed=f"a file, {example}; paths begin where the command runs",
            remedy="correct the path",
        )
