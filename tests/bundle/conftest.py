"""Small real bundles over numbers, categories and times."""

import numpy as np
import pandas as pd
import pytest

from minorkey.bundle.bundle import BundleInfo, write_bundle
from minorkey.bundle.compose import compose
from minorkey.bundle.members import member_graph
from minorkey.data.dataset import Feature, Schema
from minorkey.data.preprocessing import Preprocessor
from minorkey.evaluation.calibration import Calibration
from minorkey.models import family
from minorkey.models.family import Facts

SCHEMA = Schema(
    (
        Feature("amount", "numeric"),
        Feature("score", "numeric"),
        Feature("kind", "categorical"),
        Feature("when", "datetime"),
    ),
    "fraud",
    "yes",
    "no",
)
PLATT = Calibration("platt", {"slope": 0.8, "intercept": -1.5})
ISOTONIC = Calibration("isotonic", {"x": [0.1, 0.3, 0.5, 0.9], "y": [0.001, 0.2, 0.2, 0.7]})


def table(n: int = 400, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "amount": np.where(rng.random(n) < 0.1, np.nan, rng.lognormal(3, 1, n)),
            "score": rng.normal(size=n),
            "kind": np.array(["", "a", "b", "c"], dtype=object)[rng.integers(0, 4, n)],
            "when": rng.uniform(1.6e9, 1.7e9, n),
        }
    )
    return frame.astype({"kind": object})


def labels(features: pd.DataFrame) -> np.ndarray:
    rng = np.random.default_rng(5)
    odds = features["score"].to_numpy() + (features["kind"] == "a").to_numpy()
    return (odds + rng.normal(size=len(features)) > 1.8).astype(np.int8)


class Fitted:
    """A member: preprocessor and model of a family, fitted on a sample."""

    def __init__(self, name: str, seed: int = 0, interactions: bool = False) -> None:
        features = table(seed=seed)
        y = labels(features)
        chosen = family(name)
        self.preprocessor = Preprocessor.fit(features, SCHEMA, chosen.encoding, interactions=interactions)
        facts = Facts(rows=len(y), positives=int(y.sum()), numeric=2, categorical=1)
        params = {**chosen.portfolio(facts)[0]}
        for key in ("num_iterations", "max_iter", "n_estimators", "rounds"):
            if key in params:
                params[key] = min(params[key], 20)
        self.model = chosen.fit(
            self.preprocessor.transform(features),
            y,
            np.ones(len(y)),
            params,
            seed=seed,
            categorical=self.preprocessor.categorical,
        )
        self.graph = member_graph(self.preprocessor, self.model)

    def score(self, features: pd.DataFrame) -> np.ndarray:
        return self.model.score(self.preprocessor.transform(features))


@pytest.fixture(scope="session")
def logistic() -> Fitted:
    return Fitted("logistic_regression")


@pytest.fixture(scope="session")
def boosted() -> Fitted:
    return Fitted("lightgbm")


@pytest.fixture(scope="session")
def composed(logistic, boosted):
    return compose([(logistic.graph, 1.0), (boosted.graph, 3.0)], PLATT)


@pytest.fixture
def info() -> BundleInfo:
    return BundleInfo(
        model="fraud",
        schema=SCHEMA,
        threshold=0.25,
        calibration=PLATT,
        configuration=[{"family": "lightgbm", "weight": 1.0}],
        validation={"average_precision": np.float64(0.5), "roc_auc": float("nan")},
        costs={"false_negative": 10.0, "false_positive": 1.0},
    )


@pytest.fixture
def folder(tmp_path, composed, info):
    write_bundle(tmp_path / "bundle", composed, info)
    return tmp_path / "bundle"
