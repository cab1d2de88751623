"""What a trial is: one configuration, scored on folds, with an outcome that is never ambiguous."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from minorkey.errors import StateError

__all__ = ["Configuration", "Outcome", "TrialResult"]


@dataclass(frozen=True)
class Configuration:
    """Everything that a fit depends on, save data and seed.

    Attributes:
        family: name of a model family (`minorkey.models.families`).
        model: the family's own hyperparameters.
        resampler: name of a resampler, "none" for none.
        resampling: the resampler's parameters.
        weight_exponent: rows of class c weigh (n / n_c) ** exponent, scaled to mean 1; 0: all equal.
        interactions: add ratios and differences of numeric features.
        train_window: length of the training window in seconds, None for all of it.
        recency_half_life: age in seconds at which a training row weighs half of a new one, None: age does
            not matter.
    """

    family: str
    model: dict[str, Any] = field(default_factory=dict)
    resampler: str = "none"
    resampling: dict[str, Any] = field(default_factory=dict)
    weight_exponent: float = 0.0
    interactions: bool = False
    train_window: float | None = None
    recency_half_life: float | None = None

    def to_json(self) -> dict[str, Any]:
        """The configuration as JSON content."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """The configuration from JSON content; what an earlier minorkey did not say has its default.

        Raises:
            StateError: a newer minorkey says of it what this one does not know.
        """
        unknown = sorted(content.keys() - cls.__dataclass_fields__.keys())
        if unknown:
            raise StateError(
                "the configuration is of a newer minorkey",
                key=", ".join(unknown),
                value=", ".join(f"{name}: {content[name]}" for name in unknown),
                allowed=", ".join(cls.__dataclass_fields__),
                remedy="use the newer minorkey for what goes on from it",
            )
        return cls(**content)

    def digest(self) -> str:
        """Digest by which equal configurations are known."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()[:16]


class Outcome(StrEnum):
    """How a trial ended."""

    COMPLETE = "complete"
    PRUNED = "pruned"
    CRASHED = "crashed"
    OUT_OF_MEMORY = "out_of_memory"
    NOT_A_NUMBER = "not_a_number"
    TIMED_OUT = "timed_out"
    #: Taken away by the platform; retried with the same parameters, unlike the others.
    EVICTED = "evicted"


@dataclass(frozen=True)
class TrialResult:
    """What a trial leaves behind, once.

    Attributes:
        number: the trial's number in its study.
        configuration: what was tried.
        outcome: how it ended.
        value: mean validation score over all folds; None unless complete.
        reported: (rung, value) for every value reported on the way.
        fold_scores: score of each fold at full training size, as far as it came.
        seconds: wall-clock seconds.
        cpu_seconds: CPU seconds of the worker.
        error: why it failed, in one line; empty if it did not.
    """

    number: int
    configuration: Configuration
    outcome: Outcome
    value: float | None
    reported: tuple[tuple[int, float], ...] = ()
    fold_scores: tuple[float, ...] = ()
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    error: str = ""

    def to_json(self) -> dict[str, Any]:
        """The result as the content of ``trials/<number>/result.json``."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """The result from JSON content."""
        return cls(
            **{
                **content,
                "configuration": Configuration.from_json(content["configuration"]),
                "outcome": Outcome(content["outcome"]),
                "reported": tuple((int(rung), float(value)) for rung, value in content["reported"]),
                "fold_scores": tuple(content["fold_scores"]),
            }
        )
