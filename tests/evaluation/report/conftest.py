"""A report's content, made of a simulated study and test."""

import numpy as np
import pytest

from minorkey.evaluation.metrics import METRICS
from minorkey.evaluation.report import Content


def _trial(number: int, rng: np.random.Generator) -> dict:
    family = ("lightgbm", "extra_trees")[number % 2]
    outcome = "pruned" if number % 5 == 4 else "complete"
    return {
        "number": number,
        "part": "final",
        "outcome": outcome,
        "value": None if outcome == "pruned" else float(rng.uniform(0.5, 0.7)),
        "reported": [],
        "fold_scores": [],
        "seconds": 1.5,
        "cpu_seconds": 1.5,
        "error": "",
        "configuration": {
            "family": family,
            "model": {"learning_rate": float(10 ** rng.uniform(-3, 0)), "depth": int(rng.integers(2, 9))},
            "resampler": "smote" if number % 7 == 3 else "none",
            "resampling": {},
            "weight_exponent": float(rng.uniform()),
            "interactions": bool(number % 3),
            "train_window": None,
            "recency_half_life": None,
        },
    }


@pytest.fixture
def content() -> Content:
    rng = np.random.default_rng(0)
    y = (rng.random(4_000) < 0.03).astype(np.int8)
    score = 1 / (1 + np.exp(-(rng.normal(-4, 1, len(y)) + 3 * y)))
    metrics = {name: {"value": 0.5, "low": 0.4, "high": 0.6} for name in METRICS}
    return Content(
        verdict={
            "model": "cards <b>",
            "decision": "promote",
            "reason": "No champion yet, and the candidate ranks far above the base rate.",
            "opening": 1,
            "alpha": 0.0304,
            "confidence": 0.95,
            "intervals_over": "rows",
            "split": "hash",
            "threshold": 0.3,
            "costs": {"false_negative": 10.0, "false_positive": 1.0},
            "champion_version": "3",
            "gate": {"challenger": metrics["average_precision"], "rows": 1_234, "positives": 56},
            "test": {"rows": len(y), "positives": int(y.sum()), "digest": "d1"},
            "metrics": {"test": metrics, "champion": metrics, "baselines": {"prior": metrics}},
            "slices": [
                {
                    "column": "country",
                    "level": "CH",
                    "rows": 100,
                    "positives": 4,
                    **{name: metrics[name] for name in ("average_precision", "recall", "precision")},
                }
            ],
        },
        study={
            "model": "cards",
            "seed": 0,
            "run_key": "abc",
            "versions": {"minorkey": "0.1.0"},
            "configuration": {
                "ships": "fold bag",
                "members": [
                    {
                        "weight": 1.0,
                        "family": "lightgbm",
                        "model": {"depth": 3},
                        "resampler": "smote",
                        "resampling": {"ratio": 0.25},
                        "weight_exponent": 0.6,
                        "interactions": True,
                        "train_window": 14 * 86_400.0,
                    }
                ],
            },
            "metrics": {"validation": dict.fromkeys(METRICS, 0.5)},
            "trials": [_trial(number, rng) for number in range(40)],
        },
        profile={
            "rows": 20_000,
            "positives": 600,
            "imbalance_ratio": 32.3,
            "digest": "abc",
            "gini": 0.058,
            "entropy": 0.19,
            "duplicate_rows": 2,
            "split": {"kind": "hash", "test_rows_also_in_training": 17},
            "columns": {"amount": {"kind": "numeric", "missing": 0.02, "distinct": 900}},
            "left_out": {"scenario": "gives the answer away"},
        },
        y=y,
        raw=score,
        score=score,
        called=score >= 0.3,
        weight=np.ones(len(y)),
    )
