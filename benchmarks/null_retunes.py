"""What the trigger and the triage make of alerts: which runs start, and what they find."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import norm

from benchmarks.drift_rules import Bools, measured
from benchmarks.null_system import HORIZON, Fix, Life, matured
from minorkey.evaluation.gate import spent_alpha
from minorkey.evaluation.intervals import Interval
from minorkey.evaluation.logit_bins import LOGIT_CENTRES, fit_logit_bins
from minorkey.evaluation.ranking import Ranking
from minorkey.retune.policy import DAY_SECONDS, Known, decide, patience
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


@dataclass(frozen=True)
class Retunes:
    """What alerts lead to until a fix ships, or to the end.

    Attributes:
        runs: hour, kind and what the diagnosis names of each run.
        fix: what ships after the last of them; None: nothing.
    """

    runs: list[tuple[int, str, str]]
    fix: Fix | None


def retunes(life: Life, fires: Mapping[str, Bools], *, seed: int) -> Retunes:
    """Runs that the trigger, told once an hour of what fires, starts, and what comes of them.

    An adjustment ships if it is proven. A refit never does: the rows are those of the champion's concept.

    Args:
        life: of the version that serves.
        fires: by kind that it acts on, shape (hours,).
        seed: of the triage's bootstraps.
    """
    hourly = matured(life.logits, HORIZON)
    found: list[tuple[int, str, str]] = []
    kept = dict.fromkeys(fires, 0)
    last: dict[str, float] = {}
    for hour in np.flatnonzero(np.any(list(fires.values()), axis=0)):
        now = _HOUR * hour
        for kind, alert in fires.items():
            if not alert[hour]:
                continue
            if not (hour and alert[hour - 1]):
                kept[kind] = 0
            recent = [_HOUR * one for one, _, _ in found if _HOUR * one > now - DAY_SECONDS]
            known = Known(now, last.get(kind), recent, "", frozenset())
            waits = kind in last and now - last[kind] < patience(SPEC.cool_down_seconds, kept[kind])
            if waits or decide(SPEC, known, None).verdict != "start":
                continue
            last[kind] = now
            kept[kind] += 1
            action = diagnosed(hourly[: hour + 1], life.shown, seed=seed).action
            found.append((int(hour), kind, action))
            if action in ("shift", "platt"):
                fix = adjusted(hourly[: hour + 1], action, looks=len(found))
                if fix is not None:
                    return Retunes(found, fix)
    return Retunes(found, None)


def adjusted(hourly: Floats, action: str, *, looks: int) -> Fix | None:
    """The adjustment of all rows that are mature, if the later of them prove it.

    Args:
        hourly: shape (hours, bins, 2), by bin of the log-odds and outcome.
        action: ``shift`` or ``platt``.
        looks: how often rows of this life have been looked at, this time included.
    """
    cut = _cut(hourly)
    earlier, later = hourly[:cut].sum(axis=0), hourly[cut:].sum(axis=0)
    fitted = fit_logit_bins(earlier[:, 0], earlier[:, 1])
    intercept, slope = fitted.intercept, 1.0
    if action == "platt":
        slope = fitted.slope
        # The fit tells the slope alone: the intercept that goes with it makes the mean right.
        rows, wanted = earlier.sum(axis=1), earlier[:, 1].sum()
        intercept = brentq(lambda shift: rows @ expit(shift + slope * LOGIT_CENTRES) - wanted, -20.0, 20.0)
    sides = np.array([-1.0, 1.0])
    before = np.logaddexp(0, -sides * LOGIT_CENTRES[:, None])
    after = np.logaddexp(0, -sides * (intercept + slope * LOGIT_CENTRES[:, None]))
    gain, rows = before - after, later.sum()
    mean = (later * gain).sum() / rows
    error = np.sqrt(max((later * gain**2).sum() / rows - mean**2, 0.0) / rows)
    if mean <= norm.isf(spent_alpha(0.05, looks)) * error:
        return None
    prevalence = float(earlier[:, 1].sum() / earlier.sum())
    return Fix(float(intercept), float(slope), prevalence, max(0, cut - HORIZON))


def _cut(hourly: Floats) -> int:
    """Hour from which on the later rows come."""
    reached = np.cumsum(hourly[:, :, 1].sum(axis=1))
    return int(np.searchsorted(reached, _EARLIER * reached[-1])) + 1


def diagnosed(hourly: Floats, shown: Floats, *, seed: int) -> Diagnosis:
    """What the triage finds in all rows that are mature.

    Args:
        hourly: shape (hours, bins, 2), by bin of the log-odds and outcome.
        shown: shape (bins, 2), the reference.
        seed: of the bootstrap.
    """
    earlier = hourly[: _cut(hourly)].sum(axis=0)
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
