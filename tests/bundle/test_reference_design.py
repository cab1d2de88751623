"""Design effects of the reference: of independent rows, of days that differ, of entities."""

from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq, minimize
from scipy.special import expit

from minorkey.bundle.reference_design import reference_design
from minorkey.evaluation.implied import implied_mcc
from minorkey.evaluation.metrics import Confusion, matthews_corrcoef

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
        assert np.median(values) < 1.2, figure
        assert np.mean(values) < 1.4, figure


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
    drawn = [days(random, DAYS, **moves) for _ in range(600)]
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
    told = np.mean([effects(*one)[figure] for one in drawn[:200]])
    assert wanted > 1.5
    assert told == pytest.approx(wanted, rel=0.2)


def figures(y: np.ndarray, score: np.ndarray, weight: np.ndarray, prevalence: float) -> dict[str, float]:
    """Every figure itself, of weighted rows; the gap at a share of positives that stays."""
    called = (score >= 0.3).astype(float)
    confusion = Confusion(
        *(
            (weight * cell).sum()
            for cell in (y * called, (1 - y) * called, y * (1 - called), (1 - y) * (1 - called))
        )
    )
    recall = confusion.tp / (confusion.tp + confusion.fn)
    fall_out = confusion.fp / (confusion.fp + confusion.tn)
    x = np.log(score / (1 - score))
    fitted = minimize(
        lambda beta: weight @ (np.logaddexp(0, beta[0] + beta[1] * x) - y * (beta[0] + beta[1] * x)),
        [0.0, 1.0],
        tol=1e-12,
    )
    shift = brentq(lambda shift: weight @ (y - expit(shift + x)), -5, 5)
    return {
        "mcc": float(matthews_corrcoef(confusion)),
        "mcc_gap": float(implied_mcc(prevalence, recall, fall_out)),
        "precision": confusion.tp / (confusion.tp + confusion.fp),
        "recall": recall,
        "specificity": 1 - fall_out,
        "prevalence": (weight @ y) / weight.sum(),
        "calibration_intercept": shift,
        "calibration_slope": float(fitted.x[1]),
    }


def test_a_row_counts_for_as_much_as_it_moves_a_figure() -> None:
    """Of sorted rows half go together in fours: the effects are those of numeric derivatives."""
    random = np.random.default_rng(6)
    x = random.normal(-2.2, 1.5, 300)
    y = (random.random(300) < expit(x)).astype(int)
    alike = np.lexsort((x, y))
    y, score = y[alike], expit(x[alike])
    weight = random.uniform(0.5, 2.0, len(y))
    prevalence = float(weight @ y / weight.sum())
    entity = np.where(random.random(len(y)) < 0.5, np.arange(len(y)), np.arange(len(y)) // 4)
    codes, step = np.unique(entity, return_inverse=True)[1], 1e-4
    moved = {figure: np.empty(len(y)) for figure in FIGURES}
    for row in range(len(y)):
        sides = [weight.copy(), weight.copy()]
        sides[0][row] -= step
        sides[1][row] += step
        low, high = (figures(y, score, one, prevalence) for one in sides)
        for figure in FIGURES:
            moved[figure][row] = weight[row] * (high[figure] - low[figure]) / (2 * step)
    found = effects(y, score, weight=weight, entity=entity, times=None)
    for figure, influence in moved.items():
        sums = np.bincount(codes, influence)
        wanted = (sums**2).sum() / (influence**2).sum() * len(sums) / (len(sums) - 1)
        # The calibration's are taken where it is perfect, which it is but for chance.
        assert found[figure] == pytest.approx(max(1.0, wanted), rel=0.05), figure
    assert min(found.values()) > 1.3


@pytest.mark.parametrize(
    ("moves", "swinging"),
    [
        ({"outcome": 0.7}, ("precision", "prevalence", "calibration_intercept")),
        ({"scores": 1.0}, ("mcc", "mcc_gap", "recall", "calibration_slope")),
    ],
)
def test_figures_that_days_move_have_effects_beyond_chance(
    moves: dict[str, float], swinging: tuple[str, ...]
) -> None:
    found = [effects(*days(np.random.default_rng(seed), DAYS, **moves)) for seed in range(10)]
    for figure in swinging:
        assert np.mean([one[figure] for one in found]) > 1.5, figure


def test_a_memory_of_days_is_seen_as_far_as_periods_reach() -> None:
    """Days with a memory of 0.7: the effect is larger than that of days by themselves, and not yet whole."""
    random = np.random.default_rng(8)
    found, swings = [], []
    for _ in range(100):
        moves = np.zeros(DAYS)
        for day in range(DAYS):
            moves[day] = 0.7 * moves[day - 1] + np.sqrt(1 - 0.7**2) * 0.5 * random.normal()
        y = (random.random((DAYS, ROWS)) < expit(-2 + moves[:, None])).astype(int)
        found.append(effects(y, np.full(y.shape, 0.1))["prevalence"])
        swings.append(y.mean())
    whole = np.var(swings) / (np.mean(swings) * (1 - np.mean(swings)) / (DAYS * ROWS))
    assert 0.3 * whole < np.mean(found) < whole


def test_a_gap_does_not_swing_with_the_prevalence_alone() -> None:
    random = np.random.default_rng(1)
    found = []
    for _ in range(20):
        y = (random.random((DAYS, ROWS)) < 0.1 * np.exp(random.normal(0, 0.5, (DAYS, 1)))).astype(int)
        # Scores by outcome alone: whatever the prevalence, the rates are the same.
        found.append(effects(y, expit(random.normal(-3 + 3 * y, 1))))
    assert np.mean([one["prevalence"] for one in found]) > 3
    assert np.mean([one["mcc_gap"] for one in found]) < 1.3


def test_a_reference_that_drifted_is_not_one_that_swings() -> None:
    """From one day on three times as many positives, of which the model finds half as many."""
    random = np.random.default_rng(5)
    y = (random.random(DAYS * ROWS) < np.repeat([0.05, 0.05, 0.05, 0.15], DAYS * ROWS // 4)).astype(int)
    lost = (random.random(len(y)) < 0.5) & (np.arange(len(y)) >= 0.75 * len(y))
    score = expit(random.normal(-3 + 4 * (y * ~lost), 1))
    found = effects(y, score)
    slices = np.arange(len(y)) // (len(y) // 10)
    plain = effects(y, score, entity=slices, times=None)
    for figure in ("mcc", "recall", "prevalence"):
        assert found[figure] < plain[figure] / 2, figure
    assert plain["recall"] > 10


def test_no_period_is_longer_than_a_week() -> None:
    random = np.random.default_rng(9)
    y = (random.random(DAYS * ROWS) < np.repeat(np.tile([0.05, 0.15], 15), DAYS * ROWS // 30)).astype(int)
    score = np.full(len(y), 0.1)
    # It alternates every thirtieth of the time: within a tenth of it, and seldom within a week of 28 months.
    longer, shorter = (
        effects(y, score, times=np.arange(len(y)) * 86_400.0 / rows)["prevalence"]
        for rows in (ROWS, ROWS / 14)
    )
    assert longer > 1.5 * shorter > 1.5


def test_rows_without_order_have_no_periods() -> None:
    y = np.repeat([0, 1], DAYS * ROWS // 2)
    assert effects(y, np.full(len(y), 0.1), times=np.zeros(len(y)))["prevalence"] == 1


def test_what_cannot_move_has_no_effect() -> None:
    random = np.random.default_rng(7)
    for _ in range(5):
        y = (random.random(2_000) < 0.1).astype(int)
        found = effects(y, np.where(y == 1, 0.9, 0.1), weight=random.uniform(0.1, 3.0, len(y)))
        assert found["mcc"] == found["mcc_gap"] == found["recall"] == found["precision"] == 1


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
