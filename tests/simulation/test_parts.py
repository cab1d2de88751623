"""Each drift changes one thing and keeps the others; courses and labels do what they say."""

import numpy as np
import pytest

from minorkey.errors import SpecError
from minorkey.simulation.course import Course
from minorkey.simulation.drifts import drawn, feature_to_move_by, standardised
from minorkey.simulation.labels import LabelPlan
from tests.data.rows import make_dataset

DATA = make_dataset(20_000, positives=2_000)
ROWS = np.arange(20_000)
NOISE = DATA.features["noise"].to_numpy()


def drift(name: str, amount: float, feature: str = "noise"):
    z = standardised(DATA, feature)
    return drawn(DATA.y, ROWS, name, z, amount, np.random.default_rng(0))


@pytest.mark.parametrize("name", ["none", "covariate", "prior", "concept"])
def test_without_intensity_nothing_moves(name: str) -> None:
    block = drift(name, 0.0)
    assert np.array_equal(block.rows, ROWS) and np.array_equal(block.y, DATA.y)


def test_covariate_drift_moves_the_feature_and_keeps_the_labels_of_rows() -> None:
    block = drift("covariate", 0.5)
    assert NOISE[block.rows].mean() == pytest.approx(NOISE.mean() + 0.5 * NOISE.std(), abs=0.05)
    assert np.array_equal(block.y, DATA.y[block.rows])
    assert block.y.mean() == pytest.approx(DATA.y.mean(), abs=0.01)


def test_prior_drift_multiplies_the_odds_and_keeps_each_class() -> None:
    block = drift("prior", np.log(3.0))
    odds = block.y.mean() / (1 - block.y.mean())
    assert odds == pytest.approx(3 * 0.1 / 0.9, rel=0.05)
    signal = DATA.features["signal"].to_numpy()
    for label in (0, 1):
        kept, before = signal[block.rows][block.y == label], signal[DATA.y == label]
        assert kept.mean() == pytest.approx(before.mean(), abs=0.05)


def test_concept_drift_keeps_rows_and_share_and_moves_who_is_positive() -> None:
    block = drift("concept", 0.6)
    assert np.array_equal(block.rows, ROWS)
    assert block.y.sum() == DATA.y.sum()
    assert (DATA.y[block.y == 1] == 1).mean() == pytest.approx(0.4, abs=0.05)
    moved = (block.y == 1) & (DATA.y == 0)
    assert NOISE[moved].min() >= np.quantile(NOISE, 0.9)


def test_a_drift_goes_by_a_numeric_feature() -> None:
    assert feature_to_move_by(DATA, "covariate", "") == "signal"
    assert feature_to_move_by(DATA, "prior", "") == ""
    for name, feature in (("concept", "kind"), ("covariate", "absent"), ("sideways", "")):
        with pytest.raises(SpecError) as caught:
            feature_to_move_by(DATA, name, feature)
        assert caught.value.allowed


def test_courses() -> None:
    at = [0.0, 0.3, 0.45, 0.5, 0.55, 0.7, 0.95]
    assert [Course("abrupt", 0.4, 0.6).intensity(u) for u in at] == [0, 0, 1, 1, 1, 1, 1]
    assert [Course("recurring", 0.4, 0.6).intensity(u) for u in at] == [0, 0, 1, 1, 1, 0, 1]
    gradual = [Course("gradual", 0.4, 0.6).intensity(u) for u in at]
    assert gradual == pytest.approx([0, 0, 0.25, 0.5, 0.75, 1, 1])
    with pytest.raises(SpecError):
        Course("abrupt", 0.7, 0.6)


@pytest.mark.parametrize(
    ("policy", "y", "predicted", "content"),
    [
        ("full", 1, 0, {"label": 1}),
        ("full", 0, 1, {"label": 0}),
        ("delayed_positive", 1, 0, {"label": 1}),
        ("delayed_positive", 0, 1, None),
        ("selective", 1, 0, {"label": 1}),
        ("selective", 0, 0, None),
    ],
)
def test_which_label_comes(policy: str, y: int, predicted: int, content: dict[str, int] | None) -> None:
    planned = LabelPlan(policy, delay=60.0).label("r", y, predicted, np.random.default_rng(0))
    if content is None:
        assert planned is None
    else:
        assert planned is not None and planned[1] == {"id": "r", **content}
        assert planned[0] == 60.0 if not y else 0 <= planned[0] <= 60.0


def test_a_stopped_row_tells_its_outcome_in_the_audit_slice_alone() -> None:
    plan, random = LabelPlan("selective", audit=0.2), np.random.default_rng(0)
    told = [plan.label("r", 1, 1, random) for _ in range(2_000)]
    audited = [one[1] for one in told if one is not None and "label" in one[1]]
    assert len(audited) / 2_000 == pytest.approx(0.2, abs=0.03)
    assert all(one["propensity"] == 0.2 for one in audited)
    assert all(one[1].get("intervened") for one in told if one is not None and "label" not in one[1])
