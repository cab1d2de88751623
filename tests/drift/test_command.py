import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from minorkey.cli import main
from minorkey.drift.columns import comparable
from minorkey.drift.comparison import compare
from minorkey.errors import DataError, SpecError
from minorkey.spec import DataSpec


def rows(seed: int, n: int = 400, *, shift: float = 0.0, day: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    start = pd.Timestamp("2024-03-01", tz="UTC") + pd.Timedelta(days=day)
    return pd.DataFrame(
        {
            "happened_at": start + pd.to_timedelta(np.arange(n), unit="min"),
            "transaction_id": np.arange(n) + 10_000 * (day + 1),
            "amount": random.lognormal(3 + shift, 1, n),
            "hour": random.integers(0, 24, n),
            "country <i>": random.choice(["NL", "BE", "$D$E & co"], n, p=[0.6, 0.3, 0.1]),
            "always": 1,
        }
    )


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str, str]:
    """Reference, rows without drift, and rows whose amounts have grown."""
    monkeypatch.chdir(tmp_path)
    rows(0).to_csv("march.csv", index=False)
    rows(1, day=30).to_csv("april.csv", index=False)
    rows(3, shift=0.8, day=60).to_csv("may.csv", index=False)
    return "march.csv", "april.csv", "may.csv"


def ended(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ending:
        main(["drift", *arguments])
    return int(ending.value.code or 0)


def test_the_column_that_moved_is_named(files, capsys):
    assert ended("--reference", files[0], "--current", files[2], "--out", "may.html") == 0
    told = capsys.readouterr().out
    line = next(line for line in told.splitlines() if line.startswith("amount"))
    assert line.endswith("drifted")
    assert "1 of 3 columns drifted" in told
    assert "transaction_id: looks like" in told and "happened_at: has the role" in told
    page = Path("may.html").read_text()
    assert page.count("<svg") == 3 and "country &lt;i&gt;" in page and "$D$E &amp; co" in page
    assert "<script" not in page and "http://www.w3.org" in page


def test_without_drift_nothing_is_found(files, capsys):
    ended("--reference", files[0], "--current", files[1], "--json")
    content = json.loads(capsys.readouterr().out)
    assert content["drifted"] is False
    assert [one["name"] for one in content["columns"] if one["drifted"]] == []
    assert content["rows"] == [400, 400]
    assert all(one["psi"] < one["psi_limit"] for one in content["columns"])
    assert all(abs(sum(one["current"]) - 1) < 1e-9 for one in content["columns"])
    assert [one["test"] for one in content["joint"]] == ["mmd", "classifier"]
    assert not Path("drift.html").exists()


def test_columns_can_be_dropped_and_kept(files, capsys):
    ended("--reference", files[0], "--current", files[2], "--json", "--drop", "amount")
    content = json.loads(capsys.readouterr().out)
    assert "amount" not in [one["name"] for one in content["columns"]]
    ended("--reference", files[0], "--current", files[2], "--json", "--keep-column", "transaction_id")
    content = json.loads(capsys.readouterr().out)
    assert content["columns"][0]["name"] == "transaction_id" and content["columns"][0]["drifted"]


@pytest.mark.parametrize(
    ("change", "options", "told"),
    [
        (lambda frame: frame.drop(columns="amount"), (), "lack columns of the reference"),
        (lambda frame: frame.assign(amount="much"), (), "not a number"),
        (lambda frame: frame.assign(amount=np.inf), (), "infinite"),
        (lambda frame: frame, ("--alpha", "1.5"), "--alpha"),
        (lambda frame: frame, ("--seed", "-1"), "--seed"),
        (lambda frame: frame, ("--out", "nowhere/drift.html"), "cannot be written"),
        (lambda frame: frame[:0], (), "april.csv"),
    ],
)
def test_bad_input_is_refused_with_its_reason(files, capsys, change, options, told):
    change(rows(1, day=30)).to_csv(files[1], index=False)
    assert ended("--reference", files[0], "--current", files[1], *options) == 2
    assert told in capsys.readouterr().err


def test_a_file_that_is_not_there(files, capsys):
    assert ended("--reference", files[0], "--current", "june.csv") == 2
    assert "june.csv" in capsys.readouterr().err


def test_a_column_that_was_constant_or_missing_before_is_compared():
    before, after = rows(0), rows(1).assign(always=np.arange(400) % 7)
    before["empty"], after["empty"] = None, np.arange(400) % 5
    found = compare(comparable(before, after, DataSpec(source="a")), joint=())
    moved = {one.name for one in found.columns if one.drifted}
    assert {"always", "empty"} <= moved


def test_columns_that_only_one_side_has():
    before, after = rows(0), rows(1).assign(new=1).drop(columns="hour")
    spec = DataSpec(source="a", drop=("hour",))
    columns = comparable(before, after, spec)
    assert columns.left_out["new"] == "not in the reference" and columns.left_out["hour"] == "dropped"
    with pytest.raises(DataError, match="lack columns"):
        comparable(before, after, DataSpec(source="a"))


def test_nothing_to_compare():
    only = rows(0)[["transaction_id"]]
    with pytest.raises(DataError, match="no column is left"):
        comparable(only, only, DataSpec(source="a"))
    with pytest.raises(SpecError, match="joint"):
        compare(comparable(rows(0), rows(1), DataSpec(source="a")), joint=("ks",))


def wide(seed: int, columns: int, n: int, moved: dict[str, float]) -> pd.DataFrame:
    """Counts with many ties, of mean 2 but for the columns that moved."""
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            (name := f"c{number}"): random.poisson(moved.get(name, 2.0), n).astype(float)
            for number in range(columns)
        }
    )


@pytest.mark.parametrize("mean", [2.7, 8.0])
def test_a_single_column_is_found_among_many(mean):
    before, after = wide(0, 80, 300, {}), wide(1, 80, 300, {"c7": mean})
    found = compare(comparable(before, after, DataSpec(source="a")), joint=())
    assert [one.name for one in found.columns if one.drifted] == ["c7"]


def test_a_joint_drift_is_found_among_many_columns():
    before, after = wide(0, 80, 150, {}), wide(1, 80, 150, {f"c{number}": 2.4 for number in range(80)})
    found = compare(comparable(before, after, DataSpec(source="a")), joint=("mmd",))
    assert found.joint[0].p_value < 0.05 / 81 and found.joint[0].drifted
