"""The file of schedules, as far as it can be checked without a server."""

import json

import pytest
import yaml

from minorkey.cli import app
from minorkey.errors import SpecError
from minorkey.schedules import load_schedules

NIGHTLY = {"name": "nightly", "cron": "0 0 3 * * *", "spec": {"model": "fraud"}}


def written(folder, schedules, **more):
    path = folder / "schedules.yaml"
    path.write_text(yaml.safe_dump({"owner": "team", "schedules": schedules, **more}))
    return path


def test_paths_are_meant_from_the_file_on(tmp_path):
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs/fraud.yaml").write_text("model: fraud\nsearch: {trials: 7}\n")
    (tmp_path / "tune.yaml").write_text("{}")
    schedule = {
        **NIGHTLY,
        "spec": "specs/fraud.yaml",
        "reason": "fresh rows",
        "parameters": {"mode": "refit"},
    }
    schedules = load_schedules(written(tmp_path, [schedule], pipelines={"tune": "tune.yaml"}))
    (wanted,) = schedules.wanted
    assert wanted.package == tmp_path / "tune.yaml" and wanted.display_name == "team/nightly"
    assert json.loads(wanted.parameters.pop("spec")) == {"model": "fraud", "search": {"trials": 7}}
    assert wanted.parameters == {"model": "fraud", "reason": "fresh rows", "mode": "refit"}


def test_a_version_that_is_named_needs_no_package(tmp_path):
    (tmp_path / "tune.yaml").write_text("{}")
    path = written(tmp_path, [{**NIGHTLY, "pipeline_version": "tune-1"}], pipelines={"tune": "tune.yaml"})
    (wanted,) = load_schedules(path).wanted
    assert (wanted.package, wanted.pipeline_version) == (None, "tune-1")


@pytest.mark.parametrize(
    ("change", "key", "allowed"),
    [
        ({"cron": "0 3 * * *"}, "schedule nightly: cron", "six fields"),
        ({"crom": "x"}, "schedules.0.crom", "cron"),
        ({"time_zone": "Europe/Berlin"}, "schedules.0.time_zone", "one of"),
        ({"max_concurrency": 11}, "schedules.0.max_concurrency", "from 1 to 10"),
        ({"enabled": "sometimes"}, "schedules.0.enabled", "true or false"),
        ({"name": "Nightly run"}, "schedules.0.name", "small letters"),
        ({"spec": {"search": {"trials": -1}}}, "schedule nightly: spec search.trials", "whole number"),
        ({"spec": "none.yaml"}, "none.yaml", "a YAML file"),
        ({"spec": 7}, "schedules.0.spec", "a text"),
        ({"parameters": {"spec": "{}"}}, "schedule nightly: parameters.spec", "other parameters"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, change, key, allowed):
    with pytest.raises(SpecError) as caught:
        load_schedules(written(tmp_path, [{**NIGHTLY, **change}]))
    assert key in caught.value.key and allowed in caught.value.allowed and caught.value.remedy


@pytest.mark.parametrize("lacking", ["name", "cron", "spec"])
def test_what_is_needed_is_named(tmp_path, lacking):
    schedule = {name: value for name, value in NIGHTLY.items() if name != lacking}
    with pytest.raises(SpecError, match="lacks a key") as caught:
        load_schedules(written(tmp_path, [schedule]))
    assert caught.value.key == f"schedules.0.{lacking}"


def test_an_owner_is_needed(tmp_path):
    (tmp_path / "schedules.yaml").write_text("schedules: []\n")
    with pytest.raises(SpecError, match="lacks a key") as caught:
        load_schedules(tmp_path / "schedules.yaml")
    assert caught.value.key == "owner" and "left alone" in caught.value.allowed


def test_two_schedules_of_one_name_are_refused(tmp_path):
    with pytest.raises(SpecError, match="one name") as caught:
        load_schedules(written(tmp_path, [NIGHTLY, NIGHTLY]))
    assert caught.value.key == "schedule nightly: name"


def test_a_package_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(SpecError, match="not there") as caught:
        load_schedules(written(tmp_path, [NIGHTLY], pipelines={"tune": "tune.yaml"}))
    assert caught.value.key == "pipelines.tune" and "minorkey compile" in caught.value.remedy


def test_where_nothing_is_sent_a_package_may_be_missing_and_the_rest_is_looked_at(tmp_path, capsys):
    path = written(tmp_path, [NIGHTLY], pipelines={"tune": "tune.yaml"})
    app(["schedule", str(path), "--validate"], exit_on_error=False, result_action="return_value")
    told = capsys.readouterr().out
    assert f"not here: the compiled pipeline tune: {tmp_path / 'tune.yaml'}" in told and "is right" in told
    path = written(tmp_path, [{**NIGHTLY, "cron": "0 3 * * 1"}], pipelines={"tune": "tune.yaml"})
    for options in ([], ["--validate"]):
        with pytest.raises(SpecError, match="5 fields"):
            app(["schedule", str(path), *options], exit_on_error=False, result_action="return_value")


@pytest.mark.parametrize("text", ["", "- a\n", "owner: [", "\x00"])
def test_what_is_no_such_file_is_refused(tmp_path, text):
    (tmp_path / "schedules.yaml").write_text(text)
    with pytest.raises(SpecError):
        load_schedules(tmp_path / "schedules.yaml")
    with pytest.raises(SpecError, match="cannot be read"):
        load_schedules(tmp_path / "none.yaml")
