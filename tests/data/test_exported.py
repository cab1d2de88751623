"""What an export adds to the rows says nothing of them."""

import numpy as np
import pandas as pd
import pytest

from minorkey.data.exported import COLUMNS
from minorkey.data.loading import build_dataset
from minorkey.data.sources import Table
from minorkey.spec import DataSpec


def rows(weight: float = 1.0, version: str = "1") -> pd.DataFrame:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"amount": random.normal(size=60), "fraud": (random.random(60) < 0.3).astype(int)})
    added = {
        "minorkey_id": [f"{version}-{number}" for number in range(60)],
        "minorkey_version": version,
        "minorkey_score": frame["fraud"] * 0.9,
        "minorkey_predicted_at": pd.date_range("2026-01-01", periods=60, freq="h", tz="UTC"),
        "minorkey_weight": np.where(frame["fraud"] == 1, 1.0, weight),
    }
    assert tuple(added) == COLUMNS
    return frame.assign(**added)


def loaded(frame: pd.DataFrame, **spec: object):
    return build_dataset(Table(frame), DataSpec(source="rows.parquet", target="fraud", **spec))


def test_they_are_no_features_and_the_same_row_stays_the_same_row() -> None:
    plain = loaded(rows()[["amount", "fraud"]]).dataset
    for frame in (rows(), rows(version="2")):
        found = loaded(frame)
        assert found.dataset.schema.names() == ["amount"]
        assert found.dataset.row_id.tolist() == plain.row_id.tolist()
        assert "they tell of the prediction" in " ".join(found.assumptions)
        assert found.dataset.weight is None


def test_weights_that_differ_are_the_rows_weights() -> None:
    assert set(loaded(rows(weight=4.0)).dataset.weight.tolist()) == {1.0, 4.0}


@pytest.mark.parametrize("asked", [{"keep": ("minorkey_score",), "leak_average_precision": 0.99}])
def test_who_names_one_has_it(asked: dict[str, object]) -> None:
    assert "minorkey_score" in loaded(rows(), **asked).dataset.schema.names()
