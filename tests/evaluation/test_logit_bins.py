import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from minorkey.errors import ContractError, ShapeError
from minorkey.evaluation.logit_bins import (
    LOGIT_BINS,
    LOGIT_CENTRES,
    fit_logit_bins,
    logit_bin_place,
    logit_bin_places,
)


def counted(seed: int, shift: float, slope: float, n: int = 30_000) -> tuple[np.ndarray, np.ndarray]:
    """Negatives and positives by bin of rows whose true log-odds are shifted and stretched."""
    random = np.random.default_rng(seed)
    logit = random.normal(-3, 1.5, n)
    y = random.random(n) < 1 / (1 + np.exp(-(shift + slope * logit)))
    places = logit_bin_places(1 / (1 + np.exp(-logit)))
    return tuple(np.bincount(places[y == label], minlength=len(LOGIT_BINS)) for label in (False, True))


def test_places_of_scores():
    assert LOGIT_BINS[0] == "-15.75" and LOGIT_BINS[-1] == "9.75" and len(LOGIT_BINS) == 52
    scores = 1 / (1 + np.exp(-LOGIT_CENTRES))
    np.testing.assert_array_equal(logit_bin_places(scores), np.arange(len(LOGIT_BINS)))
    assert logit_bin_places([0.0, 1.0, 0.5]).tolist() == [0, 51, 32]


def test_intercept_and_slope_are_those_of_a_logistic_regression():
    negatives, positives = counted(0, 0.4, 0.8)
    found = fit_logit_bins(negatives, positives)
    x = np.tile(LOGIT_CENTRES, 2)[:, None]
    y = np.repeat([0, 1], len(LOGIT_CENTRES))
    fitted = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1_000)
    fitted.fit(x, y, sample_weight=np.concatenate([negatives, positives]))
    assert found.slope == pytest.approx(fitted.coef_[0, 0], abs=1e-4)
    # With the slope held at 1, the fit has as many positives as there were.
    promised = 1 / (1 + np.exp(-(found.intercept + LOGIT_CENTRES)))
    assert ((negatives + positives) * promised).sum() == pytest.approx(positives.sum())


def test_intervals_hold_what_is_true():
    held = np.zeros(2)
    for seed in range(60):
        found = fit_logit_bins(*counted(seed, 0.0, 1.0, 4_000))
        errors = np.array([found.intercept, found.slope - 1])
        held += np.abs(errors) <= 1.96 * np.sqrt([found.intercept_variance, found.slope_variance])
    assert (held >= 50).all()


@pytest.mark.parametrize("prevalence", [2e-3, 1e-4, 2e-5])
def test_rare_positives_do_not_make_true_probabilities_look_wrong(prevalence):
    random = np.random.default_rng(0)
    middle, distance = np.log(prevalence / (1 - prevalence)), 4.0
    draws = [
        1 / (1 + np.exp(-random.normal(middle + side * distance**2 / 2, distance, 500_000)))
        for side in (-1, 1)
    ]
    rows = 200 / prevalence
    counts = [
        np.bincount(logit_bin_places(scores), minlength=len(LOGIT_BINS)) * share * rows / len(scores)
        for scores, share in zip(draws, (1 - prevalence, prevalence), strict=True)
    ]
    found = fit_logit_bins(*counts)
    assert abs(found.intercept) < 0.1 and abs(found.slope - 1) < 0.1


def test_weights_enlarge_the_variances():
    once, twice = (fit_logit_bins(*counted(0, 0.0, 1.0), design_effect=effect) for effect in (1.0, 2.0))
    assert twice.intercept_variance == pytest.approx(2 * once.intercept_variance)
    assert (twice.intercept, twice.slope) == (once.intercept, once.slope)


def test_scores_that_do_not_differ_tell_no_slope():
    rows = np.zeros(len(LOGIT_BINS))
    rows[10] = 100
    found = fit_logit_bins(rows, rows / 50)
    assert np.isnan(found.slope) and np.isfinite(found.intercept)


def test_what_cannot_be_fitted_is_refused():
    with pytest.raises(ShapeError):
        fit_logit_bins([1.0], [1.0])
    with pytest.raises(ContractError):
        fit_logit_bins(np.ones(len(LOGIT_BINS)), np.zeros(len(LOGIT_BINS)))


def test_one_score_goes_where_it_goes_among_others() -> None:
    scores = np.r_[0.0, 1.0, 0.5, np.random.default_rng(0).random(500) ** 8]
    assert [logit_bin_place(score) for score in scores.tolist()] == logit_bin_places(scores).tolist()
    assert logit_bin_place(float("nan")) == 0
