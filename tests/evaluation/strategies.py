"""Hypothesis strategies: labelled, scored and weighted rows with plenty of ties."""

import numpy as np
from hypothesis import strategies as st


@st.composite
def rows(draw, *, least=2, most=60):
    """Labels and weights with both classes; scores on a coarse grid; small whole weights."""
    n = draw(st.integers(least, most))
    y = np.array(draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)), np.int8)
    y[:2] = [0, 1]
    score = np.array(draw(st.lists(st.integers(0, 12), min_size=n, max_size=n))) / 12
    weight = np.array(draw(st.lists(st.integers(0, 4), min_size=n, max_size=n)), np.float64)
    weight[:2] = np.maximum(weight[:2], 1)
    return y, score, weight
