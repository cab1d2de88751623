"""Bad input as a user meets it: exit code 2, one message, no traceback, and every folder as it was.

Which message belongs to which data is proven in ``tests/data/test_bad_input.py``; here the whole command
runs, with the processes of its pipeline.
"""

import json
import os
import resource
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from minorkey.cli import main
from minorkey.errors import StateError
from minorkey.run_state import RunFolder
from minorkey.spec import RunSpec
from minorkey.tracking.client import client
from tests.data.raw_frames import rare_frame, write_csv
from tests.serving.bundles import ROW, small_bundle

Refused = Callable[..., str]
Contents = dict[str, bytes | None]


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Refused:
    """A command in a folder of its own that has to fail as promised; its standard error."""
    work, home = tmp_path / "work", tmp_path / "home"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("MINORKEY_HOME", str(home))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    def call(*arguments: object, told: tuple[str, ...]) -> str:
        before = contents(work)
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        assert end.value.code == 2, printed.err
        check_message(printed.err, told)
        assert printed.out == ""
        assert contents(work) == before
        assert [path.name for path in home.glob("leases/*.json")] == []
        return printed.err

    return call


def check_message(text: str, told: tuple[str, ...]) -> None:
    """One error, its last words, with what, where and what to do about it."""
    assert "Traceback" not in text
    assert [line for line in text.splitlines() if line.startswith("error:")] != []
    head, _, message = text.partition("error: ")
    assert "error:" not in head + message
    for words in ("where:", *told):
        assert words in message, message
    assert "allowed:" in message or "remedy:" in message, message
    assert len(message) < 2_000


def contents(folder: Path) -> Contents:
    """Every path below a folder with its bytes, None for a folder."""
    return {
        str(path.relative_to(folder)): None if path.is_dir() else path.read_bytes()
        for path in folder.rglob("*")
        if not path.is_file() or path.stat().st_size < 10_000_000
    }


def save(frame: pd.DataFrame) -> str:
    return write_csv(frame, Path())


def recoded(values: list[object]) -> pd.DataFrame:
    frame = rare_frame()
    return frame.assign(fraud=[values[row % len(values)] for row in range(len(frame))])


def missing_file() -> str:
    return "absent.csv"


def empty_file() -> str:
    Path("rows.csv").touch()
    return "rows.csv"


def header_only() -> str:
    return save(rare_frame().head(0))


def one_class() -> str:
    return save(recoded([0]))


def three_classes() -> str:
    return save(recoded([0, 1, 2]))


def target_with_missing_values() -> str:
    return save(recoded([0, 1, 0, None]))


def only_missing_columns() -> str:
    return save(rare_frame()[["fraud"]].assign(first=None, second=None))


def duplicate_columns() -> str:
    Path("rows.csv").write_text("amount,speed,amount,fraud\n1,2,3,0\n")
    return "rows.csv"


def two_positives() -> str:
    return save(rare_frame(positives=2))


def infinite_value() -> str:
    frame = rare_frame()
    frame.loc[4, "amount"] = np.inf
    return save(frame)


def ten_thousand_columns() -> str:
    names = [f"c{number}" for number in range(9_999)]
    Path("rows.csv").write_text(",".join([*names, "fraud"]) + "\n" + "1," * 9_999 + "0\n")
    return "rows.csv"


def cell_of_100_mb() -> str:
    Path("rows.csv").write_bytes(b"note,fraud\nshort,0\n" + b"x" * 100_000_000 + b",1\n")
    return "rows.csv"


def wrong_encoding() -> str:
    rare_frame().assign(channel="Zürich").to_csv("rows.csv", index=False, encoding="latin-1")
    return "rows.csv"


def time_that_does_not_parse() -> str:
    times = pd.date_range("2024-01-01", periods=400, freq="h").astype(str).to_list()
    times[12] = "yesterday"
    return save(rare_frame().assign(when=times))


def slow(write: Callable[[], str], told: tuple[str, ...]) -> Any:
    """A case like the others, each of which starts processes: `make test` does with a few of them."""
    return pytest.param(write, told, (), marks=pytest.mark.slow)


@pytest.mark.parametrize(
    ("write", "told", "options"),
    [
        (missing_file, ("data.source", "absent.csv"), ()),
        (empty_file, ("rows.csv", "0 bytes"), ()),
        (header_only, ("rows.csv", "0 rows"), ()),
        slow(one_class, ("fraud", "exactly two values")),
        slow(three_classes, ("fraud", "3 values")),
        (target_with_missing_values, ("fraud, row 4", "100 rows"), ()),
        slow(only_missing_columns, ("data.features", "every value is missing")),
        slow(duplicate_columns, ("rows.csv", "amount")),
        slow(two_positives, ("fraud", "at least 4")),
        slow(infinite_value, ("column amount, row 5", "inf")),
        slow(ten_thousand_columns, ("rows.csv", "10,000 columns", "2,000")),
        slow(cell_of_100_mb, ("1,000,000 bytes",)),
        slow(wrong_encoding, ("rows.csv, line 2", "byte 0xfc", "UTF-8")),
        (time_that_does_not_parse, ("when, row 13", "yesterday"), ("--set", "data.event_time=when")),
    ],
)
def test_data(
    refused: Refused, write: Callable[[], str], told: tuple[str, ...], options: tuple[str, ...]
) -> None:
    source = write()
    refused("run", "--data", source, "--target", "fraud", "--out", "new/out", *options, told=told)
    Path(source).unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("command", "options"),
    [("run", ("--data", "raws.csv")), ("init", ("raws.csv",)), ("profile", ("raws.csv",))],
)
def test_a_path_is_checked_before_any_work(refused: Refused, command: str, options: tuple[str, ...]) -> None:
    save(rare_frame())
    printed = refused(
        command, *options, "--target", "fraud", told=("data.source", "raws.csv", "did you mean 'rows.csv'?")
    )
    assert printed.startswith("error: "), "a step was started"
    Path("folder").mkdir()
    Path("empty.csv").touch()
    for source, told in (("folder", "this is a folder"), ("file://empty.csv", "0 bytes")):
        refused("run", "--data", source, "--target", "fraud", told=(told,))


def test_a_column_without_values_is_left_out_aloud_and_too_few_positives_for_the_folds_end_the_run(
    refused: Refused,
) -> None:
    source = save(rare_frame(positives=4).assign(empty=None))
    printed = refused(
        "run", "--data", source, "--target", "fraud", told=("split.outer_folds", "5 folds, 4 positive rows")
    )
    assert "left out empty: every value is missing" in printed
    assert printed.index("left out empty") < printed.index("preprocess ...")


def test_a_finished_run_survives_bad_input_under_overwrite(refused: Refused) -> None:
    with RunFolder.hold(Path("out"), RunSpec()) as folder:
        (folder.out / "result.json").write_text('{"mine": true}')
        (folder.out / "bundle").mkdir()
        (folder.out / "bundle" / "model.onnx").write_bytes(b"model")
        folder.finish()
    source = save(rare_frame())
    refused(
        *("run", "--data", source, "--target", "Fruad", "--out", "out", "--overwrite"),
        told=("data.target", "Fruad", "'fraud'"),
    )
    assert json.loads(Path("out/state.json").read_text())["status"] == "finished"


SPECS = [
    ("search: {trails: 3}", ("search.trails", "trials")),
    ("colour: red", ("colour", "data, deploy")),
    ("search: {trials: -1}", ("search.trials", "-1", "a whole number from 1 to 100,000", "correct")),
    ("search: {families: [foo]}", ("search.families", "foo", "lightgbm", "leave search.families out")),
    ("search: {threshold: {policy: top_k}}", ("search.threshold.top_fraction", "above 0 and below 1")),
    ("split: {label_delay: soon}", ("split.label_delay", "soon", "7d", "correct split.label_delay")),
    ("search: [", ("spec.yaml", "UTF-8 YAML", "mend the line")),
    ("[1, 2]", ("spec.yaml", "list")),
    ("data: {source: rows.csv}", ("data.target", "--target")),
]


@pytest.mark.parametrize(("text", "told"), SPECS)
def test_specification(refused: Refused, text: str, told: tuple[str, ...]) -> None:
    Path("spec.yaml").write_text(text)
    refused("run", "spec.yaml", "--out", "out", told=told)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--trials", "-1"), ("search.trials", "-1")),
        (("--set", "search.trails=3"), ("search.trails", "trials")),
        (("--set", "search.trials"), ("--set", "key.sub=value", "--set search.trials=100")),
        (("--set", "search.families=[xgboost"), ("--set search.families", "[a, b]", "close every bracket")),
        (("--set", "search.trials.all=2"), ("search.trials", "whole number")),
        (("--set", "data.source=3"), ("data.source", "3")),
        (("--data", "rows.csv"), ("data.target",)),
        (("absent.yaml",), ("absent.yaml",)),
    ],
)
def test_options(refused: Refused, options: tuple[str, ...], told: tuple[str, ...]) -> None:
    refused("run", *options, "--out", "out", told=told)


def mounted(folder: Path, options: str) -> Iterator[Path]:
    """A small file system of its own, where this process may mount one."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", options, "none", str(folder)]
    if os.geteuid() != 0 or shutil.which("mount") is None or subprocess.run(command).returncode != 0:
        pytest.skip("mounting a small file system needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def small_disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    yield from mounted(tmp_path / "disk", f"size={request.param}")


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A folder in which nobody, root included, can write."""
    if os.geteuid() == 0:
        yield from mounted(tmp_path / "disk", "ro")
    else:
        folder = tmp_path / "disk"
        folder.mkdir(mode=0o555)
        yield folder


@pytest.mark.parametrize("small_disk", ["4k", "16k", "64k"], indirect=True)
def test_full_disk(refused: Refused, small_disk: Path) -> None:
    """It runs full while the folder is prepared, before the pipeline starts, and within a step."""
    source = save(rare_frame())
    refused(
        *("run", "--data", source, "--target", "fraud", "--out", small_disk / "runs/out"),
        told=(str(small_disk), "o space left", "make room"),
    )
    assert sorted(small_disk.rglob("*")) == []


@pytest.mark.parametrize("small_disk", ["8k"], indirect=True)
def test_full_disk_of_what_outlives_a_run(
    refused: Refused, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINORKEY_HOME", str(small_disk / "home"))
    (small_disk / "ballast").write_bytes(b"x" * 8_192)
    source = save(rare_frame())
    refused("run", "--data", source, "--target", "fraud", told=("leases", "o space left", "MINORKEY_HOME"))
    with pytest.raises(StateError, match="database cannot be written") as caught:
        client()
    assert caught.value.exit_code == 2
    assert {path.name for path in small_disk.rglob("*") if path.is_file()} == {
        *("ballast", "rows.lock", ".mlflow.db.lock"),
    }


def test_no_room_for_a_file(tmp_path: Path) -> None:
    """The limit on a file's size refuses the write in the kernel, for every user."""
    limit = 1_000
    done = limited(limit, "run", "--out", "new/out", folder=tmp_path)
    assert done.returncode == 2
    check_message(done.stderr, ("new/out", "File too large", "make room"))
    assert list(tmp_path.iterdir()) == []


def limited(size: int, *arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    """A command whose files may not grow beyond a size."""
    return subprocess.run(
        [sys.executable, "-m", "minorkey", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "MINORKEY_HOME": str(folder / "home")},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
        capture_output=True,
        text=True,
    )


def test_output_below_a_file(refused: Refused) -> None:
    source = save(rare_frame())
    refused("run", "--data", source, "--target", "fraud", "--out", f"{source}/out", told=(f"{source}/out",))


def test_output_that_is_a_file(refused: Refused) -> None:
    source = save(rare_frame())
    refused("run", "--data", source, "--target", "fraud", "--out", source, told=(source, "new or empty"))


def test_read_only_output(refused: Refused, read_only: Path) -> None:
    out = read_only / "runs/out"
    refused("run", "--out", out, told=(str(out), "another --out"))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_bundle(tmp_path_factory.mktemp("bundle") / "bundle").folder


def altered(bundle: Path) -> Path:
    shutil.copytree(bundle, "altered")
    graph = Path("altered/model.onnx")
    graph.write_bytes(graph.read_bytes()[:-1] + b"\0")
    return Path("altered")


def rows_to_score(**columns: object) -> Path:
    pd.DataFrame([ROW, ROW]).assign(**columns).to_csv("new.csv", index=False)
    return Path("new.csv")


def predict(bundle: Path, data: Path, out: object = "scores.csv") -> tuple[object, ...]:
    return ("predict", "--bundle", bundle, "--data", data, "--out", out)


def test_predict_with_a_bundle_that_is_absent_or_altered(refused: Refused, bundle: Path) -> None:
    data = rows_to_score()
    refused(*predict(Path("absent"), data), told=("absent", "no bundle"))
    refused(*predict(altered(bundle), data), told=("altered", "model.onnx"))


def test_predict_with_data_that_do_not_fit(refused: Refused, bundle: Path) -> None:
    Path("scores.csv").write_text("of an earlier day")
    pd.DataFrame([ROW]).rename(columns={"amount": "amuont"}).to_csv("new.csv", index=False)
    refused(*predict(bundle, Path("new.csv")), told=("amount", "'amuont'"))
    for columns, told in (
        ({"amount": ["1", "much"]}, ("column amount, row 2", "much")),
        ({"moment": "noon"}, ("column moment, row 1", "ISO 8601")),
        ({"moment": "0001-01-01"}, ("column moment, row 1", "0001-01-01")),
        ({"amount": [1, np.inf]}, ("column amount, row 2", "inf")),
    ):
        printed = refused(*predict(bundle, rows_to_score(**columns)), told=(*told, "leave the cell"))
        assert "data." not in printed, "it advises a key of a specification"


def test_predict_with_a_file_that_cannot_be_read_speaks_of_its_options(
    refused: Refused, bundle: Path
) -> None:
    refused(*predict(bundle, Path("absent.csv")), told=("where:   --data", "absent.csv"))
    Path("rows.dat").write_text("amount\n1\n")
    refused(*predict(bundle, Path("rows.dat")), told=("--data", "or set --format, e.g. csv"))
    wide = pd.DataFrame([range(2_001)]).add_prefix("c")
    wide.to_csv("wide.csv", index=False)
    printed = refused(*predict(bundle, Path("wide.csv")), told=("wide.csv", "2,001 columns", "at most 2,000"))
    assert "data." not in printed


@pytest.mark.parametrize(
    ("out", "told"),
    [
        ("scores.xlsx", ("--out", ".csv or .parquet")),
        ("absent/scores.csv", ("absent/scores.csv",)),
        ("absent/scores.parquet", ("absent/scores.parquet",)),
        ("new.csv/scores.csv", ("new.csv/scores.csv",)),
        ("new.csv/scores.parquet", ("new.csv/scores.parquet",)),
    ],
)
def test_predict_into_what_cannot_be_written(
    refused: Refused, bundle: Path, out: str, told: tuple[str, ...]
) -> None:
    refused(*predict(bundle, rows_to_score(), out), told=told)


def test_predict_onto_a_read_only_or_full_disk(refused: Refused, bundle: Path, read_only: Path) -> None:
    refused(*predict(bundle, rows_to_score(), read_only / "scores.csv"), told=(str(read_only),))
    refused(*predict(bundle, rows_to_score(), read_only / "scores.parquet"), told=(str(read_only),))


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_predict_without_room_keeps_what_was_there(tmp_path: Path, bundle: Path, suffix: str) -> None:
    pd.DataFrame([ROW] * 3_000).to_csv(tmp_path / "new.csv", index=False)
    out = tmp_path / f"scores.{suffix}"
    out.write_text("of an earlier day")
    done = limited(500, *predict(bundle, tmp_path / "new.csv", out), folder=tmp_path)
    assert done.returncode == 2, done.stderr
    check_message(done.stderr, (str(out),))
    assert out.read_text() == "of an earlier day"
    assert {path.name for path in tmp_path.iterdir()} == {"new.csv", out.name}


def test_serve(refused: Refused, bundle: Path) -> None:
    refused("serve", "--bundle", "absent", told=("absent", "no bundle"))
    refused("serve", "--bundle", altered(bundle), told=("altered", "model.onnx"))
    refused("serve", "--bundle", bundle, "--model", "cards@champion", told=("--bundle, --model",))
    refused("serve", "--model", "absent@champion", told=("absent@champion", "NAME@ALIAS"))
    refused("serve", "--bundle", bundle, "--port", "70000", told=("70000",))
    refused("serve", "--bundle", bundle, "--host", "x" * 100, told=("x" * 100,))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused("serve", "--bundle", bundle, "--port", port, told=(str(port), "another port"))
