"""search: what is tried, how much, and how it is cut short."""

from typing import Literal, Self

from pydantic import Field, model_validator

from minorkey.data.durations import parse_duration
from minorkey.errors import SpecError
from minorkey.spec.section import Section
from minorkey.spec.threshold import ThresholdSpec

__all__ = ["KNOWN_FAMILIES", "KNOWN_RESAMPLERS", "SearchSpec"]

#: Names that need no look into the registries, whose import costs seconds. A name that is not here is
#: looked up there, so a new family or resampler need not be added.
KNOWN_FAMILIES = frozenset(
    {
        "balanced_random_forest",
        "extra_trees",
        "hist_gradient_boosting",
        "lightgbm",
        "logistic_regression",
        "network",
        "random_forest",
        "spline_logistic",
        "xgboost",
    }
)
KNOWN_RESAMPLERS = frozenset(
    {
        "adasyn",
        "borderline_smote",
        "cluster_centroids",
        "near_miss",
        "none",
        "random_over",
        "random_under",
        "smote",
        "smote_enn",
        "smote_nc",
        "smote_tomek",
        "tomek_links",
    }
)


class SearchSpec(Section):
    """The study: what is tried, how much, and how it is cut short."""

    trials: int = Field(40, ge=1, le=100_000, description="Trials to run, exactly.")
    workers: int | None = Field(None, ge=1, le=1_024, description="Worker processes. Default: the cores.")
    refit: bool = Field(
        False,
        description="On a retune: no search, only the configurations of the version that it starts from "
        "are fitted anew. Set by the mode refit.",
    )
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
    metric: Literal["average_precision"] = Field(
        "average_precision", description="What the search maximises, on the validation rows of the folds."
    )
    sampler: Literal["tpe", "random"] = Field(
        "tpe",
        description="tpe: learns from finished trials where to look. random: draws without learning.",
    )
    pruner: Literal["halving", "wilcoxon", "median", "none"] = Field(
        "halving",
        description="What ends weak trials early. halving: only the best go on to more rows and folds. "
        "wilcoxon: a paired test against the best, fold by fold. median: below the median of earlier "
        "trials. none: every trial runs to its end.",
    )
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
    recency_half_lives: tuple[str, ...] | None = Field(
        None,
        description="Ages at which a training row weighs half of a new one, to search over, e.g. "
        "[none, 30d]; none: age does not matter. Default: on a retune of rows in time as their period "
        "suggests, else none.",
    )
    finalists: int = Field(10, ge=1, le=100, description="Best configurations scored again on fresh folds.")
    ensemble: int = Field(5, ge=1, le=5, description="Most members of the model that ships. 1: no ensemble.")
    latency_limit_us: float | None = Field(None, gt=0, description="Most microseconds for scoring one row.")
    threshold: ThresholdSpec = Field(ThresholdSpec(), description="Which rows are called positive.")
    reproducible: bool = Field(
        False, description="Ask n sees exactly results 1 to n-W in order: same study each time."
    )

    @property
    def half_lives(self) -> tuple[float | None, ...] | None:
        """`recency_half_lives` in seconds, ascending, None for none; None where the key is not given."""
        if self.recency_half_lives is None:
            return None
        asked = [text for text in self.recency_half_lives if text != "none"]
        seconds = sorted({parse_duration(text, key="search.recency_half_lives") for text in asked})
        return (*([None] if len(asked) < len(self.recency_half_lives) else []), *seconds)

    @model_validator(mode="after")
    def _readable_half_lives(self) -> Self:
        found = self.half_lives
        if found is not None and (not found or 0.0 in found):
            raise SpecError(
                "there is no such half-life" if found else "no half-life is left to choose",
                key="search.recency_half_lives",
                value="0" if found else "[]",
                allowed="none, or durations above 0 such as 30d",
                remedy="name at least one, or leave the key out",
            )
        return self

    @model_validator(mode="after")
    def _known_names(self) -> Self:
        if self.families is not None and not self.families:
            raise SpecError(
                "nothing is left to search",
                key="search.families",
                value="[]",
                allowed="at least one family",
                remedy="name a family, or leave the key out for all that fit the data",
            )
        for name in self.families or ():
            if name not in KNOWN_FAMILIES:
                from minorkey.models import family

                family(name)
        for name in self.resamplers or ():
            if name not in KNOWN_RESAMPLERS:
                from minorkey.resampling import resampler

                resampler(name)
        return self
