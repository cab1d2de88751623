"""Every family's member graph scores like its Python object, on hostile rows too."""

import numpy as np
import pandas as pd
import pytest

from minorkey.bundle.members import check_parity, member_graph
from minorkey.data.preprocessing import Preprocessor
from minorkey.errors import ContractError
from minorkey.models import FAMILIES
from tests.bundle.conftest import SCHEMA, Fitted, table


def hostile() -> pd.DataFrame:
    numbers = [np.nan, np.inf, -np.inf, 1e308, 1e-320, -0.0, 3.5e38, 1.0]
    texts = ["", "unseen", "a", "None", "x" * 100_000, "ü", "a\0", "b"]
    frame = pd.DataFrame(dict.fromkeys(("amount", "score", "when"), numbers))
    frame["kind"] = pd.Series(texts, dtype=object)
    frame["score"] = frame["score"].to_numpy()[::-1]
    return frame[SCHEMA.names()]


@pytest.mark.parametrize(
    ("name", "interactions"),
    [*((name, False) for name in FAMILIES), ("logistic_regression", True), ("xgboost", True)],
)
def test_parity(name, interactions):
    member = Fitted(name, interactions=interactions)
    for features in (table(seed=9), hostile()):
        assert check_parity(member.graph, features, member.score(features)) <= 1e-5


def test_a_difference_beyond_the_tolerance_is_refused(logistic):
    expected = logistic.score(table())
    expected[7] += 1e-3
    with pytest.raises(ContractError, match=r"1 of 400 rows; worst is row 7"):
        check_parity(logistic.graph, table(), expected)


def test_not_a_number_is_refused(logistic):
    with pytest.raises(ContractError):
        check_parity(logistic.graph, table(), np.full(400, np.nan))


def test_no_rows_agree(logistic):
    assert check_parity(logistic.graph, table().iloc[:0], np.empty(0)) == 0


def test_inputs_are_the_features_and_the_output_avoids_their_names(logistic):
    assert [value.name for value in logistic.graph.graph.input] == SCHEMA.names()
    assert [value.name for value in logistic.graph.graph.output] == ["score_"]


def test_a_graph_of_other_versions_is_refused(logistic):
    class Other:
        def score(self, features):
            return logistic.model.score(features)

        def to_onnx(self):
            graph = logistic.model.to_onnx()
            graph.opset_import[0].version = 17
            return graph

    with pytest.raises(ContractError, match="17"):
        member_graph(logistic.preprocessor, Other())


def test_member_of_one_feature(logistic):
    schema = type(SCHEMA)(SCHEMA.features[:1], "y", "1", "0")
    features = table()[["amount"]]
    from minorkey.models import family

    chosen = family("logistic_regression")
    preprocessor = Preprocessor.fit(features, schema, chosen.encoding, interactions=True)
    y = (features["amount"].to_numpy() > 40).astype(np.int8)
    from minorkey.models.family import Facts

    params = chosen.portfolio(Facts(400, int(y.sum()), 1, 0))[0]
    model = chosen.fit(preprocessor.transform(features), y, np.ones(400), params, seed=0)
    graph = member_graph(preprocessor, model)
    dimensions = graph.graph.input[0].type.tensor_type.shape.dim
    assert len(dimensions) == 2 and dimensions[1].dim_value == 1
    assert check_parity(graph, features, model.score(preprocessor.transform(features))) < 1e-5
