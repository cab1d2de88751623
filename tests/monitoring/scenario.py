"""A small reference and counts, written out, so that the committed test files never change by themselves."""

from typing import Any

import numpy as np

from minorkey.bundle.null_quantiles import QUANTILES, WINDOWS
from minorkey.evaluation.logit_bins import LOGIT_BINS
from tests.monitoring.counts import Counts


def _null(psi: float, jensen_shannon: float) -> dict[str, list[list[float]]]:
    """Quantiles that shrink with the window as chance does."""
    return {
        name: [[median * 500 / rows, 2.5 * median * 500 / rows] for rows in WINDOWS]
        for name, median in (("psi", psi), ("jensen_shannon", jensen_shannon))
    }


REFERENCE: dict[str, Any] = {
    "rows": 4_000,
    "features": {
        "amount": {
            "kind": "numeric",
            "bins": ["00", "01", "02", "missing"],
            "fractions": [0.25, 0.5, 0.125, 0.125],
            "null": _null(0.008, 0.0015),
        },
        "country": {
            "kind": "categorical",
            "bins": ["NL", 'B"E', "missing", "other"],
            "fractions": [0.625, 0.25, 0.125, 0.0],
            "null": _null(0.0125, 0.00225),
        },
    },
    "score": {
        "kind": "numeric",
        "bins": ["00", "01", "02", "missing"],
        "fractions": [0.5, 0.375, 0.125, 0.0],
        "null": _null(0.01, 0.00175),
    },
    "null": {
        "windows": list(WINDOWS),
        "quantiles": list(QUANTILES),
        "largest": {"psi": [[0.5, 1.5]] * 4, "jensen_shannon": [[0.5, 1.375]] * 4},
    },
    "rates": {
        "prevalence": 0.0625,
        "true_positive": 0.75,
        "false_positive": 0.03125,
        "true_positive_variance": 0.00075,
        "false_positive_variance": 0.0000075,
    },
    "design": {
        "mcc": 1.25,
        "mcc_gap": 1.5,
        "precision": 1.125,
        "recall": 1.75,
        "prevalence": 2.0,
        "calibration_intercept": 1.375,
        "calibration_slope": 1.0625,
    },
}


def _logits() -> np.ndarray:
    table = np.zeros((len(LOGIT_BINS), 2))
    for name, negatives, positives in (
        ("-6.75", 900, 2),
        ("-4.25", 900, 12),
        ("-3.25", 400, 16),
        ("-1.75", 160, 24),
        ("-0.25", 60, 52),
        ("1.25", 24, 94),
    ):
        table[LOGIT_BINS.index(name)] = negatives, positives
    return table


COUNTS = Counts(
    features={"amount": np.array([900, 1000, 500, 244.0]), "country": np.array([1500, 700, 404, 40.0])},
    score=np.array([1200, 1000, 444, 0.0]),
    expected=np.array([[2300.5, 59.5], [100.25, 183.75]]),
    outcome=np.array([[2360, 54], [84, 146.0]]),
    square=np.array([[2360, 54], [84, 146.0]]),
    labels=np.array([2444, 200.0]),
    logits=_logits(),
    requests={"200": 2000, "400": 30, "500": 8},
    seconds=np.array([1000, 800, 200, 38, 0.0]),
    reference=REFERENCE,
)
