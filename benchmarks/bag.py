"""Calibrator and threshold come from five fold models: how well do they fit the mean of the five that ships?

``python -m benchmarks.bag [--seeds 12]``; about five minutes on one core. Simulated rows; each test row is
scored by one of the fold models at random, as out-of-fold rows are, and by the mean of all five, which ships.
"""

import argparse
import time

import numpy as np
from sklearn.model_selection import StratifiedKFold

from benchmarks.recording import record
from benchmarks.thresholds import MODELS, oracle
from minorkey.evaluation.calibration import clipped_logit, fit_calibration, fit_platt, log_loss, sigmoid
from minorkey.evaluation.metrics import compute_metrics
from minorkey.evaluation.thresholds import choose_threshold
from minorkey.spec import ThresholdSpec

TRAIN, TEST, FOLDS = 5_000, 50_000, 5


def draw(n, generator):
    """Ten numbers, of which five tell: two alone, one bent, two together; about 5 % positives."""
    x = generator.normal(size=(n, 10))
    told = 1.3 * x[:, 0] + 0.9 * x[:, 1] + 0.7 * x[:, 2] ** 2 + 0.9 * x[:, 3] * x[:, 4]
    return x, (generator.random(n) < sigmoid(told - 5.3)).astype(np.int8)


def judged(y, raw, calibration, threshold):
    """How well the calibrator and the threshold fit these scores."""
    score = calibration.apply(raw)
    weight, truth = np.ones(len(y)), y == 1
    again = fit_platt(y, score)
    reached = compute_metrics(y, raw, score, threshold)["matthews_corrcoef"]
    return {
        "matthews_corrcoef": reached,
        "log_loss": log_loss(truth, score, weight),
        "alert_share": float(np.mean(score >= threshold)),
        "mean_over_base_rate": float(score.mean() / y.mean()),
        "slope_of_a_recalibration": again.parameters.get("slope", np.nan),
        "log_loss_lost_to_recalibration": log_loss(truth, score, weight)
        - log_loss(truth, again.apply(score), weight),
        "percent_of_oracle": 100 * reached / oracle(y, score),
        "spread_of_logits": float(clipped_logit(raw).std()),
    }


def one(model, seed):
    generator = np.random.default_rng([7, seed])
    (x, y), (x_test, y_test) = draw(TRAIN, generator), draw(TEST, generator)
    folds, oof, tests = np.empty(TRAIN, int), np.empty(TRAIN), np.empty((FOLDS, TEST))
    splitter = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    for fold, (train, held) in enumerate(splitter.split(x, y)):
        fitted = MODELS[model](seed).fit(x[train], y[train])
        folds[held], oof[held] = fold, fitted.predict_proba(x[held])[:, 1]
        tests[fold] = fitted.predict_proba(x_test)[:, 1]
    calibration, crossed = fit_calibration(y, oof, groups=folds)
    threshold = choose_threshold(y, crossed, ThresholdSpec(), seed=seed)
    single = tests[generator.integers(0, FOLDS, TEST), np.arange(TEST)]
    return {
        "single": judged(y_test, single, calibration, threshold),
        "bag": judged(y_test, tests.mean(axis=0), calibration, threshold),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=12)
    seeds, started = range(parser.parse_args().seeds), time.monotonic()
    found = {}
    for model in MODELS:
        runs = [one(model, seed) for seed in seeds]
        found[model] = {
            kind: {
                name: round(float(np.mean([run[kind][name] for run in runs])), 5) for name in runs[0][kind]
            }
            for kind in ("single", "bag")
        }
    record("bag", found, started=started)


if __name__ == "__main__":
    main()
