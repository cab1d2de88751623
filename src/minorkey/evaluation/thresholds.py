"""The decision threshold: median over bootstraps of the optimum, placed in a gap between scores."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from minorkey.errors import DataError, SpecError
from minorkey.evaluation.bootstrap import replicate_weights, row_weights
from minorkey.evaluation.metrics import Confusion, matthews_corrcoef
from minorkey.evaluation.ranking import Cuts, Floats, Ranking, divide
from minorkey.spec import ThresholdSpec

__all__ = ["BOOTSTRAPS", "alert_share", "choose_threshold", "counts"]

#: Replicates whose optima are averaged by their median.
BOOTSTRAPS = 200

#: Shape (replicates, cuts): what is best when highest.
Objective = Callable[[Cuts], Floats]


def choose_threshold(
    y: npt.ArrayLike,
    score: npt.ArrayLike,
    spec: ThresholdSpec,
    *,
    weight: npt.ArrayLike | None = None,
    cost: npt.ArrayLike | None = None,
    event_time: npt.ArrayLike | None = None,
    entity: npt.ArrayLike | None = None,
    share: float | None = None,
    seed: int = 0,
) -> float:
    """The threshold that a policy asks for: rows with ``score >= threshold`` are called positive.

    A policy with an optimum takes it on 200 bootstraps and uses the median, which moves far less from
    sample to sample than the optimum itself. A policy on the number of alerts takes the lowest
    threshold that keeps to it.

    Args:
        y: shape (n,), 0 or 1.
        score: shape (n,), calibrated out-of-fold probabilities.
        spec: the policy and its numbers.
        weight: shape (n,); a row of weight 3 stands for three rows.
        cost: shape (n,), cost of missing each row if it is positive, for ``min_row_cost``.
        event_time: shape (n,), seconds, for ``alerts_per_day``.
        entity: shape (n,), what is drawn as a whole; None: rows.
        share: of rows that ``top_k`` or ``alerts_per_day`` may call positive, where it is known from more
            rows than these; None: `alert_share` of these, taken to be all rows that came.
        seed: seed of the bootstraps.

    Raises:
        SpecError: the policy needs a role that the data do not have.
        DataError: there is no positive.
        ShapeError: the lengths differ.
    """
    labels = np.asarray(y) == 1
    ranking = Ranking.of(labels, score)
    own = row_weights(len(labels), weight)
    if not (own * labels).any():
        raise DataError(
            "a threshold needs positives", key="data.target", value="no positive", allowed="2 or more"
        )
    if spec.policy in ("top_k", "alerts_per_day"):
        counted = own if spec.policy == "top_k" else counts(len(labels), weight)
        allowed = alert_share(spec, float(counted.sum()), event_time) if share is None else share
        return _highest_share(ranking, counted, allowed)
    objective = _objective(spec)
    missed = _missing_cost(spec, labels, cost)
    optima: list[Floats] = []
    for weights in replicate_weights(len(labels), BOOTSTRAPS, weight=weight, entity=entity, seed=seed):
        optima.append(_optima(ranking, weights, objective, missed, spec))
    return _snapped(ranking.score, float(np.median(np.concatenate(optima))))


def counts(n: int, weight: npt.ArrayLike | None) -> Floats:
    """How many rows of the stream each row stands for, shape (n,).

    Weights that are all 1 or more are counts, as thinning leaves them (one over the probability of being
    kept). Smaller ones have no unit that could count alerts: then each row counts once.
    """
    own = row_weights(n, weight)
    return own if (own >= 1).all() else np.ones(n)


def alert_share(
    spec: ThresholdSpec, rows: float, event_time: npt.ArrayLike | None, *, sampled: float = 1.0
) -> float:
    """The share of rows that may be called positive under ``top_k`` or ``alerts_per_day``.

    Args:
        spec: the policy and its numbers.
        rows: how many rows came, the sum of `counts`.
        event_time: seconds, one for each row at hand.
        sampled: which share these rows are of all that came in that time, in (0, 1].

    Returns:
        At most 1.

    Raises:
        SpecError: alerts a day without event times that span any time.
    """
    if spec.policy == "top_k":
        return float(spec.top_fraction or 0.0)
    times = None if event_time is None else np.asarray(event_time, np.float64)
    known = np.empty(0) if times is None else times[~np.isnan(times)]
    span = float(np.ptp(known)) if len(known) else 0.0
    if not span > 0:
        raise SpecError(
            "alerts a day need to know how many rows come a day",
            key="search.threshold.policy",
            value=spec.policy,
            allowed="a data set with data.event_time",
            remedy="set data.event_time, or use policy top_k with top_fraction",
        )
    came = rows / sampled
    return min(1.0, float(spec.alerts or 0.0) * span / 86_400 / came)


def _objective(spec: ThresholdSpec) -> Objective:
    """What the policy maximises at each cut; costs have their own way."""
    if spec.policy == "max_mcc":
        return _mcc
    if spec.policy == "max_fbeta":
        return lambda cuts: (
            (1 + spec.beta**2)
            * cuts.true_positives
            / (spec.beta**2 * cuts.positives[:, None] + cuts.predicted)
        )
    floor = spec.floor or 0.0
    if spec.policy == "min_precision":
        return lambda cuts: _floored(_precision(cuts), _recall(cuts), floor)
    return lambda cuts: _floored(_recall(cuts), _precision(cuts), floor)


def _mcc(cuts: Cuts) -> Floats:
    tp, positives, total = cuts.true_positives, cuts.positives[:, None], cuts.total[:, None]
    fp, fn = cuts.predicted - tp, positives - tp
    return matthews_corrcoef(Confusion(tp, fp, fn, total - positives - fp))


def _precision(cuts: Cuts) -> Floats:
    return divide(cuts.true_positives, cuts.predicted)


def _recall(cuts: Cuts) -> Floats:
    return cuts.true_positives / cuts.positives[:, None]


def _floored(held: Floats, wanted: Floats, floor: float) -> Floats:
    """The wanted rate where the other holds its floor; below it, how near it comes (never better)."""
    return np.where(held >= floor, wanted, held - 2.0)


def _missing_cost(
    spec: ThresholdSpec, labels: npt.NDArray[np.bool_], cost: npt.ArrayLike | None
) -> Floats | None:
    """Cost of missing each positive, shape (n,); None where the policy has no costs."""
    if spec.policy == "min_cost":
        return np.full(len(labels), spec.false_negative_cost)
    if spec.policy != "min_row_cost":
        return None
    if cost is None:
        raise SpecError(
            "the cheapest threshold by row needs a cost for each row",
            key="search.threshold.policy",
            value=spec.policy,
            allowed="a data set with data.cost",
            remedy="set data.cost, or use policy min_cost",
        )
    return np.asarray(cost, np.float64)


def _optima(
    ranking: Ranking, weights: Floats, objective: Objective, missed: Floats | None, spec: ThresholdSpec
) -> Floats:
    """The best threshold of each replicate that drew a positive, shape (some replicates,)."""
    cuts = ranking.cuts(weights)
    drawn = cuts.positives > 0
    ends = _thresholds(ranking)
    if missed is None:
        with np.errstate(invalid="ignore", divide="ignore"):
            best = np.argmax(objective(cuts), axis=1)
        return ends[best[drawn]]
    avoided = ranking.cuts(weights * missed).true_positives
    alarms = spec.false_positive_cost * (cuts.predicted - cuts.true_positives)
    gain = np.column_stack([np.zeros(len(weights)), avoided - alarms])
    nothing = _above(ranking.score, 0)
    return np.append(nothing, ends)[np.argmax(gain, axis=1)[drawn]]


def _thresholds(ranking: Ranking) -> Floats:
    """For each cut, the middle of the gap below it, shape (cuts,)."""
    below = np.append(ranking.score, ranking.score[-1])[ranking.last + 1]
    return (ranking.score[ranking.last] + below) / 2


def _highest_share(ranking: Ranking, weight: Floats, share: float) -> float:
    """The lowest threshold that alerts on no more than a share of the rows."""
    alerted = np.cumsum(weight[ranking.order])
    ends = np.append(ranking.score[1:] != ranking.score[:-1], True)
    within = np.flatnonzero(ends & (alerted <= share * alerted[-1] * (1 + 1e-12)))
    return _above(ranking.score, int(within[-1]) + 1 if len(within) else 0)


def _snapped(ranked: Floats, threshold: float) -> float:
    """The middle of the gap that a threshold falls into.

    Args:
        ranked: shape (n,), scores in descending order.
        threshold: any number.
    """
    return _above(ranked, int(np.searchsorted(-ranked, -threshold, side="right")))


def _above(ranked: Floats, alerts: int) -> float:
    """The threshold that the first `alerts` of descending scores reach, ties as near as can be."""
    n = len(ranked)
    if alerts <= 0:
        return float((ranked[0] + 1) / 2 if ranked[0] < 1 else np.nextafter(ranked[0], np.inf))
    if alerts >= n:
        return float(ranked[-1])
    last, following = ranked[alerts - 1], ranked[alerts]
    if last == following:
        # Inside a tie: the nearer end of it.
        first = int(np.searchsorted(-ranked, -last, side="left"))
        end = int(np.searchsorted(-ranked, -last, side="right"))
        return _above(ranked, first if alerts - first < end - alerts else end)
    middle = (last + following) / 2
    return float(middle if middle > following else last)
