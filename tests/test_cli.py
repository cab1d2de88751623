"""The commands as people call them: what they print, write, refuse and return."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from minorkey.cli import main
from minorkey.cli.run import parse_settings, resolve_spec, scalar
from minorkey.errors import SpecError
from minorkey.spec import RunSpec, load_spec


def call(*arguments: object) -> int:
    """Exit code of a command that runs in this process."""
    try:
        main([str(argument) for argument in arguments])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def command(*arguments: object, folder: Path, **options: object) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own, in a folder of its own."""
    return subprocess.run(
        [sys.executable, "-m", "minorkey", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "MINORKEY_HOME": str(folder / "home"), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        **options,
    )


@pytest.fixture
def rows(tmp_path) -> Path:
    random = np.random.default_rng(5)
    x = random.normal(size=600)
    y = np.where(random.random(600) < 1 / (1 + np.exp(2.5 - 2 * x)), "yes", "no")
    frame = pd.DataFrame(
        {"x": x, "colour": random.choice(["red", "blue"], 600), "answer": y == "yes", "y": y}
    )
    frame.to_csv(tmp_path / "My rows.csv", index=False)
    return tmp_path / "My rows.csv"


def flags(**given: object) -> dict:
    return {key.replace("__", "."): value for key, value in given.items()}


def test_flags_settings_and_kept_columns_override_the_specification(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text(
        "model: mine\nseed: 3\ndata: {source: a.csv, target: y, keep: [id]}\nsearch: {trials: 9}\n"
    )
    spec, assumed = resolve_spec(
        path,
        flags=flags(search__trials=12, seed=None),
        settings=["search.ensemble=1", "data.drop=[z, w]"],
        keep=["agent"],
    )
    assert (spec.model, spec.seed, spec.search.trials, spec.search.ensemble) == ("mine", 3, 12, 1)
    assert spec.data.keep == ("id", "agent")
    assert spec.data.drop == ("z", "w")
    assert assumed == []


@pytest.mark.parametrize(
    ("source", "model"),
    [
        ("My data.v2.csv", "my-data"),
        ("s3://bucket/some/Rows.parquet?x=1", "rows"),
        ("openml:31", "openml-31"),
    ],
)
def test_a_model_without_a_name_is_called_after_its_data(source, model):
    spec, assumed = resolve_spec(
        None, flags=flags(data__source=source, data__target="y"), settings=[], keep=[]
    )
    assert spec.model == model
    assert model in assumed[0] and "--set model=" in assumed[0]


def test_the_built_in_data_keep_the_default_name():
    spec, assumed = resolve_spec(None, flags={}, settings=[], keep=[])
    assert spec == RunSpec() and assumed == []


@pytest.mark.parametrize(
    ("text", "value"), [("1", 1), ("0.5", 0.5), ("true", True), ("yes", "yes"), (">50K", ">50K")]
)
def test_a_positive_value_is_a_number_where_it_reads_as_one(text, value):
    assert scalar(text) == value and type(scalar(text)) is type(value)


def test_a_setting_without_a_value_is_refused():
    with pytest.raises(SpecError, match="not understood"):
        parse_settings(["search.trials"])


def test_schema_is_json_that_names_every_section(capsys):
    assert call("schema") == 0
    assert set(json.loads(capsys.readouterr().out)["properties"]) == set(RunSpec.model_fields)


def test_init_writes_a_specification_that_loads_and_is_not_overwritten(rows, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert call("init", rows, "--target", "y") == 0
    spec = load_spec(tmp_path / "my-rows.yaml")
    assert (spec.data.target, spec.data.positive) == ("y", "yes")
    assert "answer" in (tmp_path / "my-rows.yaml").read_text()
    assert call("init", rows, "--target", "y") == 2
    assert "--overwrite" in capsys.readouterr().err
    assert call("init", rows, "--target", "y", "--overwrite") == 0


def test_profile_tells_of_the_leak_in_text_and_in_json(rows, capsys):
    assert call("profile", rows, "--target", "y") == 0
    assert "answer" in capsys.readouterr().out
    assert call("profile", rows, "--target", "y", "--json") == 0
    profile = json.loads(capsys.readouterr().out)
    assert profile["rows"] == 600
    assert [suspect["columns"] for suspect in profile["leak_suspects"]] == [["answer"]]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", "--trials", "-1"], "search.trials"),
        (["run", "--trials", "many"], "--trials"),
        (["run", "--data", "rows.csv"], "--target"),
        (["run", "--set", "search.trails=3"], "search.trails"),
        (["run", "absent.yaml"], "absent.yaml"),
        (["run", "--colour", "red"], "--colour"),
        (["predict", "--bundle", "absent", "--data", "a.csv", "--out", "scores.xlsx"], ".parquet"),
        (["predict", "--bundle", "absent", "--data", "a.csv", "--out", "scores.csv"], "absent"),
        (["serve", "--bundle", "absent", "--model", "x@champion"], "--bundle"),
        (["serve", "--bundle", "absent"], "absent"),
        (["report", "absent"], "absent"),
        (["profile", "absent.csv", "--target", "y"], "absent.csv"),
        (["dance"], "dance"),
    ],
)
def test_bad_input_ends_with_2_and_one_message(arguments, told, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert call(*arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and told in error
    assert "Traceback" not in error
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_is_an_error_of_the_first_step_and_leaves_nothing(tmp_path):
    done = command("run", "--data", "absent.csv", "--target", "y", folder=tmp_path)
    assert done.returncode == 2
    assert "absent.csv" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "runs" / "absent").exists()


@pytest.mark.parametrize("out", ["a-file", "a-file/below", "/proc/minorkey", "foreign"])
def test_an_output_that_cannot_be_is_refused_and_left_alone(out, tmp_path):
    (tmp_path / "a-file").write_text("mine")
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "thesis.txt").write_text("mine")
    done = command("run", "--out", out, folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ") and out.partition("/")[0] in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "foreign" / "thesis.txt").read_text() == "mine"
    assert [path.name for path in (tmp_path / "foreign").iterdir()] == ["thesis.txt"]


def test_a_full_disk_is_said_in_one_message(tmp_path):
    def no_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))

    done = command("run", "--set", "data.options.rows=5000", folder=tmp_path, preexec_fn=no_room)
    assert done.returncode == 2
    assert "disk" in done.stderr and "Traceback" not in done.stderr


def test_quiet_prints_nothing_but_the_error(rows, tmp_path):
    done = command("run", "--data", rows, "--target", "absent", "--quiet", folder=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")


def test_help_of_every_command_has_an_example(capsys):
    assert call("--help") == 0
    overview = capsys.readouterr().out
    for name in ("run", "init", "profile", "report", "predict", "serve", "schema", "compile"):
        assert name in overview
        assert call(name, "--help") == 0
        assert "xample" in capsys.readouterr().out


def test_a_defect_is_a_short_message_and_a_log(tmp_path, monkeypatch, capsys):
    def broken(*arguments: object, **options: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr("minorkey.cli.run.entry_point", lambda name: broken)
    assert call("compile", "--out", tmp_path) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ZeroDivisionError: a defect") and "Traceback" not in error
    (log,) = tmp_path.glob("minorkey-*.log")
    assert str(log) in error and "Traceback" in log.read_text()
