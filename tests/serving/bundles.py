"""Small real bundles: a logistic regression over a number, a time and a category, with missing values."""

from pathlib import Path

import numpy as np
import pandas as pd

from minorkey.bundle.bundle import Bundle, BundleInfo, write_bundle
from minorkey.bundle.compose import compose
from minorkey.bundle.members import member_graph
from minorkey.bundle.reference import reference_profile
from minorkey.data.dataset import Feature, Schema
from minorkey.data.preprocessing import Preprocessor
from minorkey.evaluation.calibration import Calibration
from minorkey.models import family
from minorkey.models.family import Facts
from minorkey.spec import MonitorSpec

SCHEMA = Schema(
    features=(
        Feature("amount", "numeric"),
        Feature("moment", "datetime"),
        Feature("country", "categorical"),
    ),
    target="fraud",
    positive="yes",
    negative="no",
)

#: One row in the JSON of ``POST /predict``.
ROW = {"amount": 12.5, "moment": "2024-03-31T09:00:00Z", "country": "NL"}


def small_bundle(folder: Path, *, seed: int = 0, schema: Schema = SCHEMA, model: str = "cards") -> Bundle:
    """Fit on 500 rows and write a bundle; another seed gives another bundle."""
    random = np.random.default_rng(seed)
    columns = {
        "amount": np.where(random.random(500) < 0.1, np.nan, random.lognormal(3, 1, 500)),
        "moment": 1.7e9 + random.integers(0, 30 * 86_400, 500).astype(float),
        "country": random.choice(np.array(["NL", "BE", "DE", ""], dtype=object), 500),
    }
    y = (np.nan_to_num(columns["amount"]) + 20 * (columns["country"] == "BE") > 45).astype(np.int8)
    features = pd.DataFrame({name: columns[name] for name in schema.names()})
    chosen = family("logistic_regression")
    prepared = Preprocessor.fit(features, schema, chosen.encoding, interactions=False)
    params = chosen.portfolio(Facts(rows=500, positives=int(y.sum()), numeric=2, categorical=1))[0]
    fitted = chosen.fit(prepared.transform(features), y, np.ones(500), params, seed=seed)
    calibration = Calibration("platt", {"slope": 1.2, "intercept": -0.1})
    graph = compose([(member_graph(prepared, fitted), 1.0)], calibration)
    info = BundleInfo(
        model=model,
        schema=schema,
        threshold=0.4,
        calibration=calibration,
        reference=reference_profile(features, np.linspace(0, 1, 500), MonitorSpec()),
        lineage={"data_digest": "f" * 32, "seed": seed},
    )
    write_bundle(folder, graph, info)
    return Bundle.load(folder)
