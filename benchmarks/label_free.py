"""Performance without labels: how far the estimates lie from the truth, under each kind of drift.

    python -m benchmarks.label_free [--quick]

Windows of 2,000 and 10,000 rows of the streams of `benchmarks.detection_streams`, drifted by the product's
own simulator. The estimate (CBPE) is compared with what the outcomes then show, in Matthews correlation and
precision: mean error (bias) with its 95 % interval over windows, mean absolute error, the 2.5 and 97.5 %
quantiles of the error, and the share of windows whose true figure lies within the estimate's own 95 %
interval. Under prior shift the plain estimate stands beside the one that is told the new prevalence. Under a
change of concept no estimate without labels can know, and the figures show by how much it is wrong.
"""

import argparse
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.detection_streams import DAY, KINDS, Pool, electricity, generated
from benchmarks.recording import optional_data_folder, record
from minorkey.drift.performance import PriorShift, estimate_performance
from minorkey.evaluation.metrics import Confusion, matthews_corrcoef
from minorkey.simulation.drifts import drawn

SIZES = (2_000, 10_000)
FIGURES = ("matthews_corrcoef", "precision")
KNOWN = "the prevalence is known"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="40 windows of each sort instead of 200")
    asked = parser.parse_args()
    started = time.monotonic()
    windows = 40 if asked.quick else 200
    pools = {"generated": generated()}
    folder = optional_data_folder()
    if folder is not None:
        pools["electricity"] = electricity(folder)
    result: dict[str, Any] = {"windows": windows}
    for name, pool in pools.items():
        result[name] = [
            found
            for kind, strength in [("none", 0.0), *((kind, one) for kind in KINDS for one in KINDS[kind])]
            for rows in SIZES
            for found in errors(pool, kind, float(strength), rows, windows)
        ]
        print(f"\n{name:<40} {'rows':>6}  MCC: bias, absolute, covered;  precision: the same")
        for one in result[name]:
            print(shown(one), flush=True)
    record("label_free", result, started=started)


def errors(pool: Pool, kind: str, strength: float, rows: int, windows: int) -> list[dict[str, Any]]:
    """One row of the table; two under prior shift."""
    ways = ["", KNOWN] if kind == "prior" else [""]
    found: dict[str, list[tuple[float, ...]]] = {way + figure: [] for way in ways for figure in FIGURES}
    names = list(pool.z)
    for window in range(windows):
        random = np.random.default_rng([window, rows, 4])
        base = pool.base(random, -(-rows // DAY)).ravel()[:rows]
        block = drawn(pool.outcomes(random), base, kind, pool.z[names[window % len(names)]], strength, random)
        called, y = pool.called[block.rows], block.y
        table = np.bincount(2 * called + y, minlength=4).reshape(2, 2).astype(float)
        truth = {
            "matthews_corrcoef": float(
                matthews_corrcoef(Confusion(*(table[place].reshape(1) for place in _CELLS)))[0]
            ),
            "precision": float(table[1, 1] / max(1.0, table[1].sum())),
        }
        for way in ways:
            prior = PriorShift(pool.rates["prevalence"], float(y.mean())) if way else None
            told = estimate_performance(pool.score[block.rows], called, prior=prior, draws=199, seed=window)
            for figure in FIGURES:
                one = told[figure]
                inside = one.low <= truth[figure] <= one.high
                found[way + figure].append((one.value - truth[figure], truth[figure], float(inside)))
    return [
        {"drift": kind, "strength": round(strength, 3), "rows": rows, "way": way or "from the scores alone"}
        | {figure: summary(found[way + figure]) for figure in FIGURES}
        for way in ways
    ]


#: True and false positives, false and true negatives: by decision and outcome.
_CELLS = ((1, 1), (1, 0), (0, 1), (0, 0))


def summary(values: Sequence[tuple[float, ...]]) -> dict[str, Any]:
    """Of errors, true figures and whether the interval held them."""
    error, truth, inside = np.array(values).T
    half = 1.96 * error.std(ddof=1) / np.sqrt(len(error))
    low, high = np.quantile(error, [0.025, 0.975])
    return {
        "truth": round(float(truth.mean()), 3),
        "bias": round(float(error.mean()), 4),
        "bias_95": [round(float(error.mean() + side * half), 4) for side in (-1, 1)],
        "mean_absolute_error": round(float(np.abs(error).mean()), 4),
        "error_95": [round(float(low), 3), round(float(high), 3)],
        "covered": round(float(inside.mean()), 3),
    }


def shown(one: dict[str, Any]) -> str:
    """A row as text."""
    head = f"{one['drift']} {one['strength']:g}, {one['way']}"
    figures = (
        f"{told['bias']:>+8.3f} {told['mean_absolute_error']:>7.3f} {told['covered']:>6.2f}"
        for told in (one[figure] for figure in FIGURES)
    )
    return f"{head:<40} {one['rows']:>6} {';'.join(figures)}"


if __name__ == "__main__":
    main()
