"""The gate: how often it promotes an equal challenger, and which gain it sees.

``python -m benchmarks.gate [--quick]``; about ten minutes on one core.
"""

import argparse

import numpy as np

from benchmarks.binormal import Scenario
from benchmarks.recording import record
from minorkey.evaluation.gate import judge
from minorkey.evaluation.ranking import average_precision
from minorkey.spec import GateSpec

#: Share of the latent noise that champion and challenger have in common.
AGREEMENT = 0.9

NULL = (
    Scenario("rows, 75 positives", 2_500, 0.03, 2.5, 0.3),
    Scenario("rows, 300 positives", 10_000, 0.03, 2.5, 0.3),
    Scenario("clustered, 250 entities of 20 rows, 100 positives", 5_000, 0.02, 2.5, 0.3, entities=250),
)
CHANCE = (
    Scenario("rows, 25 positives", 2_500, 0.01, 0.0, 0.3),
    Scenario("rows, 75 positives", 2_500, 0.03, 0.0, 0.3),
    Scenario("clustered, 250 entities of 20 rows, 100 positives", 5_000, 0.02, 0.0, 0.3, entities=250),
)
GAINS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8)


def pair(scenario, gain, generator, tests=1):
    """Labels, raw scores of challenger and champion, entities: the challenger separates by `gain` more."""
    y, shared, entity = scenario.draw(generator, tests)
    own = np.sqrt(1 - AGREEMENT) * generator.normal(size=(2, len(y)))
    centred = np.sqrt(AGREEMENT) * (shared - scenario.separation * y)
    champion = scenario.separation * y + centred + own[0]
    challenger = (scenario.separation + gain) * y + centred + own[1]
    return y, challenger, champion, entity


def promotions(scenario, gain, comparisons, bootstraps, *, opening=1, chance=False):
    """Share of comparisons that promote."""
    promoted = 0
    for comparison in range(comparisons):
        y, challenger, champion, entity = pair(scenario, gain, np.random.default_rng([3, comparison]))
        verdict = judge(
            y,
            challenger,
            None if chance else champion,
            entity=entity,
            spec=GateSpec(),
            opening=opening,
            bootstraps=bootstraps,
            seed=comparison,
        )
        promoted += verdict.decision == "promote"
    return promoted / comparisons


def true_gain(scenario, gain):
    """Difference in average precision that a very large test would show."""
    y, challenger, champion, _ = pair(scenario, gain, np.random.default_rng(1), 1_500_000 // scenario.rows)
    return average_precision(y, challenger) - average_precision(y, champion)


def power(scenario, comparisons, bootstraps):
    """Promotions by true gain, and the gain at which they reach 80 % (linear in between)."""
    curve = []
    for gain in GAINS:
        curve.append(
            {
                "average_precision_gain": round(true_gain(scenario, gain), 4),
                "promotions_percent": round(100 * promotions(scenario, gain, comparisons, bootstraps), 2),
            }
        )
        if curve[-1]["promotions_percent"] > 95:
            break
    shares = [point["promotions_percent"] for point in curve]
    gains = [point["average_precision_gain"] for point in curve]
    reached = round(float(np.interp(80, shares, gains)), 4) if max(shares) >= 80 else None
    return {"scenario": scenario.name, "curve": curve, "gain_at_80_percent_power": reached}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="100 comparisons instead of 1,000")
    parser.add_argument("--bootstraps", type=int, default=300)
    arguments = parser.parse_args()
    comparisons = 100 if arguments.quick else 1_000
    rate = {"comparisons": comparisons, "bootstraps": arguments.bootstraps, "alpha": 0.05}
    rate["agreement_of_noise"] = AGREEMENT

    def rates(scenarios, **options):
        found = [
            {
                "scenario": scenario.name,
                "promotions_percent": round(
                    100 * promotions(scenario, 0.0, comparisons, arguments.bootstraps, **options), 2
                ),
            }
            for scenario in scenarios
        ]
        print(options, found, flush=True)
        return found

    rate["null_first_opening"] = rates(NULL)
    rate["null_second_opening"] = rates(NULL[:1], opening=2)
    rate["chance_without_champion"] = rates(CHANCE, chance=True)
    rate["power_comparisons"] = comparisons // 5
    rate["power"] = []
    for scenario in NULL:
        rate["power"].append(power(scenario, comparisons // 5, arguments.bootstraps))
        print(rate["power"][-1], flush=True)
    record("gate", rate)


if __name__ == "__main__":
    main()
