"""What counts as detected, and how soon anybody could have known."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Judged:
    """One episode.

    Attributes:
        false_alarms: alarms before any drifted row could have had a part in them.
        delay: rows from the beginning of the drift to the first alarm after that; None: missed.
    """

    false_alarms: int
    delay: float | None


def judge(alarms: Sequence[float], onset: float, earliest: float, end: float) -> Judged:
    """Score the alarms of one episode. After a detection nothing counts any more.

    Args:
        alarms: rows, counted from the beginning of the stream, that had come when each was raised.
        onset: row at which the drift begins.
        earliest: row from which a drifted row may be known; later than `onset` where labels come late.
        end: row after which an alarm is too late.
    """
    true = [alarm for alarm in alarms if earliest <= alarm <= end]
    return Judged(sum(alarm < earliest for alarm in alarms), min(true) - onset if true else None)


def f1(judged: Sequence[Judged]) -> float:
    """Of alarms: detected episodes are true positives, missed ones false negatives."""
    true = sum(one.delay is not None for one in judged)
    wrong = sum(one.false_alarms for one in judged) + len(judged) - true
    return 2 * true / (2 * true + wrong) if true else 0.0


def lorden_rows(rows_between_false_alarms: float, information: Floats) -> float:
    """Rows that any detector needs on average in the worst case, to first order; infinite if never enough.

    The rows until the information that they carry comes to log(ARL): for a constant divergence I this is
    Lorden's log(ARL) / I, for one that changes Lai's generalisation.

    Args:
        rows_between_false_alarms: ARL, the mean number of rows from one false alarm to the next.
        information: shape (n,), Kullback-Leibler divergence of each row after the change, in nats.

    Source: Lorden (1971), "Procedures for Reacting to a Change in Distribution"; Lai (1998), "Information
    Bounds and Quick Detection of Parameter Changes in Stochastic Systems".
    """
    needed = np.log(rows_between_false_alarms)
    total = np.cumsum(information)
    place = int(np.searchsorted(total, needed * (1 - 1e-12)))
    if place == len(total):
        return float("inf")
    before = total[place - 1] if place else 0.0
    return place + float((needed - before) / information[place])


def bernoulli_divergence(now: Floats | float, before: Floats | float) -> Floats:
    """Kullback-Leibler divergence of two coins, in nats."""
    q, p = (np.clip(value, 1e-12, 1 - 1e-12) for value in (now, before))
    return np.asarray(q * np.log(q / p) + (1 - q) * np.log((1 - q) / (1 - p)))
