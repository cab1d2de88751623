"""Design effects of the reference: of independent rows, of days that differ, of entities."""

from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from minorkey.bundle.reference_design import reference_design

FIGURES = {
    "mcc",
    "mcc_gap",
    "precision",
    "recall",
    "specificity",
    "prevalence",
    "calibration_intercept",
    "calibration_slope",
}
DAYS, ROWS = 60, 400


def days(random: np.random.Generator, n: int, **moves: float) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes and scores, day by day; a day moves the log-odds of an outcome, or the positives' scores."""
    score = expit(random.normal(-3.5, 2, (n, ROWS)))
    logit = np.log(score / (1 - score)) + random.normal(0, moves.get("outcome", 0.0), (n, 1))
    y = (random.random((n, ROWS)) < expit(logit)).astype(int)
    score = expit(np.log(score / (1 - score)) + y * random.normal(0, moves.get("scores", 0.0), (n, 1)))
    return y, score


def recall(y: np.ndarray, score: np.ndarray) -> float:
    return float((score >= 0.3)[y == 1].mean())


def effects(y: np.ndarray, score: np.ndarray, **roles: Any) -> dict[str, float]:
    roles.setdefault("times", np.arange(y.size))
    return reference_design(y.ravel(), score.ravel(), 0.3, **roles)


def test_independent_rows_have_hardly_any() -> None:
    found = [effects(*days(np.random.default_rng(seed), DAYS)) for seed in range(40)]
    assert set(found[0]) == FIGURES
    for figure in FIGURES:
        values = [one[figure] for one in found]
        assert min(values) == 1.0
        assert np.mean(values) < 1.3, figure


@pytest.mark.parametrize(
    ("moves", "figure"),
    [
        ({"outcome": 0.5}, "prevalence"),
        ({"outcome": 0.5}, "calibration_intercept"),
        ({"scores": 1.0}, "recall"),
    ],
)
def test_days_that_differ_enlarge_a_figure_by_as_much_as_it_swings(
    moves: dict[str, float], figure: str
) -> None:
    """Against the variance over many references that are drawn alike, beside that of independent rows."""
    random = np.random.default_rng(0)
    drawn = [days(random, DAYS, **moves) for _ in range(300)]
    of = {
        "prevalence": lambda y, score: float(y.mean()),
        "recall": recall,
        "calibration_intercept": lambda y, score: float((y - score).mean()),
    }[figure]
    swings = np.var([of(*one) for one in drawn])
    y, score = (np.concatenate(parts) for parts in zip(*drawn, strict=True))
    if figure == "recall":
        rows = {"recall": recall(y, score) * (1 - recall(y, score)) / y.sum() * len(drawn)}
    else:
        rows = {
            "prevalence": y.mean() * (1 - y.mean()) / (DAYS * ROWS),
            "calibration_intercept": np.var(y - score) / (DAYS * ROWS),
        }
    wanted = swings / rows[figure]
    told = np.mean([effects(*one)[figure] for one in drawn[:100]])
    assert wanted > 1.5
    assert told == pytest.approx(wanted, rel=0.25)


def test_a_gap_does_not_swing_with_the_prevalence_alone() -> None:
    random = np.random.default_rng(1)
    found = []
    for _ in range(20):
        y = (random.random((DAYS, ROWS)) < 0.1 * np.exp(random.normal(0, 0.5, (DAYS, 1)))).astype(int)
        # Scores by outcome alone: whatever the prevalence, the rates are the same.
        found.append(effects(y, expit(random.normal(-3 + 3 * y, 1))))
    assert np.mean([one["prevalence"] for one in found]) > 3
    assert np.mean([one["mcc_gap"] for one in found]) < 1.3


def test_what_swings_more_slowly_than_a_week_is_no_noise() -> None:
    """Half of a long reference differs from the other half: that is drift, and not the usual swing."""
    random = np.random.default_rng(5)
    y = (random.random(DAYS * ROWS) < np.repeat([0.05, 0.2], DAYS * ROWS // 2)).astype(int)
    score = np.full(len(y), 0.1)
    within, beyond = (
        effects(y, score, times=np.arange(len(y)) * 86_400.0 / rows)["prevalence"]
        for rows in (ROWS, ROWS / 20)
    )
    assert within > 10 * beyond > 10


def test_rows_that_come_threefold_count_as_one() -> None:
    y, score = (part.ravel() for part in days(np.random.default_rng(2), DAYS))
    entity = np.repeat(np.arange(len(y)), 3)
    found = effects(np.repeat(y, 3), np.repeat(score, 3), entity=entity, times=None)
    assert found == {figure: pytest.approx(3, rel=1e-3) for figure in FIGURES}


def test_the_order_of_the_rows_does_not_matter() -> None:
    random = np.random.default_rng(3)
    y, score = (part.ravel() for part in days(random, DAYS, outcome=0.5))
    times, turned = np.arange(len(y)), random.permutation(len(y))
    assert effects(y[turned], score[turned], times=times[turned]) == pytest.approx(effects(y, score))


def test_a_weight_is_what_equal_rows_weigh() -> None:
    y, score = (part.ravel() for part in days(np.random.default_rng(4), DAYS, outcome=0.5))
    assert effects(y, score, weight=np.full(len(y), 7.0)) == pytest.approx(effects(y, score))


@pytest.mark.parametrize(
    ("y", "score"),
    [([], []), ([1], [0.9]), ([0] * 50, [0.1] * 50), ([1] * 50, [0.9] * 50), ([0, 1] * 25, [0.1] * 50)],
)
def test_what_rows_do_not_tell_is_one(y: list[int], score: list[float]) -> None:
    found = reference_design(y, score, 0.5, times=np.arange(len(y)), entity=np.arange(len(y)) // 2)
    assert set(found) == FIGURES
    assert np.isfinite(list(found.values())).all() and min(found.values()) >= 1
    assert found["mcc"] == 1
