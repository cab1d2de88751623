"""search: what is tried, how much, and how it is cut short."""

from typing import Literal

from pydantic import Field

from minorkey.spec.section import Section
from minorkey.spec.threshold import ThresholdSpec

__all__ = ["SearchSpec"]


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
