"""The chosen threshold against the best one in hindsight, and against 0.5, by Matthews correlation.

``python -m benchmarks.thresholds [--quick]``; about fifteen minutes on one core. Simulated scores, and the
real data of MINORKEY_DATA where present.
"""

import argparse

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.binormal import Scenario
from benchmarks.recording import data_folder, record
from benchmarks.resampled_t_test import corrected_t_test
from minorkey.evaluation.calibration import fit_calibration
from minorkey.evaluation.metrics import Confusion, compute_metrics, matthews_corrcoef
from minorkey.evaluation.ranking import Ranking
from minorkey.evaluation.thresholds import choose_threshold
from minorkey.spec import ThresholdSpec

TARGETS = {
    "adult": "income",
    "phoneme": "target",
    "electricity": "class",
    "mammography": "target",
    "oil_spill": "target",
}
MOST_ROWS = 15_000
TEST_SHARE = 0.3
#: With so few test positives one split says little: four times as many splits.
FEW = 300
MODELS = {
    "gradient boosting": lambda seed: HistGradientBoostingClassifier(random_state=seed),
    "random forest": lambda seed: RandomForestClassifier(100, min_samples_leaf=2, random_state=seed),
    "weighted logistic regression": lambda _: make_pipeline(
        StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=500)
    ),
}
SIMULATED = (
    Scenario("simulated, 300 test positives", 15_000, 0.02, 2.5, 0.3),
    Scenario("simulated, 300 test positives, weak", 15_000, 0.02, 1.5, 0.3),
    Scenario("simulated, 60 test positives", 3_000, 0.02, 2.5, 0.3),
)


def read(name):
    """Numbers and labels of a data set, at most `MOST_ROWS` rows."""
    frame = pd.read_csv(data_folder() / f"{name}.csv")
    target = frame.pop(TARGETS[name])
    y = (target == target.value_counts().index[-1]).to_numpy(np.int8)
    for column in frame.columns:
        if not pd.api.types.is_numeric_dtype(frame[column]):
            frame[column] = frame[column].astype("category").cat.codes
    rows = np.random.default_rng(0).permutation(len(y))[:MOST_ROWS]
    return frame.fillna(frame.median()).to_numpy(np.float64)[rows], y[rows]


def out_of_fold(model, x, y, x_test, seed):
    """Out-of-fold scores, folds, and the fold bag's scores of the test."""
    folds, scores, bagged = np.empty(len(y), int), np.empty(len(y)), np.zeros(len(x_test))
    splitter = StratifiedKFold(5, shuffle=True, random_state=seed)
    for fold, (train, held) in enumerate(splitter.split(x, y)):
        fitted = MODELS[model](seed).fit(x[train], y[train])
        folds[held], scores[held] = fold, fitted.predict_proba(x[held])[:, 1]
        bagged += fitted.predict_proba(x_test)[:, 1] / 5
    return scores, folds, np.clip(bagged, 0, 1)


def correlations(y, score):
    """Matthews correlation at each threshold worth trying, and those thresholds."""
    ranking = Ranking.of(y, score)
    cuts = ranking.cuts(np.ones((1, len(y))))
    tp, fp = cuts.true_positives[0], (cuts.predicted - cuts.true_positives)[0]
    fn = y.sum() - tp
    return matthews_corrcoef(Confusion(tp, fp, fn, len(y) - tp - fp - fn)), ranking.score[ranking.last]


def oracle(y, score):
    """The highest Matthews correlation that any threshold has on these rows."""
    return float(correlations(y, score)[0].max())


def best_threshold(y, score):
    """The threshold of the highest Matthews correlation on these rows."""
    values, thresholds = correlations(y, score)
    return float(thresholds[np.argmax(values)])


def compared(y, raw, folds, y_test, raw_test, seed):
    """Matthews correlation on the test: chosen, best in hindsight, and raw scores at 0.5."""
    calibration, crossed = fit_calibration(y, raw, groups=folds)
    threshold = choose_threshold(y, crossed, ThresholdSpec(), seed=seed)
    score = calibration.apply(raw_test)
    return (
        compute_metrics(y_test, raw_test, score, threshold)["matthews_corrcoef"],
        oracle(y_test, score),
        compute_metrics(y_test, raw_test, raw_test, 0.5)["matthews_corrcoef"],
    )


def summary(name, positives, triples, test_share):
    """Figures of a case; a gain over 0.5 with the interval of the corrected resampled t-test.

    Args:
        test_share: test rows divided by training rows; 0 where every repeat has rows of its own.
    """
    chosen, best, half = np.array(triples).T
    gain = corrected_t_test(chosen - half, test_share)
    return {
        "case": name,
        "test_positives": int(positives),
        "repeats": len(triples),
        "percent_of_oracle": round(100 * float(chosen.sum() / best.sum()), 2),
        "matthews_corrcoef": round(float(chosen.mean()), 4),
        "at_one_half": round(float(half.mean()), 4),
        "gain_over_one_half": {name: round(value, 4) for name, value in gain.items()},
    }


def real(name, repeats):
    x, y = read(name)
    triples = {model: [] for model in MODELS}
    repeats = 4 * repeats if y.sum() * TEST_SHARE < FEW else repeats
    for seed in range(repeats):
        x_train, x_test, y_train, y_test = train_test_split(
            x, y, test_size=TEST_SHARE, stratify=y, random_state=seed
        )
        for model in MODELS:
            raw, folds, raw_test = out_of_fold(model, x_train, y_train, x_test, seed)
            triples[model].append(compared(y_train, raw, folds, y_test, raw_test, seed))
    share = TEST_SHARE / (1 - TEST_SHARE)
    return [summary(f"{name}, {model}", y_test.sum(), found, share) for model, found in triples.items()]


def simulated(scenario, repeats):
    """As `real`, beside the threshold that is best on 1,000,000 rows: no rule does better on average."""
    y, latent, _ = scenario.draw(np.random.default_rng(1), 1_000_000 // scenario.rows)
    ideal = best_threshold(y, scenario.probability(latent))
    triples, positives, at_ideal = [], [], []
    for seed in range(repeats):
        generator = np.random.default_rng([4, seed])
        (y, latent, _), (y_test, latent_test, _) = scenario.draw(generator, 3), scenario.draw(generator)
        folds = generator.integers(0, 5, len(y))
        raw, raw_test = scenario.probability(latent), scenario.probability(latent_test)
        triples.append(compared(y, raw, folds, y_test, raw_test, seed))
        at_ideal.append(compute_metrics(y_test, raw_test, raw_test, ideal)["matthews_corrcoef"])
        positives.append(y_test.sum())
    best = sum(triple[1] for triple in triples)
    found = summary(scenario.name, np.mean(positives), triples, 0.0)
    return found | {"percent_at_true_optimum": round(100 * float(sum(at_ideal)) / best, 2)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quick",
        action="store_true",
        help="2 repeats instead of 5 (5 for 20 where positives are few or simulated)",
    )
    arguments = parser.parse_args()
    cases = [simulated(scenario, 5 if arguments.quick else 20) for scenario in SIMULATED]
    for name in TARGETS:
        cases += real(name, 2 if arguments.quick else 5)
    many = [case for case in cases if case["test_positives"] >= FEW and "percent_at_true_optimum" not in case]
    few = [case for case in cases if case["test_positives"] < FEW and "percent_at_true_optimum" not in case]
    gains = [case["gain_over_one_half"]["mean"] for case in few]
    worse = [case["case"] for case in cases if case["gain_over_one_half"]["high"] < 0]
    figures = {
        "cases": cases,
        "lowest_percent_of_oracle_with_300_positives": min(case["percent_of_oracle"] for case in many),
        "mean_gain_over_one_half_with_fewer": round(float(np.mean(gains)), 4),
        "worse_than_one_half": worse,
    }
    record("thresholds", figures)


if __name__ == "__main__":
    main()
