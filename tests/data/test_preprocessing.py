"""Preprocessing: what it learns, and that its graph gives the same bits."""

import json

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minorkey.data.dataset import Feature, Schema
from minorkey.data.levels import Levels
from minorkey.data.preprocessing import SCALED_LIMIT, Preprocessor
from minorkey.errors import DataError
from minorkey.models.family import Encoding

ENCODINGS = [Encoding(scale, coding) for scale in (False, True) for coding in ("onehot", "ordinal")]
KINDS = {
    "numeric": ("amount", "mean amount", "flag"),
    "categorical": ("kind", "place"),
    "datetime": ("opened", "seen"),
}
SCHEMA = Schema(tuple(Feature(name, kind) for kind, names in KINDS.items() for name in names), "y", "1", "0")
EXTREME = [
    np.nan,
    np.inf,
    -np.inf,
    1e308,
    -1e308,
    5e-324,
    1e-45,
    3.4028236e38,
    16777217.0,
    -0.0,
    0.0,
    1e11,
    4e18,
]
TEXTS = ["", "a", "unseen", "None", "nan", "x" * 1_000_000, "é\u0301", "a\0b", "line\nbreak", " a", "b" * 300]


def table(n: int = 300, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    amount = rng.lognormal(3, 1, n)
    kinds = np.array(["", "a", "b", "rare"], dtype=object)
    frame = pd.DataFrame(
        {
            "amount": np.where(rng.random(n) < 0.1, np.nan, amount),
            "mean amount": amount * rng.lognormal(0, 0.2, n),
            "flag": rng.integers(0, 2, n).astype(float),
            "kind": kinds[rng.choice(4, n, p=[0.2, 0.4, 0.38, 0.02])],
            "place": np.array([f"place {i}" for i in rng.integers(0, 5, n)], dtype=object),
            "opened": rng.uniform(-2e9, 2e9, n),
            "seen": np.where(rng.random(n) < 0.2, np.nan, rng.uniform(1e9, 2e9, n)),
        }
    )
    return frame.astype({"kind": object, "place": object})


def extreme() -> pd.DataFrame:
    n = 100
    frame = {name: np.resize(EXTREME, n) for name in KINDS["numeric"] + KINDS["datetime"]}
    frame["mean amount"] = np.roll(frame["mean amount"], 3)
    frame |= {name: np.resize(np.array(TEXTS, dtype=object), n) for name in KINDS["categorical"]}
    return pd.DataFrame(frame).astype(dict.fromkeys(KINDS["categorical"], object))[SCHEMA.names()]


def by_graph(preprocessor: Preprocessor, features: pd.DataFrame) -> np.ndarray:
    graph = preprocessor.to_onnx()
    onnx.checker.check_model(graph, full_check=True)
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    assert [value.name for value in session.get_inputs()] == [f.name for f in preprocessor.features]
    feeds = {f.name: features[f.name].to_numpy() for f in preprocessor.features}
    if len(feeds) == 1:
        feeds = {name: values[:, None] for name, values in feeds.items()}
    return session.run(None, feeds)[0]


@pytest.mark.parametrize("interactions", [False, True])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_graph_gives_the_same_bits(encoding, interactions):
    preprocessor = Preprocessor.fit(table(), SCHEMA, encoding, interactions=interactions)
    for features in (table(), table(seed=1), extreme(), table().iloc[:1], table().iloc[:0]):
        matrix = preprocessor.transform(features)
        assert matrix.dtype == np.float32 and matrix.shape == (len(features), len(preprocessor.names))
        assert np.isfinite(matrix).all() and matrix.flags.c_contiguous
        assert np.array_equal(by_graph(preprocessor, features), matrix)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_trained_on_extremes(encoding):
    preprocessor = Preprocessor.fit(extreme(), SCHEMA, encoding, interactions=True)
    for features in (table(), extreme()):
        matrix = preprocessor.transform(features)
        assert np.isfinite(matrix).all()
        assert np.array_equal(by_graph(preprocessor, features), matrix)


@settings(max_examples=25, deadline=None)
@given(
    numbers=st.lists(st.floats(width=64), min_size=1, max_size=30),
    texts=st.lists(st.text(st.characters(exclude_categories=("Cs",))), min_size=1, max_size=30),
)
def test_graph_gives_the_same_bits_on_anything(numbers, texts):
    schema = Schema(
        (Feature("n", "numeric"), Feature("t", "datetime"), Feature("c", "categorical")), "y", "1", "0"
    )
    size = max(len(numbers), len(texts))
    features = pd.DataFrame({"n": np.resize(numbers, size), "t": np.resize(numbers[::-1], size)})
    features["c"] = pd.Series([texts[i % len(texts)] for i in range(size)], dtype=object)
    for encoding in ENCODINGS:
        preprocessor = Preprocessor.fit(features, schema, encoding, interactions=False)
        matrix = preprocessor.transform(features)
        assert np.isfinite(matrix).all()
        assert np.array_equal(by_graph(preprocessor, features), matrix)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_json_round_trip(encoding):
    preprocessor = Preprocessor.fit(table(), SCHEMA, encoding, interactions=True)
    again = Preprocessor.from_json(json.loads(json.dumps(preprocessor.to_json())))
    assert again == preprocessor and again.digest == preprocessor.digest
    assert np.array_equal(again.transform(table(seed=3)), preprocessor.transform(table(seed=3)))
    other = Preprocessor.fit(table(seed=1), SCHEMA, encoding, interactions=True)
    assert other.digest != preprocessor.digest


@pytest.mark.parametrize(
    "name", ["score", "raw", "features", "a > b", "naïve/ünï:0", "日本", " ", "x\ny", 'q"\\']
)
@pytest.mark.parametrize("alone", [False, True])
def test_any_name_will_do(name, alone):
    names = [name] if alone else [name, "other"]
    for kind in KINDS:
        schema = Schema(tuple(Feature(one, kind) for one in names), "y", "1", "0")
        values = np.array(["a", "b"] * 20, dtype=object) if kind == "categorical" else np.arange(40.0) * 1e5
        features = pd.DataFrame(dict.fromkeys(names, values)).astype(values.dtype)
        preprocessor = Preprocessor.fit(features, schema, Encoding(True, "onehot"), interactions=False)
        assert np.array_equal(by_graph(preprocessor, features), preprocessor.transform(features))


def test_trees_see_the_raw_float32():
    preprocessor = Preprocessor.fit(table(), SCHEMA, Encoding(False, "ordinal"), interactions=False)
    column = preprocessor.names.index("mean amount")
    assert np.array_equal(
        preprocessor.transform(table())[:, column], table()["mean amount"].to_numpy(np.float32)
    )


def test_imputation_and_indicators_are_learned_where_training_had_missing_values():
    preprocessor = Preprocessor.fit(table(), SCHEMA, Encoding(False, "ordinal"), interactions=False)
    assert [name for name in preprocessor.names if name.endswith("missing")] == [
        "amount missing",
        "seen missing",
    ]
    features = table().iloc[:2].assign(amount=[np.nan, 7.0])
    matrix = preprocessor.transform(features)
    assert matrix[0, 0] == np.float32(np.nanmedian(table()["amount"].to_numpy(np.float32)))
    assert list(matrix[:, preprocessor.names.index("amount missing")]) == [1, 0]


def test_an_all_missing_column_is_constant():
    features = table().assign(amount=np.nan, seen=np.nan)
    preprocessor = Preprocessor.fit(features, SCHEMA, Encoding(True, "onehot"), interactions=True)
    matrix = preprocessor.transform(features)
    assert np.ptp(matrix[:, 0]) == 0 and np.isfinite(matrix).all()
    assert np.array_equal(by_graph(preprocessor, table()), preprocessor.transform(table()))


def test_scaling_standardises_and_bounds():
    preprocessor = Preprocessor.fit(table(), SCHEMA, Encoding(True, "onehot"), interactions=False)
    matrix = preprocessor.transform(table())
    continuous = len(preprocessor.means)
    assert np.allclose(matrix[:, :continuous].mean(axis=0), 0, atol=1e-4)
    assert np.allclose(matrix[:, :continuous].std(axis=0), 1, atol=1e-3)
    assert np.abs(preprocessor.transform(extreme())).max() == SCALED_LIMIT


def test_onehot_levels():
    preprocessor = Preprocessor.fit(table(), SCHEMA, Encoding(False, "onehot"), interactions=False)
    kinds = [name for name in preprocessor.names if name.startswith("kind = ")]
    assert kinds == ["kind = (missing)", "kind = a", "kind = b", "kind = (other)"]
    first = preprocessor.names.index(kinds[0])
    features = table().iloc[:6].assign(kind=["", "a", "rare", "unseen", "None", "b"])
    rows = preprocessor.transform(features)[:, first : first + 4]
    assert rows.argmax(axis=1).tolist() == [0, 1, 3, 3, 0, 2] and (rows.sum(axis=1) == 1).all()
    assert preprocessor.categorical == ()


def test_ordinal_codes():
    preprocessor = Preprocessor.fit(table(), SCHEMA, Encoding(False, "ordinal"), interactions=False)
    last = len(preprocessor.names)
    assert preprocessor.categorical == ((last - 2, 4), (last - 1, 6))
    features = table().iloc[:4].assign(kind=["", "b", "rare", "unseen"], place="place 3")
    assert preprocessor.transform(features)[:, -2:].tolist() == [[0, 3], [2, 3], [3, 3], [3, 3]]


def test_levels_are_bounded_and_the_most_frequent_stay():
    column = pd.Series([f"l{i:03d}" for i in range(400) for _ in range(10 + i % 7)], dtype=object)
    onehot, ordinal = Levels.fit(column, onehot=True), Levels.fit(column, onehot=False)
    assert (onehot.count, ordinal.count) == (51, 251)
    counts = column.value_counts()
    assert {counts[level] for level in onehot.kept} == {16}
    assert list(ordinal.kept) == sorted(ordinal.kept)


def test_missing_unseen_in_training_is_other():
    levels = Levels.fit(pd.Series(["a"] * 20, dtype=object), onehot=True)
    assert levels.codes(pd.Series(["a", "", "None", "b"], dtype=object)).tolist() == [0, 1, 1, 1]


def test_a_level_called_none_is_not_missing():
    levels = Levels.fit(pd.Series(["None"] * 20 + [""], dtype=object), onehot=True)
    assert levels.codes(pd.Series(["None", "", "nan"], dtype=object)).tolist() == [1, 0, 0]


def test_the_target_is_never_seen_and_rows_may_come_in_any_order():
    order = np.random.default_rng(0).permutation(300)
    for encoding in ENCODINGS:
        first = Preprocessor.fit(table(), SCHEMA, encoding, interactions=True)
        shuffled = Preprocessor.fit(table().iloc[order], SCHEMA, encoding, interactions=True)
        assert first.names == shuffled.names and first.levels == shuffled.levels


@pytest.mark.parametrize(
    ("features", "schema", "message"),
    [
        (table().iloc[:0], SCHEMA, "no training rows"),
        (pd.DataFrame(index=range(3)), Schema((), "y", "1", "0"), "no features"),
        (pd.DataFrame({"": [1.0]}), Schema((Feature("", "numeric"),), "y", "1", "0"), "no name"),
    ],
)
def test_unusable_input_is_refused(features, schema, message):
    with pytest.raises(DataError, match=message):
        Preprocessor.fit(features, schema, Encoding(True, "onehot"), interactions=False)
