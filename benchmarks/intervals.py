"""Coverage of the intervals: how often they hold the truth, over simulated tests.

``python -m benchmarks.intervals [--quick]``; with 2,000 tests a scenario about 15 minutes on one core.
"""

import argparse

import numpy as np

from benchmarks.binormal import Scenario
from benchmarks.recording import record
from minorkey.evaluation.intervals import metric_intervals
from minorkey.evaluation.metrics import METRICS, compute_metrics

SCENARIOS = (
    Scenario("rows, AP 0.08", 2_500, 0.03, 1.0, 0.10),
    Scenario("rows, AP 0.6", 2_500, 0.03, 2.5, 0.30),
    Scenario("rows, AP 0.95", 2_500, 0.03, 4.0, 0.40),
    Scenario("rows, AP 0.6, 150 positives", 5_000, 0.03, 2.5, 0.30),
    Scenario("clustered, 250 entities of 20 rows", 5_000, 0.02, 2.5, 0.30, entities=250),
    Scenario("clustered, 500 entities of 5 rows", 2_500, 0.03, 2.5, 0.30, entities=500),
)
FEW = (
    Scenario("rows, 15 positives, AP 0.6", 1_000, 0.015, 2.5, 0.30),
    Scenario("rows, 30 positives, AP 0.6", 2_000, 0.015, 2.5, 0.30),
)


def coverage(scenario, simulations, bootstraps, *, confidence=0.95):
    """Percent of the simulated tests whose interval holds the truth, for each metric."""
    y, latent, _ = scenario.draw(np.random.default_rng(1), tests=1_500_000 // scenario.rows)
    score = scenario.probability(latent)
    truth = compute_metrics(y, score, score, scenario.threshold)
    below, above = (dict.fromkeys(METRICS, 0) for _ in range(2))
    positives, narrow = [], 0
    for simulation in range(simulations):
        y, latent, entity = scenario.draw(np.random.default_rng([2, simulation]))
        score = scenario.probability(latent)
        positives.append(int(y.sum()))
        narrow += positives[-1] < 50
        intervals = metric_intervals(
            y,
            score,
            score,
            scenario.threshold,
            entity=entity,
            confidence=confidence,
            bootstraps=bootstraps,
            seed=simulation,
        )
        for name, interval in intervals.items():
            below[name] += truth[name] < interval.low
            above[name] += truth[name] > interval.high
    return {
        "scenario": scenario.name,
        "mean_positives": round(float(np.mean(positives)), 1),
        "tests_below_50_positives": int(narrow),
        "true_average_precision": round(truth["average_precision"], 4),
        "coverage_percent": {
            name: round(100 * (1 - (below[name] + above[name]) / simulations), 2) for name in METRICS
        },
        "truth_below_percent": {name: round(100 * below[name] / simulations, 2) for name in METRICS},
        "truth_above_percent": {name: round(100 * above[name] / simulations, 2) for name in METRICS},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="200 tests a scenario instead of 2,000")
    parser.add_argument("--bootstraps", type=int, default=300)
    arguments = parser.parse_args()
    simulations = 200 if arguments.quick else 2_000
    tables = {"at_least_50_positives": SCENARIOS, "fewer_positives": FEW}
    figures = {"simulations": simulations, "bootstraps": arguments.bootstraps, "confidence": 0.95}
    for table, scenarios in tables.items():
        figures[table] = []
        for scenario in scenarios:
            figures[table].append(coverage(scenario, simulations, arguments.bootstraps))
            shown = figures[table][-1]["coverage_percent"]
            print(scenario.name, {name: shown[name] for name in METRICS}, flush=True)
    record("intervals", figures)


if __name__ == "__main__":
    main()
