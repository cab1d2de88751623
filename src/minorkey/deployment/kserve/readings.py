"""What the predictors of a version have counted so far."""

from dataclasses import dataclass, field
from typing import Self

import numpy as np
import numpy.typing as npt
from prometheus_client.parser import text_string_to_metric_families

from minorkey.evaluation.logit_bins import LOGIT_BINS, logit_bin_places

__all__ = ["Reading"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Reading:
    """Requests, errors, seconds and scores of a version, summed over its predictors.

    Attributes:
        requests: answered.
        errors: of them, those with a status of 500 or more.
        seconds: requests by upper bound of their seconds, cumulative.
        scores: shape (40,), rows by bin of the score's log-odds; all 0 where an older predictor does not
            tell.
    """

    requests: float = 0.0
    errors: float = 0.0
    seconds: dict[float, float] = field(default_factory=dict)
    scores: Floats = field(default_factory=lambda: np.zeros(len(LOGIT_BINS)))

    @classmethod
    def of(cls, metrics: str, model: str, version: str) -> Self:
        """From the text of one predictor's ``/metrics``."""
        requests = errors = 0.0
        seconds: dict[float, float] = {}
        scores = np.zeros(len(LOGIT_BINS))
        for family in text_string_to_metric_families(metrics):
            for sample in family.samples:
                labels = sample.labels
                if (labels.get("model"), labels.get("version")) != (model, version):
                    continue
                if sample.name == "minorkey_request_total":
                    requests += sample.value
                    errors += sample.value * (labels["code"] >= "500")
                elif sample.name == "minorkey_request_seconds_bucket":
                    seconds[float(labels["le"])] = sample.value
                elif sample.name == "minorkey_score_logit_bin_total":
                    scores[LOGIT_BINS.index(labels["bin"])] = sample.value
        return cls(requests, errors, seconds, scores)

    @classmethod
    def of_answers(cls, seconds: list[float], errors: int, scores: list[float]) -> Self:
        """From answers that were waited for here."""
        bounds = sorted(seconds)
        counted = {bound: float(place + 1) for place, bound in enumerate(bounds)}
        binned = np.bincount(logit_bin_places(scores), minlength=len(LOGIT_BINS)) if scores else 0.0
        return cls(float(len(seconds)), float(errors), counted, np.zeros(len(LOGIT_BINS)) + binned)

    def __add__(self, other: Self) -> "Reading":
        return Reading(
            self.requests + other.requests,
            self.errors + other.errors,
            _both(self.seconds, other.seconds, 1),
            self.scores + other.scores,
        )

    def since(self, before: "Reading") -> "Reading":
        """What was counted after an earlier reading of the same predictor."""
        return Reading(
            self.requests - before.requests,
            self.errors - before.errors,
            _both(self.seconds, before.seconds, -1),
            self.scores - before.scores,
        )

    @property
    def error_share(self) -> float:
        """Errors as a share of the requests, 0 without requests."""
        return self.errors / self.requests if self.requests else 0.0

    def p99_seconds(self) -> float:
        """99th percentile of the seconds, interpolated within its bucket; NaN without requests."""
        bounds = sorted(self.seconds)
        total = self.seconds[bounds[-1]] if bounds else 0.0
        if not total:
            return float("nan")
        wanted, lower, below = 0.99 * total, 0.0, 0.0
        for bound in bounds:
            count = self.seconds[bound]
            if count >= wanted:
                upper = bound if np.isfinite(bound) else lower
                return lower + (upper - lower) * (wanted - below) / max(count - below, 1e-12)
            lower, below = bound, count
        return lower


def _both(one: dict[float, float], other: dict[float, float], sign: int) -> dict[float, float]:
    """Sum of two cumulative counts; between its own bounds each stays at what it was."""
    if not other:
        return dict(one)
    return {bound: _at(one, bound) + sign * _at(other, bound) for bound in {*one, *other}}


def _at(counts: dict[float, float], bound: float) -> float:
    return max((count for known, count in counts.items() if known <= bound), default=0.0)
