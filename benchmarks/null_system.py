"""Models that serve for months without harm, hour by hour, as counts: what the alerts make of chance."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit
from scipy.stats import norm

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
class Life:
    """One model in production without harm.

    Attributes:
        rows: shape (hours,), rows scored.
        outcome: shape (hours, 2, 2), by hour of the prediction, decision and outcome.
        logits: shape (hours, bins, 2), by bin of the score's log-odds and outcome.
        rates: of the reference, as a bundle has them.
        shown: the reference by bin of the log-odds and outcome, shape (bins, 2).
        before: outcome of the thirty days of the version before it, shape (2, 2).
        facts: what the model is like.
    """

    rows: Floats
    outcome: Floats
    logits: Floats
    rates: dict[str, float]
    shown: Floats
    before: Floats
    facts: dict[str, float]


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
    prevalence = expit(logit(drawn.prevalence) + _days(random, days, world.prevalence))
    shift = _days(random, days, world.separation)
    past, before, now = (
        slice(0, _REFERENCE_DAYS),
        slice(_REFERENCE_DAYS, _REFERENCE_DAYS + _EARLIER_DAYS),
        slice(_REFERENCE_DAYS + _EARLIER_DAYS, None),
    )
    model = _calibrated(random, drawn)
    shown = _hourly(random, model, prevalence[past], shift[past], 24 * _REFERENCE_DAYS)
    earlier = _hourly(random, model, prevalence[before], shift[before], 24 * _EARLIER_DAYS)
    outcome, logits = _hourly(random, model, prevalence[now], shift[now], hours)
    return Life(
        outcome.sum(axis=(1, 2)),
        outcome,
        logits,
        _rates(shown[0].sum(axis=0)),
        shown[1].sum(axis=0),
        earlier[0].sum(axis=0),
        {"rows_a_day": model.rows, "prevalence": model.prevalence, "separation": model.separation},
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
    # The threshold with the highest expected Matthews correlation.
    middle, half = logit(prevalence), separation**2 / 2
    tried = np.linspace(middle, middle + 3 * half, 200)
    true, false = (norm.sf((tried - middle - side * half) / separation) for side in (1, -1))
    return Model(rows, prevalence, separation, float(tried[implied_mcc(prevalence, true, false).argmax()]))


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


def _rates(outcome: Floats) -> dict[str, float]:
    """What the bundle says of rows that it was not trained on."""
    positives, negatives = outcome[:, 1].sum(), outcome[:, 0].sum()
    shown = {"recall": outcome[1, 1] / positives, "specificity": outcome[0, 0] / negatives}
    y = np.repeat([1, 0], [int(positives), int(negatives)])
    return reference_rates(y, None, shown)


def _hourly(
    random: np.random.Generator, model: Model, prevalence: Floats, shift: Floats, hours: int
) -> tuple[Floats, Floats]:
    chances, bins, called = model.cells(shift)
    day = np.arange(hours) // 24
    rows = model.rows / 24 * DAY[np.arange(hours) % 24]
    share = np.stack([1 - prevalence, prevalence], axis=-1)
    expected = (chances * share[:, None])[day] * rows[:, None, None]
    drawn = random.poisson(expected).astype(np.float64)
    outcome = np.stack([drawn[:, called == decision].sum(axis=1) for decision in (0, 1)], axis=1)
    logits = np.zeros((hours, len(LOGIT_CENTRES), 2))
    np.add.at(logits, (slice(None), bins), drawn)
    return outcome, logits


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
