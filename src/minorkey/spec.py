"""RunSpec: the one typed, frozen description of what a run does.

YAML in, JSON schema out. Each pipeline step receives only its own section.
"""

import json
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from minorkey.data.durations import parse_duration, parse_instant
from minorkey.errors import SpecError

__all__ = [
    "DataSpec",
    "DeploySpec",
    "EvaluateSpec",
    "GateSpec",
    "MonitorSpec",
    "RunSpec",
    "SearchSpec",
    "Section",
    "SplitSpec",
    "ThresholdSpec",
    "load_spec",
    "parse_section",
    "validated",
    "with_overrides",
]

S = TypeVar("S", bound="Section")
Fraction = Annotated[float, Field(gt=0, lt=1)]


class Section(BaseModel):
    """A frozen part of the specification that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class DataSpec(Section):
    """Where the rows come from and what the columns mean."""

    source: str = Field(
        "builtin:cards",
        description="A path or fsspec URI (CSV, TSV, Parquet, npz), openml:ID, sklearn:NAME, builtin:cards.",
    )
    options: dict[str, str | int | float | bool] = Field(
        default_factory=dict,
        description="Options of the source, e.g. rows, days, drift_day of builtin:cards.",
    )
    target: str | None = Field(
        None, description="The column to predict. Needed for every source of your own."
    )
    positive: str | int | float | bool | None = Field(
        None, description="The target's value that is the rare event. Default: the rarer of the two values."
    )
    features: tuple[str, ...] | None = Field(None, description="Use only these columns as features.")
    drop: tuple[str, ...] = Field((), description="Never use these columns as features.")
    keep: tuple[str, ...] = Field(
        (), description="Keep these columns even if they look like a leak or an id."
    )
    categorical: tuple[str, ...] = Field(
        (), description="Treat these columns as categories, whatever their type."
    )
    weight: str | None = Field(None, description="Column with a non-negative weight for each row.")
    entity: str | None = Field(None, description="Column that names what rows belong to (customer, patient).")
    event_time: str | None = Field(None, description="Column with the time at which the event happened.")
    label_time: str | None = Field(None, description="Column with the time at which the label became known.")
    cost: str | None = Field(None, description="Column with the cost of missing this row, if positive.")
    leak_average_precision: Fraction = Field(
        0.95, description="A column (or pair) that alone ranks this well is left out as a leak suspect."
    )
    max_columns: int = Field(2_000, ge=1, description="More columns than this are refused.")
    max_cell_bytes: int = Field(1_000_000, ge=1, description="A longer text cell is refused.")


class SplitSpec(Section):
    """How the sealed test and the training folds are formed."""

    kind: Literal["auto", "hash", "time", "repeated_cv"] = Field(
        "auto",
        description="auto: time where there is an event time, repeated_cv where the test would hold "
        "too few positives, else hash.",
    )
    test_fraction: Fraction = Field(
        0.2, description="Share of rows (or of the last rows in time) in the test."
    )
    folds: int = Field(5, ge=2, le=50, description="Tuning folds.")
    outer_folds: int = Field(5, ge=2, le=50, description="Outer folds of repeated_cv.")
    outer_repeats: int = Field(1, ge=1, le=20, description="Repeats of the outer folds of repeated_cv.")
    min_test_positives: int = Field(
        50, ge=2, description="Below this many test positives auto picks repeated_cv."
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
    ] = "max_mcc"
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
            raise ValueError(f"policy {self.policy} needs the key {needs[self.policy][0]}")
        return self


class SearchSpec(Section):
    """The study: what is tried, how much, and how it is cut short."""

    trials: int = Field(40, ge=1, le=100_000, description="Trials to run, exactly.")
    workers: int | None = Field(None, ge=1, le=1_024, description="Worker processes. Default: the cores.")
    timeout: float | None = Field(
        None,
        gt=0,
        description="Seconds of searching after which no further trial starts, over all parts and "
        "resumed runs.",
    )
    trial_timeout: float = Field(600.0, gt=0, description="Seconds a single trial may take.")
    trial_memory_mb: int = Field(
        4_096, ge=128, description="Resident memory a single trial may take, in MiB."
    )
    metric: Literal["average_precision"] = "average_precision"
    sampler: Literal["tpe", "random"] = "tpe"
    pruner: Literal["halving", "wilcoxon", "median", "none"] = "halving"
    portfolio: bool = Field(True, description="Begin with configurations known to be strong.")
    families: tuple[str, ...] | None = Field(
        None, description="Model families. Default: all that fit the data."
    )
    resamplers: tuple[str, ...] | None = Field(
        None, description="Resamplers. Default: all that fit the data."
    )
    resampling_share: float = Field(
        0.15, ge=0, le=1, description="Most of the trials that resample, until one wins."
    )
    interactions: bool = Field(
        True, description="Let the search try ratios and differences of numeric columns."
    )
    finalists: int = Field(10, ge=1, le=100, description="Best configurations scored again on fresh folds.")
    ensemble: int = Field(5, ge=1, le=5, description="Most members of the model that ships. 1: no ensemble.")
    latency_limit_us: float | None = Field(None, gt=0, description="Most microseconds for scoring one row.")
    threshold: ThresholdSpec = ThresholdSpec()
    reproducible: bool = Field(
        False, description="Ask n sees exactly results 1 to n-W in order: same study each time."
    )


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


class DeploySpec(Section):
    """Where the promoted model serves."""

    target: Literal["local", "none"] = Field(
        "local", description="local: a predictor process here. none: register only."
    )
    host: str = Field("127.0.0.1", description="Address the local predictor binds.")
    port: int = Field(0, ge=0, le=65_535, description="Port of the local predictor. 0: any free one.")


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


class RunSpec(Section):
    """What one run does. ``minorkey schema`` prints its JSON schema."""

    model: str = Field(
        "minorkey", pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$", description="Name in the model registry."
    )
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Seed of everything random but the split.")
    data: DataSpec = DataSpec()
    split: SplitSpec = SplitSpec()
    search: SearchSpec = SearchSpec()
    evaluate: EvaluateSpec = EvaluateSpec()
    deploy: DeploySpec = DeploySpec()
    monitor: MonitorSpec = MonitorSpec()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (
            self.split.kind == "time"
            and self.data.event_time is None
            and not self.data.source.startswith("builtin:")
        ):
            raise ValueError("split.kind time needs data.event_time")
        if self.search.threshold.policy == "min_row_cost" and self.data.cost is None:
            raise ValueError("search.threshold.policy min_row_cost needs data.cost")
        if (
            self.search.threshold.policy == "alerts_per_day"
            and self.data.event_time is None
            and not self.data.source.startswith("builtin:")
        ):
            raise ValueError("search.threshold.policy alerts_per_day needs data.event_time")
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
                )


def load_spec(path: Path) -> RunSpec:
    """Read a RunSpec from YAML.

    Raises:
        SpecError: the file is missing, is not YAML, or does not fit the schema.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SpecError(
            "the specification cannot be read", key=str(path), value=error.strerror, remedy="check the path"
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SpecError(
            "the specification is not valid YAML", key=str(path), value=error, allowed="UTF-8 YAML"
        ) from None
    if content is None:
        content = {}
    if not isinstance(content, dict):
        raise SpecError(
            "the specification is not a mapping",
            key=str(path),
            value=type(content).__name__,
            allowed="sections with keys, e.g. data: {source: rows.csv}",
        )
    return with_overrides(content, {})


def with_overrides(content: dict[str, Any], overrides: dict[str, Any]) -> RunSpec:
    """The RunSpec of a mapping in which dotted keys (``search.trials``) are replaced.

    Raises:
        SpecError: the result does not fit the schema.
    """
    merged = json.loads(json.dumps(content, default=str))
    for dotted, value in overrides.items():
        *parents, leaf = dotted.split(".")
        place = merged
        for parent in parents:
            place = place.setdefault(parent, {})
            if not isinstance(place, dict):
                raise SpecError("the key has no keys below it", key=dotted, value=value)
        place[leaf] = json.loads(json.dumps(value, default=str))
    return validated(RunSpec, merged)


def parse_section(kind: type[S], text: str) -> S:
    """One section from the JSON that a pipeline step received.

    Raises:
        SpecError: the text does not fit the section's schema.
    """
    return validated(kind, json.loads(text))


def validated(
    kind: type[S],
    content: Any,
    *,
    what: str = "the specification",
    remedy: str = "see `minorkey schema` for every key",
) -> S:
    """Content as a section, or the first thing that does not fit.

    Args:
        kind: the section.
        content: mappings, lists and scalars as YAML or JSON give them.
        what: what the messages call it.
        remedy: what the messages advise.

    Raises:
        SpecError: with the key, the value and what is allowed.
    """
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"]) or "(the combination of keys)"
        raise SpecError(
            f"{what} has an unknown key"
            if first["type"] == "extra_forbidden"
            else f"{what} does not fit: {first['msg']}",
            key=key,
            value=first["input"] if first["loc"] else None,
            allowed=_allowed(kind, first["loc"]),
            remedy=remedy,
        ) from None


def _allowed(kind: type[BaseModel], location: tuple[int | str, ...]) -> str:
    """What the schema accepts at a location: the keys of a section, or a field's type and bounds."""
    current: type[BaseModel] = kind
    parts = iter(location)
    for part in parts:
        field = current.model_fields.get(str(part))
        if field is None:
            return "one of " + ", ".join(sorted(current.model_fields))
        inner = _section_in(field.annotation)
        if inner is not None:
            if get_origin(field.annotation) in (dict, tuple):
                next(parts, None)
            current = inner
            continue
        bounds = ", ".join(str(bound) for bound in field.metadata)
        description = field.description or ""
        return "; ".join(text for text in (_type_name(field.annotation), bounds, description) if text)
    return ""


def _section_in(annotation: Any) -> type[BaseModel] | None:
    """The section that a field holds: as itself, or optional, or as the values of a mapping or a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_section_in(argument) for argument in get_args(annotation))
    return next((section for section in inner if section is not None), None)


def _type_name(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation).replace("typing.", "")
