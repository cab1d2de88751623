"""Alarms where nothing has changed: of the two-sample tests, and of alerts, trigger and triage together.

    python -m benchmarks.null_rates [--quick] [--only tests|system]

Tests: a reference of 500 rows and windows of 50 to 5,000 from the same distribution, judged at 0.05 and 0.1.
The replications share no row. Tests run with fewer draws, and MMD and the classifier with fewer trees and
rows, than by default: validity does not rest on them, cost does.

System: models of 2,000 to 50,000 rows a day live without harm, hour by hour (`benchmarks.null_system`); the
rules look at them once an hour; the trigger's own policy starts runs; the triage's own diagnosis looks at
what has matured. An adjustment that it proves ships, and the version that has it begins anew. A ticket is
each time an alert of that severity begins to fire; a retune is confirmed if its diagnosis names something to
mend. The proof is by log loss alone, with the error rate of one more look at the same rows each time; the new
threshold is the best one for the share of positives that was found. Bounds allow for models that differ.
Beside the margin of the alert "performance down" stands none.
"""

import argparse
import time
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from scipy.stats import chi2

from benchmarks.drift_rules import INDEPENDENT, Bools, Floats, Measured, firing, measured, starts
from benchmarks.null_retunes import retunes
from benchmarks.null_system import (
    HORIZON,
    HOURS_OF_MONTH,
    WORLDS,
    Life,
    World,
    live,
    no_traffic,
    relive,
    windows,
)
from benchmarks.recording import record
from minorkey.drift.rules import PRODUCTION
from minorkey.drift.two_sample import Sample, TwoSampleTest
from minorkey.drift.two_sample.chi_squared import ChiSquared
from minorkey.drift.two_sample.classifier import ClassifierTwoSample
from minorkey.drift.two_sample.jensen_shannon import JensenShannon
from minorkey.drift.two_sample.kolmogorov_smirnov import KolmogorovSmirnov
from minorkey.drift.two_sample.mmd import MaximumMeanDiscrepancy
from minorkey.drift.two_sample.population_stability import PopulationStability

#: Nominal rates; by chance the ratio of 2,000 replications has a standard error of 0.10 and of 0.07.
LEVELS = (0.05, 0.1)
REFERENCE = 500
SIZES = (50, 200, 1_000, 5_000)
_CATEGORIES = np.array(list("abcdefgh"), dtype=object)
#: Looks that ``for`` holds between two of the alerts.
_LOOKS = PRODUCTION.statistical_for // PRODUCTION.look
#: Kinds that the trigger acts on.
_ACTED_ON = ("performance_down", "prior_shift", "calibration_off")


def rows(random: np.random.Generator, n: int) -> pd.DataFrame:
    """A number, a number with many ties, and a category with rare levels."""
    return pd.DataFrame(
        {
            "number": random.normal(size=n),
            "tied": np.where(random.random(n) < 0.5, 0, random.poisson(3, n)) * 1.0,
            "level": _CATEGORIES[np.minimum(random.geometric(0.35, n) - 1, 7)],
        }
    )


#: Draws of the tests whose p-value comes from draws: 0.05 is one of the values it can take.
_DRAWS = 99
#: What a table calls it: the test, and the columns it looks at.
TESTS: dict[str, tuple[TwoSampleTest, list[str]]] = {
    "ks": (KolmogorovSmirnov(draws=_DRAWS), ["number"]),
    "ks, ties": (KolmogorovSmirnov(draws=_DRAWS), ["tied"]),
    "chi2": (ChiSquared(draws=_DRAWS), ["level"]),
    "js": (JensenShannon(draws=_DRAWS), ["number"]),
    "psi": (PopulationStability(draws=_DRAWS), ["number"]),
    "psi, levels": (PopulationStability(draws=_DRAWS), ["level"]),
    "mmd": (MaximumMeanDiscrepancy(permutations=99, most_rows=200), ["number", "tied", "level"]),
    "classifier": (ClassifierTwoSample(trees=5, most_rows=300), ["number", "tied", "level"]),
}


def rates_of_tests(replications: int, sizes: tuple[int, ...]) -> list[dict[str, Any]]:
    """By test and size of the window the share of alarms over the nominal one."""
    found = []
    for name, (test, columns) in TESTS.items():
        for size in sizes:
            p_values = []
            for seed in range(replications):
                random = np.random.default_rng([seed, size])
                both = [Sample(rows(random, n)[columns]) for n in (REFERENCE, size)]
                p_values.append(test.compare(both[0], both[1], seed=seed).p_value)
            ratios = {level: float(np.mean(np.array(p_values) <= level)) / level for level in LEVELS}
            found.append(
                {
                    "test": name,
                    "rows": size,
                    "rate_over_nominal": {f"{level:g}": round(one, 3) for level, one in ratios.items()},
                    "within": all(0.8 <= one <= 1.2 for one in ratios.values()),
                }
            )
            print(found[-1], flush=True)
    return found


def conditions(figures: Measured, life: Life, *, margin: float = 0.05) -> dict[str, Bools]:
    """The statistical alerts that are tickets, shape (hours,) each, by kind.

    Args:
        figures: of the window at each hour.
        life: the model.
        margin: of performance_down.
    """
    no_logits = np.zeros((len(life.logits[0]), 2))
    before = measured(life.before, no_logits, life.rates, PRODUCTION.positives, life.design).mcc
    reference = life.rates["prevalence"]
    remembered = np.arange(len(life.rows)) < HORIZON + HOURS_OF_MONTH
    intercept, slope = figures.intercept, figures.slope
    return {
        "performance_down": figures.gap.high() < -margin,
        "prior_shift": (figures.prevalence_low() > 1.25 * reference)
        | (figures.prevalence_high() < 0.8 * reference),
        "calibration_off": (intercept.low() > 0.2)
        | (intercept.high() < -0.2)
        | (slope.low() > 1.2)
        | (slope.high() < 0.8),
        "worse_than_before": (figures.mcc.high() < before.low()) & remembered,
    }


def alerts(life: Life, margin: float) -> dict[str, Bools]:
    """Whether each alert fires, shape (hours,) each, by kind."""
    figures = measured(
        windows(life.outcome, HOURS_OF_MONTH, HORIZON),
        windows(life.logits, HOURS_OF_MONTH, HORIZON),
        life.rates,
        PRODUCTION.positives,
        life.design,
    )
    return {
        kind: firing(condition, _LOOKS)
        for kind, condition in conditions(figures, life, margin=margin).items()
    }


def system(world: World, lives: int, months: int, margin: float) -> dict[str, Any]:
    """What so many models of so many months come to."""
    counts: Counter[str] = Counter()
    tickets, runs, confirmed = (np.zeros(lives) for _ in range(3))
    covered: list[tuple[bool, bool]] = []
    quiet = 0.0
    for number in range(lives):
        random = np.random.default_rng([number, 19])
        life: Life | None = live(random, world, HOURS_OF_MONTH * months)
        quiet += months * no_traffic(life.model.rows)
        covered += covers_prevalence(life, world)
        while life is not None:
            fires = alerts(life, margin)
            came = retunes(life, {kind: fires[kind] for kind in _ACTED_ON}, seed=number)
            end = came.runs[-1][0] + 1 if came.fix else len(life.rows)
            for kind, alert in fires.items():
                counts[f"ticket {kind}"] += (began := int(starts(alert[:end]).sum()))
                tickets[number] += began
            for _, kind, action in came.runs:
                counts[f"run {kind}: {action}"] += 1
                runs[number] += 1
                confirmed[number] += action not in ("none", "wait")
            counts["fixes shipped"] += came.fix is not None
            life = relive(random, life, end, came.fix) if came.fix and end < len(life.rows) else None
    return {
        "margin": margin,
        "models": lives,
        "model_months": lives * months,
        "events": dict(sorted(counts.items())) | {"ticket no_traffic (expected)": round(quiet, 4)},
        "tickets_a_month": _rate(tickets + quiet / lives, months),
        "runs_a_month": _rate(runs, months),
        "confirmed_retunes_a_month": _rate(confirmed, months),
        "interval_holds_the_prevalence": {
            name: round(float(np.mean(found)), 3)
            for name, found in zip(("as shipped", "by rows"), zip(*covered, strict=True), strict=True)
        },
    }


def covers_prevalence(life: Life, world: World) -> list[tuple[bool, bool]]:
    """Whether the 95 % interval of each month holds the share of positives in the long run.

    Returns:
        For each month with the design effect, and without.
    """
    spread = np.random.default_rng(0).normal(0, world.prevalence, 10_000)
    truth = expit(logit(life.model.prevalence) + spread).mean()
    months = windows(life.outcome, HOURS_OF_MONTH)[HOURS_OF_MONTH - 1 :: HOURS_OF_MONTH]
    found = []
    for design in (life.design, INDEPENDENT):
        figures = measured(months, np.zeros((len(months), *life.logits.shape[1:])), life.rates, 1, design)
        found.append((figures.prevalence_low() <= truth) & (truth <= figures.prevalence_high()))
    return list(zip(*(one.tolist() for one in found), strict=True))


def _rate(events: Floats, months: int) -> dict[str, float]:
    """Events a model-month, and a 95 % upper bound.

    The bound of Poisson events (Garwood 1936), with as many fewer of them as the models differ more than
    Poisson counts do (quasi-Poisson).

    Args:
        events: shape (models,).
        months: that each model lived.
    """
    mean = float(events.mean())
    clusters = max(1.0, float(events.var(ddof=1)) / mean) if mean > 0 and len(events) > 1 else 1.0
    bound = clusters * float(chi2.ppf(0.95, 2 * (events.sum() / clusters + 1)) / 2)
    return {"rate": round(mean / months, 4), "upper_95": round(bound / len(events) / months, 4)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of the replications and of the months")
    parser.add_argument("--only", choices=("tests", "system"))
    asked = parser.parse_args()
    if asked.only != "system":
        started = time.monotonic()
        sizes, replications = (SIZES[:-1], 200) if asked.quick else (SIZES, 2_000)
        tests = rates_of_tests(replications, sizes)
        record("null_tests", {"replications": replications, "tests": tests}, started=started)
    if asked.only != "tests":
        started = time.monotonic()
        lives = 100 if asked.quick else 1_000
        worlds = {
            f"{name}, margin {margin}": system(world, lives if margin else lives // 20, 4, margin)
            for name, world in WORLDS.items()
            for margin in (0.05, 0.0)
        }
        record("null_system", worlds, started=started)


if __name__ == "__main__":
    main()
