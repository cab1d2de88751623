"""Models that serve for months without harm, hour by hour, as counts: what the alerts make of chance.

A fix that a retune ships begins another life: its counters begin at 0, and its reference is what had matured.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit
from scipy.stats import norm

from minorkey.bundle.reference_design import reference_design
from minorkey.bundle.reference_rates import reference_rates
from minorkey.evaluation.implied import implied_mcc
from minorkey.evaluation.logit_bins import LOGIT_CENTRES, logit_bin_places

Floats = npt.NDArray[np.float64]

HOURS_OF_MONTH = 720
#: Hours until an outcome is mature.
HORIZON = 168
#: Days that the reference rests on.
_REFERENCE_DAYS = 30
#: Days of the version before, whose figures a new champion is compared with.
_EARLIER_DAYS = 30
#: From one day to the next, what is left of how far a day lies from the mean.
_MEMORY = 0.7
_EDGES = np.concatenate([LOGIT_CENTRES - 0.25, [LOGIT_CENTRES[-1] + 0.25]])
#: Traffic by hour of the day, mean 1; a tenth of it at night.
DAY = np.array([0.1] * 6 + [0.5, 1.0] + [1.6] * 11 + [1.2, 1.0, 0.8, 0.5, 0.3])
DAY = DAY / DAY.mean()


@dataclass(frozen=True)
class World:
    """How days differ from each other although nothing has changed.

    Attributes:
        prevalence: standard deviation over days of the log-odds of a positive.
        separation: the same of the positives' mean score, in standard deviations of the score.
    """

    prevalence: float
    separation: float


#: Rows by themselves; and days that differ. The positives of eight weeks of card transactions differ by 0.05
#: beyond chance, and their number not at all; here it does, and either lasts for days.
WORLDS = {"independent rows": World(0.0, 0.0), "days differ": World(0.1, 0.05)}


@dataclass(frozen=True)
class Fix:
    """A calibration that ships.

    Attributes:
        intercept: shift of the log-odds that served.
        slope: factor of them.
        prevalence: of the rows that it was fitted on.
        later: hour of the life at which the rows begin that it is proven on.
    """

    intercept: float
    slope: float
    prevalence: float
    later: int


@dataclass(frozen=True)
class Hourly:
    """Mature rows by hour.

    Attributes:
        outcome: shape (hours, 2, 2), by decision and outcome.
        logits: shape (hours, bins, 2), by bin of the log-odds and outcome.
    """

    outcome: Floats
    logits: Floats


@dataclass(frozen=True)
class Life:
    """One version of a model in production without harm.

    Attributes:
        model: what serves.
        days: log-odds by which the prevalence, and standard deviations by which the positives' scores differ,
            shape (2, days) from the reference's first day on.
        first: hour of `days` at which it begins to serve.
        rows: shape (hours,), rows scored.
        outcome: shape (hours, 2, 2), by hour of the prediction, decision and outcome.
        logits: shape (hours, bins, 2), by bin of the score's log-odds and outcome.
        rates: of the reference, as a bundle has them.
        design: design effects of the reference, as a bundle has them.
        shown: the reference by bin of the log-odds and outcome, shape (bins, 2).
        before: outcome of the thirty days of the version before it, shape (2, 2).
    """

    model: "Model"
    days: Floats
    first: int
    rows: Floats
    outcome: Floats
    logits: Floats
    rates: dict[str, float]
    design: dict[str, float]
    shown: Floats
    before: Floats


@dataclass(frozen=True)
class Model:
    """Scores of two normal classes, by log-odds, and the calibrator's own error.

    Attributes:
        rows: a day.
        prevalence: share of positives.
        separation: distance of the classes in standard deviations.
        threshold: on the log-odds of the score.
        intercept: log-odds of a score are `intercept` + `slope` * the true ones.
        slope: see there.
    """

    rows: float
    prevalence: float
    separation: float
    threshold: float
    intercept: float = 0.0
    slope: float = 1.0

    def cells(self, shift: Floats) -> tuple[Floats, npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Chances of the places a score can fall into, shape (days, places, 2); bin and decision of each."""
        edges = np.sort(np.append(_EDGES, self.threshold))
        edges[0], edges[-1] = -np.inf, np.inf
        middle, half = logit(self.prevalence), self.separation**2 / 2
        spread = self.slope * self.separation
        chances = []
        for mean, moves in ((middle - half, 0.0), (middle + half, 1.0)):
            centre = self.intercept + self.slope * (mean + moves * shift * self.separation)
            chances.append(np.diff(norm.cdf((edges - centre[:, None]) / spread), axis=1))
        inside = np.clip((edges[:-1] + edges[1:]) / 2, _EDGES[0], _EDGES[-1])
        inside[0], inside[-1] = _EDGES[0], _EDGES[-1]
        bins = logit_bin_places(expit(inside))
        return np.stack(chances, axis=-1), bins, (inside > self.threshold).astype(np.intp)


def live(random: np.random.Generator, world: World, hours: int) -> Life:
    """Draw a model, its reference, and its life."""
    drawn = _model(random)
    days = _REFERENCE_DAYS + _EARLIER_DAYS + -(-hours // 24)
    moves = np.stack([_days(random, days, spread) for spread in (world.prevalence, world.separation)])
    model = _calibrated(random, drawn)
    reference = _hourly(random, model, moves, 0, 24 * _REFERENCE_DAYS)
    before = _hourly(random, model, moves, 24 * _REFERENCE_DAYS, 24 * _EARLIER_DAYS)
    first = 24 * (_REFERENCE_DAYS + _EARLIER_DAYS)
    return _life(random, model, moves, first, hours, reference, before.outcome.sum(axis=0))


def relive(random: np.random.Generator, life: Life, hour: int, fix: Fix) -> Life:
    """The life of a version that ships at an hour of another one's, to the same end.

    Args:
        random: draws the rows to come, and those that the reference rests on.
        life: of the version that it replaces.
        hour: of that life.
        fix: what ships.
    """
    model = replace(
        life.model,
        intercept=fix.intercept + fix.slope * life.model.intercept,
        slope=fix.slope * life.model.slope,
        threshold=best_threshold(fix.prevalence, life.model.separation),
    )
    mature = hour - HORIZON
    reference = _hourly(random, model, life.days, life.first + fix.later, mature - fix.later)
    before = windows(life.outcome, HOURS_OF_MONTH, HORIZON)[hour]
    return _life(random, model, life.days, life.first + hour, len(life.rows) - hour, reference, before)


def _life(
    random: np.random.Generator,
    model: Model,
    days: Floats,
    first: int,
    hours: int,
    reference: Hourly,
    before: Floats,
) -> Life:
    served = _hourly(random, model, days, first, hours)
    rates, design = _shown(reference, model)
    return Life(
        model,
        days,
        first,
        served.outcome.sum(axis=(1, 2)),
        served.outcome,
        served.logits,
        rates,
        design,
        reference.logits.sum(axis=0),
        before,
    )


def matured(hourly: Floats, delay: int) -> Floats:
    """What becomes known at each hour of counts that become known so many hours later."""
    return np.concatenate([np.zeros((delay, *hourly.shape[1:])), hourly[: len(hourly) - delay]])


def windows(hourly: Floats, length: int, delay: int = 0) -> Floats:
    """Sums over the last `length` hours at the end of each, of what is known `delay` hours later."""
    total = np.cumsum(matured(hourly, delay), axis=0)
    total[length:] -= total[:-length].copy()
    return total


def _model(random: np.random.Generator) -> Model:
    while True:
        rows = float(np.exp(random.uniform(np.log(2_000), np.log(50_000))))
        prevalence = float(np.exp(random.uniform(np.log(0.003), np.log(0.05))))
        if rows * prevalence * 30 >= 100:
            break
    separation = float(random.uniform(1.5, 3.0))
    return Model(rows, prevalence, separation, best_threshold(prevalence, separation))


def best_threshold(prevalence: float, separation: float) -> float:
    """Log-odds with the highest expected Matthews correlation."""
    middle, half = logit(prevalence), separation**2 / 2
    tried = np.linspace(middle, middle + 3 * half, 200)
    true, false = (norm.sf((tried - middle - side * half) / separation) for side in (1, -1))
    return float(tried[implied_mcc(prevalence, true, false).argmax()])


def _calibrated(random: np.random.Generator, model: Model) -> Model:
    """The model with a calibrator that was fitted on as many rows as the reference has."""
    middle = logit(model.prevalence)
    grid = middle + np.linspace(-5, 5, 400) * model.separation
    weights = sum(
        share * norm.pdf(grid, middle + side * model.separation**2 / 2, model.separation)
        for share, side in ((model.prevalence, 1), (1 - model.prevalence, -1))
    )
    weights *= model.rows * _REFERENCE_DAYS / weights.sum() * expit(grid) * (1 - expit(grid))
    design = np.column_stack([np.ones_like(grid), grid])
    information = design.T @ (design * weights[:, None])
    intercept, slope = random.multivariate_normal([0.0, 1.0], np.linalg.inv(information))
    cut = intercept + slope * model.threshold
    return replace(model, threshold=cut, intercept=intercept, slope=slope)


def _shown(reference: Hourly, model: Model) -> tuple[dict[str, float], dict[str, float]]:
    """What the bundle says of rows that it was not trained on: rates, and design effects."""
    outcome = reference.outcome.sum(axis=0)
    positives, negatives = outcome[:, 1].sum(), outcome[:, 0].sum()
    shown = {"recall": outcome[1, 1] / positives, "specificity": outcome[0, 0] / negatives}
    # A row lies at the centre of its bin; which of them are called is told by the bin all the same.
    counts = reference.logits.astype(np.intp)
    y = np.repeat(np.broadcast_to([0, 1], counts.shape).ravel(), counts.ravel())
    score = np.repeat(np.broadcast_to(expit(LOGIT_CENTRES)[:, None], counts.shape).ravel(), counts.ravel())
    clock = np.arange(len(y)) * (86_400.0 / model.rows)
    design = reference_design(y, score, expit(model.threshold), times=clock)
    return reference_rates(y, None, shown, design), design


def _hourly(random: np.random.Generator, model: Model, days: Floats, first: int, hours: int) -> Hourly:
    """Draw the rows of some hours, from the first of all days on."""
    chances, bins, called = model.cells(days[1])
    hour = np.arange(first, first + hours)
    rows = model.rows / 24 * DAY[hour % 24]
    prevalence = expit(logit(model.prevalence) + days[0])
    share = np.stack([1 - prevalence, prevalence], axis=-1)
    expected = (chances * share[:, None])[hour // 24] * rows[:, None, None]
    drawn = random.poisson(expected).astype(np.float64)
    outcome = np.stack([drawn[:, called == decision].sum(axis=1) for decision in (0, 1)], axis=1)
    logits = np.zeros((hours, len(LOGIT_CENTRES), 2))
    np.add.at(logits, (slice(None), bins), drawn)
    return Hourly(outcome, logits)


def _days(random: np.random.Generator, days: int, spread: float) -> Floats:
    """A stationary series with a memory of some days, mean 0."""
    values = np.zeros(days)
    value = random.normal() * spread
    for place in range(days):
        value = _MEMORY * value + np.sqrt(1 - _MEMORY**2) * spread * random.normal()
        values[place] = value
    return values


def no_traffic(rows_a_day: float, quiet: float = 120.0, hold: float = 5.0) -> float:
    """How often a month no row comes for the minutes that the alert waits, by chance alone.

    A gap of a Poisson stream of rate r begins r times a minute, and outlasts t minutes with probability
    exp(-r t).
    """
    per_minute = rows_a_day / 1_440 * DAY
    return float(30 * (60 * per_minute * np.exp(-per_minute * (quiet + hold))).sum())
