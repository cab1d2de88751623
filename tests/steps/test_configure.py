"""configure: the form becomes sections; what does not fit ends the step with error.json."""

import json

import pytest

from minorkey.errors import InputError, SpecError
from minorkey.form import Compiled, Form
from minorkey.spec import DataSpec, EvaluateSpec, SearchSpec, parse_section
from minorkey.steps import configure

HERE = Compiled("image")


def test_each_section_is_whole_json():
    text = '{"search": {"trials": 3}, "evaluate": {"bootstraps": 200}}'
    done = configure.run(form=Form(data="sklearn:breast_cancer", seed=4, spec=text), compiled=HERE)
    assert (done.model, done.seed) == ("sklearn-breast-cancer", 4)
    assert parse_section(DataSpec, done.data).source == "sklearn:breast_cancer"
    assert parse_section(SearchSpec, done.search).trials == 3
    assert parse_section(EvaluateSpec, done.evaluate).bootstraps == 200


def test_a_form_that_does_not_fit_is_told_in_the_log_and_in_the_error_file(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MINORKEY_ERROR", str(tmp_path / "error.json"))
    with pytest.raises(SystemExit) as ended:
        configure.run(form=Form(trials=-3), compiled=HERE)
    assert ended.value.code == 2
    error = InputError.read(tmp_path / "error.json")
    assert isinstance(error, SpecError) and (error.key, error.value) == ("trials", "-3")
    assert "where:   trials" in capsys.readouterr().err


def test_what_was_assumed_and_why_the_run_was_started_are_events(tmp_path, monkeypatch):
    monkeypatch.setenv("MINORKEY_EVENTS", str(tmp_path / "events"))
    configure.run(form=Form(data="s3://b/rows.csv", target="y", reason="drift on amount"), compiled=HERE)
    events = [json.loads(line) for line in (tmp_path / "events").read_text().splitlines()]
    told = {event["event"]: event.get("text") for event in events}
    assert "rows" in told["assumed"] and told["phase"] == "drift on amount"
