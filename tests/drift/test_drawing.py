"""P-values from draws are valid, end early where they may, and give way to a closed form where too small."""

import numpy as np
import pandas as pd
import pytest

from minorkey.drift.two_sample import Sample, two_sample_test
from minorkey.drift.two_sample.drawing import drawn_p_value


def drawing(truth: float, seed: int, drawn: list[int] | None = None):
    """Draws that reach the statistic with a probability."""
    random = np.random.default_rng(seed)

    def reach(number: int):
        if drawn is not None:
            drawn.append(number)
        return random.random(number) < truth

    return reach


@pytest.mark.parametrize("most", [99, 999, 4_999])
def test_a_level_is_reached_as_often_as_it_says(most):
    truths = np.random.default_rng(most).random(4_000)
    p_values = np.array([drawn_p_value(drawing(u, seed), most) for seed, u in enumerate(truths)])
    for level in (0.01, 0.02, 0.05, 0.1, 0.5):
        three_errors = 3 * np.sqrt(level * (1 - level) / len(truths))
        assert abs(np.mean(p_values <= level) - level) <= three_errors


def test_draws_end_where_the_p_value_is_known_and_go_on_where_it_is_small():
    drawn: list[int] = []
    assert drawn_p_value(drawing(0.5, 0, drawn), 99_999) == pytest.approx(0.5, abs=0.2)
    assert sum(drawn) <= 200
    drawn.clear()
    assert drawn_p_value(drawing(0.0, 0, drawn), 9_999) == 1 / 10_000
    assert sum(drawn) == 9_999


def test_a_bound_counts_only_below_what_draws_can_tell():
    def no_draw(number: int):
        raise AssertionError("nothing was to be drawn")

    assert drawn_p_value(no_draw, 999, bound=1e-9) == 1e-9
    assert drawn_p_value(drawing(0.0, 0), 999, bound=0.002) == 0.001


@pytest.mark.parametrize("n, m", [(40, 60), (2_500, 2_000)])
def test_ks_with_ties_never_tells_less_than_permutations_would(n, m):
    """The closed form without ties, which is the answer where draws are too few, lies above."""
    for seed in range(3):
        random = np.random.default_rng(seed)
        shift = 3.5 / np.sqrt(n * m / (n + m))
        a, b = (Sample(pd.DataFrame({"x": random.poisson(2 + s, k) * 1.0})) for s, k in ((0, n), (shift, m)))
        few, many = (
            two_sample_test("ks").drawing(draws).compare(a, b, seed=0).p_value for draws in (1, 9_999)
        )
        assert few >= many
