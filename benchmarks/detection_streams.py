"""Streams with a known beginning of drift: generated, bootstrapped from electricity, and SEA as it is."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit
from scipy.stats import norm
from sklearn.ensemble import HistGradientBoostingClassifier

from benchmarks.detection_scoring import bernoulli_divergence
from minorkey.bundle.reference import assign_bins, reference_profile
from minorkey.bundle.reference_design import reference_design
from minorkey.bundle.reference_rates import reference_rates
from minorkey.evaluation.calibration import fit_platt
from minorkey.simulation.course import Course
from minorkey.simulation.drifts import drawn
from minorkey.spec import MonitorSpec

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]

#: Rows that are looked at together, and looks of a day: 528 rows, eleven days of the electricity market.
LOOK, LOOKS_A_DAY = 22, 24
DAY = LOOK * LOOKS_A_DAY
#: Days until the drift begins, and until an episode ends.
ONSET, END = 30, 65
KINDS = {"covariate": (0.3, 0.6, 1.0), "prior": tuple(np.log([1.5, 2.0, 3.0])), "concept": (0.2, 0.4, 0.7)}
SHAPES = ("abrupt", "gradual", "recurring")
#: Days that a gradual drift takes, and that a recurring one is there and gone.
_TURN = 10
_MONITOR = MonitorSpec()
#: Rows of a day of the electricity market, and of a week, which is drawn together.
_MARKET_DAY, _MARKET_WEEK = 48, 336
#: Share of a block's rows that a new concept makes positive, as in `minorkey.simulation.drifts`.
_POCKET = 0.1


@dataclass(frozen=True)
class Pool:
    """Rows to draw from, with all that a fixed model makes of them.

    Attributes:
        y: shape (n,), outcomes.
        chance: shape (n,), the true chance of a positive; None: not known.
        called: shape (n,), 0 or 1.
        score: shape (n,), calibrated.
        ranks: shape (n, k), numeric features and, last, the score: where each lies among the reference's.
        z: by numeric feature, shape (n,), standardised.
        profile: the reference profile, with rates.
        places: by feature, and "" for the score, shape (n,), bins.
        block: rows that are drawn together.
        step: blocks begin at multiples of so many rows.
    """

    y: npt.NDArray[np.int8]
    chance: Floats | None
    called: npt.NDArray[np.intp]
    score: Floats
    ranks: Floats
    z: dict[str, Floats]
    profile: dict[str, Any] = field(repr=False)
    places: dict[str, Positions] = field(repr=False)
    block: int = 1
    step: int = 1

    @property
    def rates(self) -> dict[str, float]:
        rates: dict[str, float] = self.profile["rates"]
        return rates

    def base(self, random: np.random.Generator, days: int) -> Positions:
        """Rows of so many days without drift, shape (days, DAY)."""
        wanted = days * DAY
        places = (len(self.y) - self.block) // self.step + 1
        first = self.step * random.integers(0, places, -(-wanted // self.block))
        return (first[:, None] + np.arange(self.block)).ravel()[:wanted].reshape(days, DAY)

    def outcomes(self, random: np.random.Generator) -> npt.NDArray[np.int8]:
        """Outcomes of all rows, drawn anew where their chances are known."""
        return self.y if self.chance is None else (random.random(len(self.y)) < self.chance).astype(np.int8)


@dataclass(frozen=True)
class Stream:
    """What production sees.

    Attributes:
        pool: where the rows come from.
        rows: shape (n,), positions in the pool.
        y: shape (n,), outcomes.
        onset: row at which drift begins; None: never.
        kind: of drift.
        shape: of its course.
        information: shape (n,), nats that a row tells of the drift, with labels and without; None: not known.
    """

    pool: Pool
    rows: Positions
    y: npt.NDArray[np.int8]
    onset: int | None = None
    kind: str = "none"
    shape: str = ""
    information: tuple[Floats, Floats] | None = field(default=None, repr=False)


def null_stream(pool: Pool, days: int, seed: int) -> Stream:
    """Nothing changes."""
    random = np.random.default_rng([seed, 1])
    rows = pool.base(random, days).ravel()
    return Stream(pool, rows, pool.outcomes(random)[rows])


def episodes(pool: Pool, repeats: int) -> list[Stream]:
    """So many of every kind, shape and strength."""
    names = list(pool.z)
    return [
        _episode(pool, kind, shape, strength, names[(repeat + place) % len(names)], [repeat, place, 2])
        for repeat in range(repeats)
        for place, (kind, shape, strength) in enumerate(
            (kind, shape, strength) for kind in KINDS for shape in SHAPES for strength in KINDS[kind]
        )
    ]


def _episode(pool: Pool, kind: str, shape: str, strength: float, feature: str, seed: list[int]) -> Stream:
    random = np.random.default_rng(seed)
    # A hair before the day, so that no rounding moves it to the next.
    begin = (ONSET - 1e-6) / END
    course = Course(shape, begin, begin + _TURN / END)
    base, y, z = pool.base(random, END), pool.outcomes(random), pool.z[feature]
    rows, outcomes, told = [], [], []
    for day, own in enumerate(base):
        amount = strength * course.intensity(day / END)
        block = drawn(y, own, kind, z, amount, random)
        rows.append(block.rows)
        outcomes.append(block.y)
        told.append(information(pool, kind, z, amount))
    by_row = np.repeat(np.array(told).T, DAY, axis=1)
    known = None if pool.chance is None else (by_row[0], by_row[1])
    return Stream(pool, np.concatenate(rows), np.concatenate(outcomes), ONSET * DAY, kind, shape, known)


def information(pool: Pool, kind: str, z: Floats, amount: float) -> tuple[float, float]:
    """Kullback-Leibler divergence of a drifted row from a row before, in nats: with its label, and without.

    Zeros where the true chances are not known.
    """
    p = pool.chance
    if p is None or amount <= 0:
        return 0.0, 0.0
    if kind == "covariate":
        tilt = amount * z
        weight = np.exp(np.clip(tilt, -20, 20))
        moved = float((weight @ tilt) / weight.sum() - np.log(weight.mean()))
        return moved, moved
    prior = float(p.mean())
    if kind == "prior":
        ratio = (p * np.exp(amount) + 1 - p) / (prior * np.exp(amount) + 1 - prior)
        new = prior * np.exp(amount) / (prior * np.exp(amount) + 1 - prior)
        return float(bernoulli_divergence(new, prior)), float((ratio * np.log(ratio)).mean())
    moved = min(amount, 1.0)
    pocket = z >= np.quantile(z, 1 - _POCKET)
    gained = moved * prior / ((1 - p) * pocket).mean()
    now = p * (1 - moved) + np.where(pocket, (1 - p) * min(gained, 1.0), 0.0)
    return float(bernoulli_divergence(now, p).mean()), 0.0


def generated(rows: int = 40_000, seed: int = 0) -> Pool:
    """Six numbers and two categories, one row in twenty positive, gradient boosting."""
    random = np.random.default_rng([seed, 3])
    frame = pd.DataFrame({f"x{place}": random.normal(size=3 * rows) for place in range(4)})
    frame["amount"] = random.lognormal(3, 1, 3 * rows)
    frame["age"] = random.gamma(4, 10, 3 * rows)
    frame["channel"] = random.choice(np.array(list("abcd"), dtype=object), 3 * rows, p=[0.6, 0.25, 0.1, 0.05])
    frame["country"] = random.choice(np.array(list("uvwxyz"), dtype=object), 3 * rows)
    latent = (
        2.6 * frame["x0"]
        + 2.0 * frame["x1"] * (frame["channel"] == "c")
        + 1.8 * np.log(frame["amount"] / 20)
        - 1.5 * np.abs(frame["x2"])
        + frame["x0"] * (frame["age"] > 50)
    )
    chance = expit(latent.to_numpy() - 5.3)
    y = (random.random(3 * rows) < chance).astype(np.int8)
    parts = [slice(0, rows), slice(rows, 2 * rows), slice(2 * rows, None)]
    numeric = [name for name in frame if frame[name].dtype.kind == "f"]
    return _pool(frame, y, numeric, parts[0], parts[1], parts[2], chance[parts[2]])


def electricity(folder: Path) -> Pool:
    """The later two thirds of the market, drawn by week: what drift they have is mixed into every stream."""
    frame, y = _csv(folder / "electricity.csv")
    third = len(frame) // 3
    later = slice(third, None)
    pool = _pool(frame, y, list(frame), slice(0, third), later, later, None, ordered=True)
    return replace(pool, block=_MARKET_WEEK, step=_MARKET_DAY)


def sea(folder: Path) -> Stream:
    """Rows 6,000 to 40,000 as they come; the concept changes at 10,000, 20,000 and 30,000."""
    frame, y = _csv(folder / "sea_abrupt.csv")
    pool = _pool(frame, y, list(frame), slice(0, 3_000), slice(3_000, 6_000), slice(6_000, None), None)
    return Stream(pool, np.arange(len(pool.y)), pool.y, 4_000, "concept", "abrupt")


def _csv(path: Path) -> tuple[pd.DataFrame, npt.NDArray[np.int8]]:
    table = pd.read_csv(path)
    return table.drop(columns="class").astype(float), table["class"].to_numpy(np.int8)


def _pool(
    frame: pd.DataFrame,
    y: npt.NDArray[np.int8],
    numeric: list[str],
    train: slice,
    reference: slice,
    watched: slice,
    chance: Floats | None,
    ordered: bool = False,
) -> Pool:
    coded = frame.apply(lambda column: column if column.dtype.kind == "f" else pd.factorize(column)[0])
    model = HistGradientBoostingClassifier(max_iter=60, random_state=0).fit(coded[train], y[train])
    raw = model.predict_proba(coded)[:, 1]
    score = fit_platt(y[reference], raw[reference]).apply(raw)
    threshold = _threshold(y[reference], score[reference])
    called = (score >= threshold).astype(np.intp)
    times = np.arange(reference.stop or len(frame), dtype=float)[reference] if ordered else None
    profile = reference_profile(frame[reference], score[reference], _MONITOR, times=times)
    positive, decided = y[reference] == 1, called[reference]
    shown = {"recall": decided[positive].mean(), "specificity": 1 - decided[~positive].mean()}
    # Rows of production have times, also where they are independent; a market's are its own.
    clock = np.arange(len(y[reference])) * (86_400.0 / (_MARKET_DAY if ordered else DAY))
    profile["design"] = reference_design(y[reference], score[reference], threshold, times=clock)
    profile["rates"] = reference_rates(y[reference], None, shown, profile["design"])
    columns = [frame[name].to_numpy() for name in numeric] + [score]
    ranks = [np.searchsorted(np.sort(one[reference]), one[watched]) / len(y[reference]) for one in columns]
    places = {name: assign_bins(entry, frame[name].to_numpy()) for name, entry in profile["features"].items()}
    places[""] = assign_bins(profile["score"], score)
    return Pool(
        y[watched],
        chance,
        called[watched],
        score[watched],
        np.column_stack(ranks),
        {name: _standard(frame[name].to_numpy()[watched]) for name in numeric},
        profile,
        {name: values[watched] for name, values in places.items()},
    )


def _threshold(y: npt.NDArray[np.int8], score: Floats) -> float:
    """The one with the highest Matthews correlation among the scores' quantiles."""
    tried = np.unique(np.quantile(score, np.linspace(0.3, 0.998, 200)))
    found = [np.corrcoef(y, score >= cut)[0, 1] for cut in tried[1:]]
    return float(tried[1:][int(np.nanargmax(found))])


def _standard(values: Floats) -> Floats:
    """Normal scores of the ranks, so that a strength means the same for every feature."""
    ranks = pd.Series(values).rank(method="average").to_numpy()
    return np.asarray(norm.ppf((ranks - 0.5) / len(values)))
