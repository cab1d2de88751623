"""A stream against a predictor that really listens."""

import dataclasses
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import pytest

from minorkey.cli import main
from minorkey.data.dataset import Dataset
from minorkey.errors import DataError, StateError
from minorkey.simulation.stream import Traffic, stream
from tests.serving.bundles import SCHEMA
from tests.serving.conftest import bundle, http, slot  # noqa: F401 -- fixtures


def rows(n: int = 300) -> Dataset:
    random = np.random.default_rng(0)
    features = pd.DataFrame(
        {
            "amount": random.lognormal(3, 1, n),
            "moment": 1.7e9 + np.arange(n, dtype=np.float64),
            "country": pd.Series(random.choice(["NL", "BE"], n), dtype=object),
        }
    )
    y = (features["amount"] > 45).to_numpy(np.int8)
    return Dataset(features, y, np.arange(n, dtype=np.uint64), SCHEMA)


def traffic(http: httpx.Client, **changes: object) -> Traffic:  # noqa: F811
    plain = Traffic(url=str(http.base_url), model="cards", rows=300, rate=100_000.0, batch=7)
    return dataclasses.replace(plain, **changes)


def test_every_row_is_answered_as_the_bundle_scores_it(http, bundle) -> None:  # noqa: F811
    data = rows()
    tally = stream(data, traffic(http))
    assert tally.failed == {} and len({row.id for row in tally.rows}) == len(tally.rows) == 300
    by_row = {sum(map(int, row.id.rpartition("-")[2].split("/"))): row for row in tally.rows}
    expected = bundle.score(data.features)[1]
    assert [by_row[place].score for place in range(300)] == pytest.approx(expected.tolist(), abs=1e-6)
    assert [by_row[place].label for place in range(300)] == data.y.tolist()
    assert all(row.predicted == (row.score >= 0.4) and row.version == "1" for row in tally.rows)


def test_the_data_begin_anew_and_the_rate_is_kept(http) -> None:  # noqa: F811
    tally = stream(rows(50), traffic(http, rows=120, batch=1, rate=150.0))
    times = sorted(row.time for row in tally.rows)
    assert len(times) == 120
    # 119 gaps of 1 / 150 s; a busy machine may take longer, never less.
    assert times[-1] - times[0] > 0.7


def test_spoilt_requests_are_refused_and_missing_cells_are_scored(http) -> None:  # noqa: F811
    tally = stream(rows(), traffic(http, malformed=1.0, missing=0.5))
    assert (tally.refused, tally.accepted, tally.failed) == (60, 0, {})
    assert len(tally.rows) == 300


def test_a_predictor_that_goes_away_is_counted_and_not_fatal(http) -> None:  # noqa: F811
    seen = []

    def watch(tally, progress) -> None:
        seen.append(progress)

    tally = stream(rows(), traffic(http, model="cards"), watch=watch)
    assert seen[-1] == 1.0 and len(tally.seconds) == 60
    with pytest.raises(StateError, match="does not answer"):
        stream(rows(), traffic(http, url="http://127.0.0.1:9"))
    with pytest.raises(StateError, match="does not serve"):
        stream(rows(), traffic(http, model="other"))


def test_data_without_a_feature_are_refused_before_any_row(http) -> None:  # noqa: F811
    data = rows()
    schema = dataclasses.replace(SCHEMA, features=SCHEMA.features[:2])
    with pytest.raises(DataError) as caught:
        stream(Dataset(data.features[["amount", "moment"]], data.y, data.row_id, schema), traffic(http))
    assert caught.value.value == "country"


def test_a_token_that_cannot_be_read_is_told_before_anything_is_sent(tmp_path: Path, capsys) -> None:
    words = ["simulate", "--url", "http://127.0.0.1:9", "--model", "cards", "--data", "builtin:cards"]
    with pytest.raises(SystemExit) as ended:
        main([*words, "--feedback-token-file", str(tmp_path / "nowhere")])
    said = capsys.readouterr().err
    assert ended.value.code == 2 and "--feedback-token-file" in said and "Traceback" not in said


def test_the_command_writes_the_answered_rows(http, tmp_path: Path, capsys) -> None:  # noqa: F811
    data = rows()
    source = data.features.assign(fraud=np.where(data.y == 1, "yes", "no"))
    source["moment"] = pd.to_datetime(source["moment"], unit="s")
    source.to_csv(tmp_path / "rows.csv", index=False)
    command = ["simulate", "--url", str(http.base_url), "--model", "cards", "--rate", "5000", "--rows", "200"]
    command += [
        "--data",
        str(tmp_path / "rows.csv"),
        "--target",
        "fraud",
        "--drift",
        "prior",
        "--strength",
        "2",
    ]
    command += ["--keep-column", "amount", "--keep-column", "moment", "--out", str(tmp_path / "sent.parquet")]
    with pytest.raises(SystemExit) as ended:
        main(command)
    assert not ended.value.code, capsys.readouterr().err
    assert "200 rows answered" in capsys.readouterr().out
    sent = pd.read_parquet(tmp_path / "sent.parquet")
    assert set(sent["intensity"]) == {0.0, 1.0}
    halves = sent["label"][sent["intensity"] == 0].mean(), sent["label"][sent["intensity"] == 1].mean()
    assert halves[1] > halves[0] + 0.1
