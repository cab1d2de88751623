import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from minorkey.data.loading import load_dataset
from minorkey.data.profile import duplicates_across
from minorkey.spec import DataSpec
from tests.data.raw_frames import rare_frame


def test_profile_of_a_known_frame(tmp_path: Path) -> None:
    frame = rare_frame().assign(when=pd.date_range("2024-01-01", periods=400, freq="h"), one=1, none=None)
    frame.loc[:99, "amount"] = np.nan
    frame.to_parquet(tmp_path / "rows.parquet")
    spec = DataSpec(source=str(tmp_path / "rows.parquet"), target="fraud")
    loaded = load_dataset(spec)
    profile = loaded.profile
    assert json.loads(json.dumps(profile)) == profile
    assert (profile["rows"], profile["positives"], profile["imbalance_ratio"]) == (400, 40, 9.0)
    assert profile["gini"] == pytest.approx(0.18)
    assert profile["entropy"] == pytest.approx(0.4689956)
    assert profile["constant"] == ["one"]
    assert set(profile["left_out"]) == {"one", "none", "when"}
    assert profile["time_range"] == ["2024-01-01T00:00:00+00:00", "2024-01-17T15:00:00+00:00"]
    amount = profile["columns"]["amount"]
    assert (amount["kind"], amount["missing"], amount["distinct"]) == ("numeric", 0.25, 300)
    assert amount["quantiles"]["0.5"] == pytest.approx(frame["amount"].median())
    channel = profile["columns"]["channel"]
    assert channel["missing"] == pytest.approx(frame["channel"].isna().mean())
    assert dict(map(tuple, channel["top"])) == frame["channel"].value_counts().to_dict()
    assert profile["digest"] == loaded.dataset.digest()


def test_duplicates(tmp_path: Path) -> None:
    frame = pd.concat([rare_frame(), rare_frame().head(25)])
    frame.to_parquet(tmp_path / "rows.parquet")
    spec = DataSpec(source=str(tmp_path / "rows.parquet"), target="fraud")
    loaded = load_dataset(spec)
    assert loaded.profile["duplicate_rows"] == 25
    ids = loaded.dataset.row_id
    assert duplicates_across(ids[:400], ids[400:]) == 25
    assert duplicates_across(ids[25:400], ids[400:]) == 0
