"""The composed graph: weighted mean, shared preprocessing, calibration."""

import numpy as np
import onnx
import pytest

from minorkey.bundle.compose import compose
from minorkey.bundle.session import Session
from minorkey.errors import ContractError
from minorkey.evaluation.calibration import Calibration
from tests.bundle.conftest import ISOTONIC, PLATT, SCHEMA, Fitted, table


def run(graph: onnx.ModelProto, features) -> tuple[np.ndarray, np.ndarray]:
    session = Session(graph.SerializeToString())
    raw, score = session.run({name: features[name].to_numpy() for name in session.names})
    return raw, score


@pytest.mark.parametrize("calibration", [Calibration(), PLATT, ISOTONIC], ids=lambda c: c.kind)
def test_weighted_mean_then_calibration(logistic, boosted, calibration):
    features = table(seed=4)
    raw, score = run(compose([(logistic.graph, 1.0), (boosted.graph, 3.0)], calibration), features)
    expected = (logistic.score(features) + 3 * boosted.score(features)) / 4
    assert np.abs(raw - expected).max() < 1e-5
    assert np.abs(score - calibration.apply(raw)).max() < 1e-7
    assert (np.diff(score[np.argsort(raw)]) >= 0).all()


def test_one_member_keeps_its_scores_exactly(boosted):
    features = table(seed=4)
    session = Session(boosted.graph.SerializeToString())
    alone = session.run({name: features[name].to_numpy() for name in session.names})[0]
    assert np.array_equal(run(compose([(boosted.graph, 0.3)], Calibration()), features)[0], alone)


def test_outputs_avoid_the_names_of_features(composed):
    onnx.checker.check_model(composed, full_check=True)
    assert [value.name for value in composed.graph.input] == SCHEMA.names()
    assert [value.name for value in composed.graph.output] == ["raw", "score_"]
    assert {entry.domain for entry in composed.opset_import} <= {"", "ai.onnx.ml"}


def test_equal_preprocessing_is_computed_once(boosted):
    one = compose([(boosted.graph, 1.0)], Calibration())
    many = compose([(boosted.graph, 1.0)] * 25, Calibration())
    encoders = [node for node in many.graph.node if node.op_type == "LabelEncoder"]
    assert len(encoders) == 1
    features = table(seed=4)
    assert np.abs(run(many, features)[0] - run(one, features)[0]).max() < 1e-7


def test_different_preprocessing_stays_apart(boosted):
    other = Fitted("lightgbm", seed=1)
    both = compose([(boosted.graph, 1.0), (other.graph, 1.0)], Calibration())
    assert len([node for node in both.graph.node if node.op_type == "LabelEncoder"]) == 2
    features = table(seed=4)
    expected = (boosted.score(features) + other.score(features)) / 2
    assert np.abs(run(both, features)[0] - expected).max() < 1e-5


def test_equal_members_give_equal_bytes(logistic, boosted):
    graphs = [
        compose([(logistic.graph, 1.0), (boosted.graph, 3.0)], PLATT).SerializeToString(deterministic=True)
        for _ in range(2)
    ]
    assert graphs[0] == graphs[1]


@pytest.mark.parametrize("raw", [0.0, 1e-9, 0.1, 0.2, 0.30000001, 0.5, 0.6, 0.9, 1.0])
@pytest.mark.parametrize("calibration", [Calibration(), PLATT, ISOTONIC], ids=lambda c: c.kind)
def test_calibration_at_its_edges(calibration, raw):
    assert calibrated(calibration, np.array([raw]))[0] == pytest.approx(
        calibration.apply(np.array([np.float32(raw)]))[0], rel=1e-6, abs=1e-9
    )


def test_calibration_never_decreases():
    rng = np.random.default_rng(0)
    x = np.unique(rng.random(300).astype(np.float32)).astype(float)
    steep = Calibration("isotonic", {"x": x.tolist(), "y": np.sort(rng.random(len(x))).tolist()})
    line = Calibration("isotonic", {"x": [0.2, 0.6], "y": [0.1, 0.3]})
    raw = np.sort(np.concatenate([rng.random(20_000), x, np.nextafter(x, 1), np.nextafter(x, 0)]))
    for calibration in (steep, line, PLATT, ISOTONIC, Calibration()):
        found = calibrated(calibration, raw)
        assert (np.diff(found) >= 0).all()
        assert np.abs(found - calibration.apply(raw.astype(np.float32))).max() < 1e-6


def calibrated(calibration: Calibration, raw: np.ndarray) -> np.ndarray:
    """Scores of a graph whose raw score is its only feature."""
    import onnxruntime
    from onnx import TensorProto, helper

    from minorkey.bundle.calibration_onnx import calibration_nodes
    from minorkey.bundle.graphs import as_model

    nodes, constants = calibration_nodes(calibration, "raw", "score")
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N"]) for name in ("raw", "score")]
    model = as_model(helper.make_graph(nodes, "calibration", ends[:1], ends[1:], initializer=constants))
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"raw": raw.astype(np.float32)})[0].astype(np.float64)


@pytest.mark.parametrize(
    "calibration",
    [
        Calibration("platt", {"slope": -1.0, "intercept": 0.0}),
        Calibration("platt", {"slope": float("nan"), "intercept": 0.0}),
        Calibration("isotonic", {"x": [0.1, 0.1], "y": [0.1, 0.2]}),
        Calibration("isotonic", {"x": [0.1, 0.2], "y": [0.3, 0.2]}),
        Calibration("isotonic", {"x": [], "y": []}),
    ],
)
def test_a_calibration_that_reorders_is_refused(boosted, calibration):
    with pytest.raises(ContractError):
        compose([(boosted.graph, 1.0)], calibration)


def test_a_single_knot_is_a_constant(boosted):
    constant = Calibration("isotonic", {"x": [0.4], "y": [0.2]})
    assert np.allclose(run(compose([(boosted.graph, 1.0)], constant), table())[1], 0.2)


@pytest.mark.parametrize("weights", [[], [0.0], [-1.0], [float("nan")], [float("inf")]])
def test_weights_must_be_positive(boosted, weights):
    with pytest.raises(ContractError, match="weights"):
        compose([(boosted.graph, weight) for weight in weights], Calibration())


def test_members_of_other_inputs_are_refused(boosted):
    other = onnx.ModelProto()
    other.CopyFrom(boosted.graph)
    del other.graph.input[-1]
    with pytest.raises(ContractError, match="other inputs"):
        compose([(boosted.graph, 1.0), (other, 1.0)], Calibration())
