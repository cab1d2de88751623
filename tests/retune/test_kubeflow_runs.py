"""Retunes on Kubeflow Pipelines, through kfp's own client against an API on loopback."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from minorkey.data.sources import Limits, read_table
from minorkey.errors import SpecError, StateError
from minorkey.feedback.intake import Intake
from minorkey.feedback.service import feedback_url
from minorkey.feedback.spec import load_feedback_spec
from minorkey.retune.kubeflow_runs import KubeflowRuns
from minorkey.retune.launcher import Launch
from minorkey.retune.spec import KubeflowSpec, ModelSpec
from pipelines.kubeflow import Server
from pipelines.submitting import submit
from tests.feedback.places import Clock, label, mature, record
from tests.kfp.server import Pipelines, serving
from tests.kfp.test_submitting import PACKAGE, SPEC

LAUNCH = Launch("retune-fraud-7-abc", "fraud", "performance_down", "MCC fell", "3")


@pytest.fixture
def database() -> Iterator[Pipelines]:
    with serving() as database:
        submit(SPEC, Server(database.url), package=PACKAGE)
        yield database


def runs_on(
    database: Pipelines, tmp_path: Path, source: str = "builtin:cards", root: str = ""
) -> KubeflowRuns:
    spec = tmp_path / "fraud.yaml"
    spec.write_text(f"model: other\ndata: {{source: '{source}', target: fraud}}\n")
    models = {"fraud": ModelSpec(spec=str(spec), settings=("search.trials=7",))}
    feedback = str(tmp_path / "feedback.yaml") if root else ""
    return KubeflowRuns(KubeflowSpec(host=database.url, feedback_root=root), models, feedback)


def test_a_launch_is_submitted_once_however_often_it_is_made(database: Pipelines, tmp_path: Path) -> None:
    place = runs_on(database, tmp_path)
    first = place.launch(LAUNCH)
    assert place.launch(LAUNCH) == first
    (run,) = [run for run in database.runs.values() if run["display_name"] == LAUNCH.key]
    given = run["runtime_config"]["parameters"]
    spec = json.loads(given["spec"])
    assert (spec["model"], spec["search"]["trials"]) == ("fraud", 7)
    assert given["reason"] == "performance_down: MCC fell"
    assert given["base_version"] == "3" and "feedback_uri" not in given


@pytest.mark.parametrize("kind", ["folder", "bucket"])
def test_labelled_rows_of_production_go_where_the_run_can_read_them(
    database: Pipelines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, request
) -> None:
    monkeypatch.setenv("MINORKEY_HOME", str(tmp_path / "home"))
    root = request.getfixturevalue("s3") if kind == "bucket" else str(tmp_path / "shared")
    (tmp_path / "feedback.yaml").write_text("models: {fraud: {target: fraud, label_horizon: 1d}}\n")
    place = runs_on(database, tmp_path, root=root)
    place.launch(LAUNCH)
    assert "feedback_uri" not in parameters_of(database, LAUNCH.key), "there are no rows yet"
    clock = Clock()
    intake = Intake(feedback_url(), load_feedback_spec(tmp_path / "feedback.yaml"), clock)
    intake.predictions("fraud", "3", 0.5, [record(1), record(2)])
    intake.labels("fraud", [label(1)])
    mature(intake, clock)
    later = dataclasses.replace(LAUNCH, key="retune-fraud-8-abc")
    place.launch(later)
    uri = parameters_of(database, later.key)["feedback_uri"]
    assert uri == f"{root}/{later.key}.parquet"
    assert read_table(uri, {}, Limits(100, 1_000, {})).frame["fraud"].tolist() == [1, 0]


def parameters_of(database: Pipelines, name: str) -> dict[str, str]:
    (run,) = [run for run in database.runs.values() if run["display_name"] == name]
    return run["runtime_config"]["parameters"]


@pytest.mark.parametrize(
    ("states", "failures", "state"),
    [
        (["SUCCEEDED"], {}, "succeeded"),
        (["RUNNING"], {}, "running"),
        (["CANCELED"], {}, "cancelled"),
        (["FAILED"], {"tune": "no memory"}, "failed"),
        (["FAILED"], {"load": "StateError: a run of model fraud is in flight"}, "busy"),
    ],
)
def test_the_servers_word_is_told(
    database: Pipelines, tmp_path: Path, states: list[str], failures: dict[str, str], state: str
) -> None:
    database.planned, database.task_failures = states, failures
    place = runs_on(database, tmp_path)
    assert place.look(place.launch(LAUNCH)).state == state


def test_a_server_that_is_away_is_tried_again_and_a_wrong_specification_is_not(
    database: Pipelines, tmp_path: Path
) -> None:
    database.broken = 503
    with pytest.raises(StateError):
        runs_on(database, tmp_path).launch(LAUNCH)
    database.broken = 0
    with pytest.raises(SpecError):
        runs_on(database, tmp_path, source="rows.csv").launch(LAUNCH)
