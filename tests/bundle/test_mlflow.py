"""MLflow's own ONNX flavour loads the composed graph and scores alike, missing values included."""

import numpy as np
import pandas as pd
import pytest

from minorkey.bundle.bundle import Bundle, write_bundle
from minorkey.bundle.compose import compose
from minorkey.bundle.members import member_graph
from minorkey.data.dataset import Schema
from minorkey.data.preprocessing import Preprocessor
from minorkey.models import family
from minorkey.models.family import Facts
from tests.bundle.conftest import PLATT, SCHEMA, table

pyfunc = pytest.importorskip("mlflow.pyfunc")


def logged(graph, folder):
    import mlflow.onnx

    mlflow.onnx.save_model(graph, folder, pip_requirements=["onnxruntime"], save_as_external_data=False)
    return pyfunc.load_model(str(folder))


def test_mixed_columns(tmp_path, composed, info):
    write_bundle(tmp_path / "bundle", composed, info)
    raw, score = Bundle.load(tmp_path / "bundle").score(table(seed=8))
    model = logged(composed, tmp_path / "mlflow")
    answer = model.predict(table(seed=8))
    assert list(answer) == ["raw", "score_"]
    assert np.allclose(answer["raw"], raw, atol=1e-6) and np.allclose(answer["score_"], score, atol=1e-6)
    with_none = table(seed=8)
    with_none["kind"] = with_none["kind"].where(with_none["kind"] != "", None)
    assert with_none["kind"].isna().any()
    assert np.allclose(model.predict(with_none)["raw"], raw, atol=1e-6)
    as_arrays = {name: table(seed=8)[name].to_numpy() for name in SCHEMA.names()}
    assert np.allclose(model.predict(as_arrays)["raw"], raw, atol=1e-6)


@pytest.mark.parametrize("position", [0, 2])
def test_a_single_column(tmp_path, info, position):
    schema = Schema(SCHEMA.features[position : position + 1], "y", "1", "0")
    features = table()[schema.names()]
    y = (np.arange(400) % 9 == 0).astype(np.int8)
    chosen = family("logistic_regression")
    preprocessor = Preprocessor.fit(features, schema, chosen.encoding, interactions=False)
    matrix = preprocessor.transform(features)
    fitted = chosen.fit(matrix, y, np.ones(400), chosen.portfolio(Facts(400, 45, 1, 0))[0], seed=0)
    graph = compose([(member_graph(preprocessor, fitted), 1.0)], PLATT)
    write_bundle(tmp_path / "bundle", graph, type(info)(**{**vars(info), "schema": schema}))
    expected = Bundle.load(tmp_path / "bundle").score(features)[1]
    answer = logged(graph, tmp_path / "mlflow").predict(pd.DataFrame(features))
    assert np.allclose(answer["score"], expected, atol=1e-6)
