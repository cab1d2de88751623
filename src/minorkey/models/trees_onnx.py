"""Tree ensembles as flat arrays, and those arrays as one ONNX TreeEnsemble.

Every library's trees come through here. All of them compare a float32 feature with a threshold;
a threshold is stored as the float32 for which ``x <= threshold`` decides every float32 ``x`` as the
library does.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from minorkey.data.dataset import Scores
from minorkey.models.family import Matrix
from minorkey.models.graph import model_graph

__all__ = ["LEAF", "FittedTrees", "Tree", "at_most", "below"]

#: The child of a leaf.
LEAF = -1


@dataclass(frozen=True)
class Tree:
    """One binary tree. Arrays have shape (nodes,); the root is node 0.

    Attributes:
        feature: column that an inner node compares; ignored for leaves.
        threshold: float32; a row goes left if ``x <= threshold``.
        left, right: index of the child, `LEAF` in both for a leaf.
        value: what a leaf adds to the result; ignored for inner nodes.
    """

    feature: npt.NDArray[np.int64]
    threshold: npt.NDArray[np.float32]
    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]


def at_most(threshold: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """The float32 t for which ``x <= t`` equals ``x <= threshold`` for every float32 x."""
    exact = np.asarray(threshold, np.float64)
    with np.errstate(over="ignore"):
        nearest = exact.astype(np.float32)
    too_high = nearest.astype(np.float64) > exact
    nearest[too_high] = np.nextafter(nearest[too_high], np.float32(-np.inf))
    return nearest


def below(threshold: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """The float32 t for which ``x <= t`` equals ``x < threshold`` for every float32 x."""
    with np.errstate(over="ignore"):
        return np.nextafter(np.asarray(threshold, np.float32), np.float32(-np.inf))


@dataclass(frozen=True)
class FittedTrees:
    """A fitted ensemble: the library's own prediction, and its trees for the export.

    Attributes:
        predict: the library's prediction, shape (n,) of probabilities.
        trees: the trees, built only when they are exported.
        features: number of columns.
        link: "identity" if the leaves' sum is the probability, "logit" if it is its log odds.
        offset: added to the leaves' sum.
    """

    predict: Callable[[Matrix], npt.NDArray[np.floating]]
    trees: Callable[[], Iterable[Tree]]
    features: int
    link: Literal["identity", "logit"]
    offset: float = 0.0

    def score(self, features: Matrix) -> Scores:
        """Score of every row, shape (n,)."""
        return np.clip(np.asarray(self.predict(features), np.float64), 0.0, 1.0)

    def to_onnx(self) -> onnx.ModelProto:
        """The ensemble as a graph from ``features`` to ``score``."""
        nodes = [_ensemble([*self.trees()], "leaf_sum")]
        constants = {"offset": np.array(self.offset, np.float32)}
        nodes.append(helper.make_node("Add", ["leaf_sum", "offset"], ["margin"]))
        if self.link == "logit":
            nodes.append(helper.make_node("Sigmoid", ["margin"], ["probability"]))
        result = "probability" if self.link == "logit" else "margin"
        return model_graph("trees", nodes, constants, features=self.features, probability=result)


def _ensemble(trees: Sequence[Tree], output: str) -> onnx.NodeProto:
    """One TreeEnsemble node whose result, shape [N, 1], is the sum of one leaf of each tree."""
    parts = [_numbered(tree if tree.left[0] != LEAF else _stump(tree)) for tree in trees]
    inner = np.array([part.feature.size for part in parts])
    leaves = np.array([part.leaf_value.size for part in parts])
    first_inner, first_leaf = np.cumsum(inner) - inner, np.cumsum(leaves) - leaves

    def children(side: str) -> tuple[list[int], list[int]]:
        ids, is_leaf = [], []
        for part, inner_start, leaf_start in zip(parts, first_inner, first_leaf, strict=True):
            child, leaf = getattr(part, side), getattr(part, f"{side}_is_leaf")
            ids.append(child + np.where(leaf, leaf_start, inner_start))
            is_leaf.append(leaf)
        return np.concatenate(ids).tolist(), np.concatenate(is_leaf).astype(int).tolist()

    left, left_is_leaf = children("left")
    right, right_is_leaf = children("right")
    threshold = np.concatenate([part.threshold for part in parts]).astype(np.float32)
    leaf_value = np.concatenate([part.leaf_value for part in parts]).astype(np.float32)
    return helper.make_node(
        "TreeEnsemble",
        ["features"],
        [output],
        domain="ai.onnx.ml",
        n_targets=1,
        aggregate_function=1,  # sum
        post_transform=0,  # none
        tree_roots=first_inner.tolist(),
        nodes_featureids=np.concatenate([part.feature for part in parts]).tolist(),
        nodes_splits=numpy_helper.from_array(threshold),
        nodes_modes=numpy_helper.from_array(np.zeros(threshold.size, np.uint8)),  # x <= split
        nodes_truenodeids=left,
        nodes_trueleafs=left_is_leaf,
        nodes_falsenodeids=right,
        nodes_falseleafs=right_is_leaf,
        leaf_targetids=[0] * leaf_value.size,
        leaf_weights=numpy_helper.from_array(leaf_value),
    )


@dataclass(frozen=True)
class _Numbered:
    """A tree whose inner nodes and leaves are counted apart, as the ONNX operator wants them."""

    feature: npt.NDArray[np.int64]
    threshold: npt.NDArray[np.float32]
    left: npt.NDArray[np.int64]
    left_is_leaf: npt.NDArray[np.bool_]
    right: npt.NDArray[np.int64]
    right_is_leaf: npt.NDArray[np.bool_]
    leaf_value: npt.NDArray[np.float64]


def _numbered(tree: Tree) -> _Numbered:
    is_leaf = tree.left == LEAF
    number = np.where(is_leaf, np.cumsum(is_leaf), np.cumsum(~is_leaf)) - 1
    left, right = tree.left[~is_leaf], tree.right[~is_leaf]
    return _Numbered(
        feature=tree.feature[~is_leaf],
        threshold=tree.threshold[~is_leaf],
        left=number[left],
        left_is_leaf=is_leaf[left],
        right=number[right],
        right_is_leaf=is_leaf[right],
        leaf_value=tree.value[is_leaf],
    )


def _stump(tree: Tree) -> Tree:
    """A tree that is a single leaf, as a split with that leaf on both sides: the operator needs a node."""
    return Tree(
        feature=np.zeros(3, np.int64),
        threshold=np.zeros(3, np.float32),
        left=np.array([1, LEAF, LEAF]),
        right=np.array([2, LEAF, LEAF]),
        value=np.array([0.0, tree.value[0], tree.value[0]]),
    )
