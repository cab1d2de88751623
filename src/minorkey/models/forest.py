"""What the three forests share: how they grow, how many trees, and how scikit-learn's trees are read."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution

from minorkey.data.dataset import Labels
from minorkey.models.family import Facts, Matrix, Weights
from minorkey.models.trees_onnx import FittedTrees, Tree, at_most

__all__ = ["MAX_FEATURES", "forest_space", "grow_forest", "smallest_leaf", "tree_count"]

#: Columns tried at each split: the square root of their number, or a share of them.
MAX_FEATURES: tuple[str | float, ...] = ("sqrt", 0.3, 0.6, 1.0)


def tree_count(rows: int) -> int:
    """Trees of a forest. More never hurts the score, only time and bytes, so it is not searched.

    Source: Probst and Boulesteix (2018), "To tune or not to tune the number of trees".
    """
    if rows <= 20_000:
        return 300
    return 160 if rows <= 200_000 else 80


def smallest_leaf(rows: int) -> int:
    """The smallest leaf worth a try: keeps a tree of many rows within some 25,000 leaves."""
    return max(1, rows // 25_000)


def forest_space(facts: Facts) -> dict[str, BaseDistribution]:
    """The space of a forest that sees every row."""
    low = smallest_leaf(facts.rows)
    return {
        "max_features": CategoricalDistribution(MAX_FEATURES),
        "min_samples_leaf": IntDistribution(low, max(20, 4 * low), log=True),
        "criterion": CategoricalDistribution(("gini", "entropy")),
    }


def grow_forest(
    features: Matrix,
    y: Labels,
    weight: Weights,
    *,
    thresholds: Literal["best", "random"],
    draws: tuple[int, int] | None,
    params: dict[str, Any],
    seed: int,
    threads: int,
) -> FittedTrees:
    """Grow a forest.

    Weights act in two ways. Within a class, a tree draws rows in proportion to their weights, so that
    pure leaves honour them too. Between the classes, the mean weights enter impurity and leaves: the
    number of positives that a tree sees does not fall because negatives weigh more.

    Args:
        features: shape (n, p).
        y: shape (n,).
        weight: shape (n,).
        thresholds: whether a split takes a column's best threshold or a random one.
        draws: negatives and positives that each tree draws, with replacement; None: every row once, or
            as many draws as rows of the class where weights differ within a class.
        params: what scikit-learn's trees take: max_features, min_samples_leaf, criterion.
        seed: seed of draws and splits.
        threads: most threads to use.
    """
    from joblib import Parallel, delayed  # type: ignore[import-untyped]
    from sklearn.tree import DecisionTreeClassifier

    classes = tuple(np.flatnonzero(y == label) for label in (0, 1))
    uniform = all(np.ptp(weight[rows]) == 0 for rows in classes if rows.size)
    if draws is None and not uniform:
        draws = (classes[0].size, classes[1].size)
    class_weight = np.ones(y.size)
    for rows in classes:
        class_weight[rows] = weight[rows].mean() if rows.size else 1.0

    def grow(sequence: np.random.SeedSequence) -> Any:
        rng = np.random.default_rng(sequence)
        tree = DecisionTreeClassifier(splitter=thresholds, random_state=int(rng.integers(2**31)), **params)
        counts = _counts(rng, weight, classes, draws)
        return tree.fit(features, y, sample_weight=counts * class_weight)

    seeds = np.random.SeedSequence(seed).spawn(tree_count(len(y) if draws is None else sum(draws)))
    trees = Parallel(n_jobs=threads, prefer="threads")(delayed(grow)(sequence) for sequence in seeds)
    return FittedTrees(
        predict=lambda matrix: _share_of_positives(trees, matrix),
        trees=lambda: _trees(trees),
        features=features.shape[1],
        link="identity",
    )


def _counts(
    rng: np.random.Generator,
    weight: Weights,
    classes: tuple[npt.NDArray[np.intp], ...],
    draws: tuple[int, int] | None,
) -> npt.NDArray[np.float64]:
    """How often a tree sees each row."""
    if draws is None:
        return np.ones(weight.size)
    counts = np.zeros(weight.size)
    for rows, size in zip(classes, draws, strict=True):
        total = weight[rows].sum()
        shares = weight[rows] / total if total > 0 else np.full(rows.size, 1 / max(1, rows.size))
        counts[rows] = rng.multinomial(size, shares) if rows.size else 0
    return counts


def _share_of_positives(trees: Sequence[Any], features: Matrix) -> npt.NDArray[np.float64]:
    total = np.zeros(len(features))
    for tree in trees:
        total += tree.predict_proba(features, check_input=False)[:, 1]
    return total / len(trees)


def _trees(trees: Sequence[Any]) -> Iterator[Tree]:
    for fitted in trees:
        tree = fitted.tree_
        yield Tree(
            feature=tree.feature.astype(np.int64),
            threshold=at_most(tree.threshold),
            left=tree.children_left.astype(np.int64),
            right=tree.children_right.astype(np.int64),
            value=tree.value[:, 0, 1] / tree.value[:, 0, :].sum(axis=1) / len(trees),
        )
