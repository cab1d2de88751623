"""The gate: whether a challenger replaces the champion, from one look at a sealed test."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from minorkey.errors import ContractError, ShapeError
from minorkey.evaluation.bootstrap import paired_average_precision, row_weights
from minorkey.evaluation.bounds import FEW_POSITIVES, average_precision_bounds
from minorkey.evaluation.intervals import Interval, effective_size
from minorkey.evaluation.ranking import Floats, RepeatedRanking
from minorkey.spec import GateSpec

__all__ = ["Verdict", "judge", "spent_alpha"]

Decision = Literal["promote", "keep"]


@dataclass(frozen=True)
class Verdict:
    """What the gate decided, on what evidence.

    Attributes:
        decision: ``promote`` or ``keep``.
        reason: why, in sentences that need no statistics.
        rule: ``superior``, ``non_inferior``, or ``beats_chance`` where there is no champion.
        opening: which look at this test it is, counting from 1.
        alpha: the error rate that this look may spend.
        challenger: average precision on the compared rows.
        champion: the same of the champion; None if there is none.
        difference: challenger minus champion; the bounds are one-sided, each at `alpha`.
        rows: number of compared rows.
        positives: how many of them are positive.
        base_rate: their weighted share of positives: the average precision of chance.
    """

    decision: Decision
    reason: str
    rule: str
    opening: int
    alpha: float
    challenger: Interval
    champion: Interval | None
    difference: Interval | None
    rows: int
    positives: int
    base_rate: float

    def to_json(self) -> dict[str, Any]:
        """The verdict as JSON content."""
        intervals = {name: getattr(self, name) for name in ("challenger", "champion", "difference")}
        return {
            "decision": self.decision,
            "reason": self.reason,
            "rule": self.rule,
            "opening": self.opening,
            "alpha": self.alpha,
            "rows": self.rows,
            "positives": self.positives,
            "base_rate": None if np.isnan(self.base_rate) else self.base_rate,
        } | {name: None if value is None else value.to_json() for name, value in intervals.items()}


def spent_alpha(alpha: float, opening: int) -> float:
    """The error rate that one opening of a test may spend; over all openings it sums to `alpha`.

    Args:
        alpha: error rate over all openings.
        opening: which opening, counting from 1.

    Raises:
        ContractError: the opening is below 1.
    """
    if opening < 1:
        raise ContractError(f"openings count from 1, got {opening}")
    return float(alpha * 6 / (np.pi**2 * opening**2))


def judge(
    y: npt.ArrayLike,
    challenger_raw: npt.ArrayLike,
    champion_raw: npt.ArrayLike | None,
    *,
    comparable: npt.ArrayLike | None = None,
    weight: npt.ArrayLike | None = None,
    entity: npt.ArrayLike | None = None,
    spec: GateSpec | None = None,
    confidence: float = 0.95,
    opening: int = 1,
    bootstraps: int = 1_000,
    seed: int = 0,
) -> Verdict:
    """Judge a challenger by average precision, paired with the champion.

    Args:
        y: shape (n,), 0 or 1.
        challenger_raw: shape (n,), raw scores; or shape (repeats, n), of which each repeat is judged and
            the mean taken.
        champion_raw: the same of the champion; None: there is no champion.
        comparable: shape (n,), rows that neither model has seen; None: all.
        weight: shape (n,), non-negative; None: all equal.
        entity: shape (n,), the coarsest thing that rows belong to; None: rows.
        spec: the rule.
        confidence: of the models' own intervals.
        opening: which look at this test it is, from the ledger.
        bootstraps: number of replicates.
        seed: seed of the replicates.

    Raises:
        ShapeError: the lengths differ, or a score is not finite.
    """
    spec = spec or GateSpec()
    labels = np.asarray(y) == 1
    kept = np.ones(len(labels), bool) if comparable is None else np.asarray(comparable, bool)
    if kept.shape != labels.shape:
        raise ShapeError(f"expected a mask of shape {labels.shape}, got {kept.shape}")
    evidence = _gather(
        labels, challenger_raw, champion_raw, kept, weight, entity, confidence, bootstraps, seed
    )
    alpha = spent_alpha(spec.alpha, opening)
    if champion_raw is None:
        decision, reason, difference = _against_chance(evidence, alpha)
        rule = "beats_chance"
    else:
        decision, reason, difference = _against_champion(evidence, alpha, spec)
        rule = spec.rule
    return Verdict(
        decision=decision,
        reason=reason,
        rule=rule,
        opening=opening,
        alpha=alpha,
        challenger=evidence.intervals[0],
        champion=evidence.intervals[1] if champion_raw is not None else None,
        difference=difference,
        rows=int(kept.sum()),
        positives=evidence.positives,
        base_rate=evidence.base_rate,
    )


@dataclass(frozen=True)
class _Evidence:
    """Average precision of the models on the compared rows, estimates and replicates."""

    intervals: tuple[Interval, ...]
    #: Shape (models, replicates).
    replicates: Floats
    positives: int
    #: Effective number of positives: an entity's rows tell much the same.
    size: float
    base_rate: float


def _gather(
    labels: npt.NDArray[np.bool_],
    challenger: npt.ArrayLike,
    champion: npt.ArrayLike | None,
    kept: npt.NDArray[np.bool_],
    weight: npt.ArrayLike | None,
    entity: npt.ArrayLike | None,
    confidence: float,
    bootstraps: int,
    seed: int,
) -> _Evidence:
    y = labels[kept]
    own = None if weight is None else np.asarray(weight, np.float64)[kept]
    names = None if entity is None else np.asarray(entity)[kept]
    raws = [challenger] if champion is None else [challenger, champion]
    rankings = [RepeatedRanking.of(y, np.asarray(raw, np.float64)[..., kept]) for raw in raws]
    weights = row_weights(len(y), own)
    size = effective_size(y, weight=own, entity=names)
    drawn = paired_average_precision(rankings, len(y), bootstraps, weight=own, entity=names, seed=seed)
    values = [float(ranking.average_precision(weights[None, :])[0]) for ranking in rankings]
    intervals = tuple(
        Interval(value, *average_precision_bounds(value, replicates, size, confidence))
        for value, replicates in zip(values, drawn, strict=True)
    )
    total = weights.sum()
    base_rate = float(weights @ y / total) if total > 0 else np.nan
    return _Evidence(intervals, drawn, int(y.sum()), size, base_rate)


def _against_chance(evidence: _Evidence, alpha: float) -> tuple[Decision, str, None]:
    value = evidence.intervals[0].value
    low, _ = average_precision_bounds(value, evidence.replicates[0], evidence.size, 1 - 2 * alpha)
    chance = evidence.base_rate
    if not evidence.positives:
        return "keep", "The test holds no positive row, so nothing can be shown.", None
    found = (
        f"There is no champion yet. The new model's average precision is {value:.3f}, "
        f"at least {low:.3f} when bad luck is allowed for; ranking by chance gives {chance:.3f}."
    )
    if low > chance:
        return "promote", f"{found} The new model is better than chance.", None
    return "keep", f"{found} That is not enough to call it better than chance.", None


def _against_champion(
    evidence: _Evidence, alpha: float, spec: GateSpec
) -> tuple[Decision, str, Interval | None]:
    if evidence.positives < FEW_POSITIVES:
        return (
            "keep",
            f"The champion stays: only {evidence.positives} of the test rows that neither model has seen are "
            f"positive, and below {FEW_POSITIVES} a difference cannot be told from luck.",
            None,
        )
    challenger, champion = (interval.value for interval in evidence.intervals)
    drawn = evidence.replicates[0] - evidence.replicates[1]
    half = float(stdtrit(max(evidence.size - 1, 1), 1 - alpha) * np.nanstd(drawn))
    gain = challenger - champion
    difference = Interval(gain, gain - half, gain + half)
    found = (
        f"On {evidence.positives} positives that neither model has seen, the challenger's average precision "
        f"is {challenger:.3f} and the champion's {champion:.3f}. Allowing for bad luck, the difference of "
        f"{gain:+.3f} is at least {difference.low:+.3f}"
    )
    low, _ = average_precision_bounds(challenger, evidence.replicates[0], evidence.size, 1 - 2 * alpha)
    if not low > evidence.base_rate:
        # A champion whose ranking has turned round is beaten by guessing.
        return (
            "keep",
            f"{found}, but the challenger is not shown to be better than chance ({evidence.base_rate:.3f}).",
            difference,
        )
    if spec.rule == "non_inferior":
        if difference.low > -spec.margin:
            return (
                "promote",
                f"{found}: not worse by as much as {spec.margin:g}, which is what was asked.",
                difference,
            )
        return "keep", f"{found}: it may be worse by {spec.margin:g} or more.", difference
    if difference.low > 0:
        return "promote", f"{found}: the challenger is better.", difference
    return "keep", f"{found}: the challenger is not shown to be better.", difference
