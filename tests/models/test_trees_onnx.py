import numpy as np
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minorkey.models.trees_onnx import LEAF, FittedTrees, Tree, at_most, below

finite = st.floats(allow_nan=False, allow_infinity=False)
finite32 = st.floats(allow_nan=False, allow_infinity=False, width=32)


def neighbours(value: float) -> np.ndarray:
    """Float32 numbers around a value, the value's own among them."""
    with np.errstate(over="ignore"):
        nearest = np.float32(np.clip(value, -3.4e38, 3.4e38))
    low, high = np.nextafter(nearest, np.float32(-np.inf)), np.nextafter(nearest, np.float32(np.inf))
    return np.array([low, nearest, high, 0.0, -0.0], np.float32)


@given(finite)
def test_a_rounded_threshold_decides_as_the_exact_one(threshold):
    x = neighbours(threshold)
    np.testing.assert_array_equal(x <= at_most(threshold), x.astype(np.float64) <= threshold)


@given(finite32)
def test_at_most_the_float_below_is_below(threshold):
    x = neighbours(threshold)
    np.testing.assert_array_equal(x <= below(threshold), x < np.float32(threshold))


def split(feature: int, threshold: float, left: float, right: float) -> Tree:
    return Tree(
        feature=np.array([feature, 0, 0]),
        threshold=np.array([threshold, 0, 0], np.float32),
        left=np.array([1, LEAF, LEAF]),
        right=np.array([2, LEAF, LEAF]),
        value=np.array([0.0, left, right]),
    )


def leaf(value: float) -> Tree:
    return Tree(
        feature=np.array([0]),
        threshold=np.array([0], np.float32),
        left=np.array([LEAF]),
        right=np.array([LEAF]),
        value=np.array([value]),
    )


def scores(trees, features, **how):
    model = FittedTrees(predict=lambda matrix: matrix[:, 0], trees=lambda: trees, features=2, **how)
    session = onnxruntime.InferenceSession(model.to_onnx().SerializeToString())
    return session.run(None, {"features": np.array(features, np.float32)})[0]


def test_leaves_add_up_and_single_leaves_count():
    trees = [split(0, 0.5, 0.1, 0.2), leaf(0.05), split(1, 2.0, 0.0, 0.4)]
    found = scores(trees, [[0.5, 2.0], [0.6, 2.0], [0.6, 2.1]], link="identity")
    np.testing.assert_allclose(found, [0.15, 0.25, 0.65], atol=1e-6)


def test_log_odds_begin_at_the_offset():
    found = scores([leaf(1.0)], [[0.0, 0.0]], link="logit", offset=-3.0)
    np.testing.assert_allclose(found, 1 / (1 + np.exp(2.0)), atol=1e-6)


def test_a_sum_above_one_by_rounding_is_one():
    found = scores([leaf(0.1)] * 10 + [leaf(1e-6)], [[0.0, 0.0]], link="identity")
    assert found[0] == pytest.approx(1.0, abs=0)
