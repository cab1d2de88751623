"""What the trigger and the triage make of alerts: which runs start, and what they find."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from benchmarks.drift_rules import Bools, measured
from minorkey.evaluation.intervals import Interval
from minorkey.evaluation.logit_bins import LOGIT_CENTRES
from minorkey.evaluation.ranking import Ranking
from minorkey.retune.policy import DAY_SECONDS, Known, decide
from minorkey.retune.spec import ModelSpec, RetuneSpec
from minorkey.triage.diagnosis import Diagnosis, diagnose
from minorkey.triage.evidence import Evidence, Reference

Floats = npt.NDArray[np.float64]

#: The trigger's own defaults.
SPEC = RetuneSpec(models={"model": ModelSpec(spec="unused.yaml")})
#: Share of the positives that the earlier rows hold (`minorkey.triage.periods`).
_EARLIER = 0.6
_BOOTSTRAPS = 200
_HOUR = 3_600.0


def runs(fires: Mapping[str, Bools]) -> list[tuple[int, str]]:
    """Hours at which the trigger, told once an hour of what fires, may start a run; each with the kind.

    Its ledger starts fewer: runs that keep the champion come at growing distances.

    Args:
        fires: by kind that it acts on, shape (hours,).
    """
    started: list[tuple[int, str]] = []
    last: dict[str, float] = {}
    for hour in np.flatnonzero(np.any(list(fires.values()), axis=0)):
        now = _HOUR * hour
        for kind, alert in fires.items():
            if alert[hour]:
                recent = [_HOUR * one for one, _ in started if _HOUR * one > now - DAY_SECONDS]
                known = Known(now, last.get(kind), recent, "", frozenset())
                if decide(SPEC, known, None).verdict == "start":
                    started.append((int(hour), kind))
                    last[kind] = now
    return started


def diagnosed(hourly: Floats, shown: Floats, *, seed: int) -> Diagnosis:
    """What the triage finds in all rows that are mature.

    Args:
        hourly: shape (hours, bins, 2), by bin of the log-odds and outcome.
        shown: shape (bins, 2), the reference.
        seed: of the bootstrap.
    """
    reached = np.cumsum(hourly[:, :, 1].sum(axis=1))
    earlier = hourly[: int(np.searchsorted(reached, _EARLIER * reached[-1])) + 1].sum(axis=0)
    ranking, own = _ranked(shown), shown.T.ravel()[None]
    area, precision = float(ranking.roc_auc(own)[0]), float(ranking.average_precision(own)[0])
    rows, positives = int(shown.sum()), int(shown[:, 1].sum())
    return diagnose(
        evidence(earlier, positives / rows, seed=seed), Reference.of(rows, positives, area, precision)
    )


def evidence(table: Floats, prevalence: float, *, seed: int, bootstraps: int = _BOOTSTRAPS) -> Evidence:
    """`minorkey.triage.evidence.gather` of rows that are known by bin alone.

    To draw rows with replacement is to draw the bins' counts from a multinomial distribution. The intervals
    of the calibration are those of the model, which the sandwich's come to where the model holds.

    Args:
        table: shape (bins, 2).
        prevalence: of the reference.
        seed: of the bootstrap.
        bootstraps: replicates.
    """
    counts, positive = table.T.ravel(), np.repeat([False, True], len(table))
    n, ranking = int(counts.sum()), _ranked(table)
    drawn = np.random.default_rng(seed).multinomial(n, counts / n, bootstraps).astype(np.float64)
    area, precision = (
        Interval(float(values[0]), *map(float, np.nanpercentile(values[1:], [2.5, 97.5])))
        for values in (
            ranking.roc_auc(np.vstack([counts[None], drawn])),
            ranking.average_precision(_at_prevalence(np.vstack([counts[None], drawn]), positive, prevalence)),
        )
    )
    rates = dict.fromkeys(("true_positive", "false_positive"), 0.5)
    rates |= {f"{name}_variance": 0.0 for name in rates}
    outcome = np.zeros((2, 2))
    outcome[0] = table.sum(axis=0)
    found = measured(outcome, table, rates, 1)
    intercept, slope = (
        Interval(float(one.value), float(one.low()), float(one.high()))
        for one in (found.intercept, found.slope)
    )
    return Evidence(
        n, int(table[:, 1].sum()), float(table[:, 1].sum() / n), area, precision, intercept, slope
    )


def _ranked(table: Floats) -> Ranking:
    return Ranking.of(np.repeat([0, 1], len(table)), np.tile(expit(LOGIT_CENTRES), 2))


def _at_prevalence(weights: Floats, positive: Bools, prevalence: float) -> Floats:
    share = weights[:, positive].sum(axis=1, keepdims=True)
    rest = weights[:, ~positive].sum(axis=1, keepdims=True)
    return weights * np.where(positive, prevalence / share, (1 - prevalence) / rest)
