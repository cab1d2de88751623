"""Retunes on Kubeflow Pipelines, through kfp's own client against an API on loopback.

The verdicts of runs lie in a real MLflow, written there as the steps write them.
"""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from minorkey.data.sources import Limits, read_table
from minorkey.errors import SpecError, StateError
from minorkey.feedback.intake import Intake
from minorkey.feedback.service import feedback_url
from minorkey.feedback.spec import load_feedback_spec
from minorkey.retune.cancelling import ask_cancel
from minorkey.retune.kubeflow_runs import KubeflowRuns
from minorkey.retune.launcher import Launch
from minorkey.retune.ledger import Ledger
from minorkey.retune.spec import KubeflowSpec, ModelSpec, RetuneSpec
from minorkey.retune.trigger import Surroundings, Trigger
from minorkey.retune.views import page
from minorkey.tracking import open_run
from minorkey.tracking.verdicts import decision_tags, told_by_run
from pipelines.kubeflow import Server
from pipelines.submitting import submit
from tests.feedback.places import Clock, label, mature, record
from tests.kfp.server import Pipelines, serving
from tests.kfp.test_submitting import PACKAGE, ROOT, SPEC
from tests.retune.surroundings import alert, delivery

LAUNCH = Launch("retune-fraud-7-abc", "fraud", "performance_down", "MCC fell", "3")
ADJUST = ROOT / "pipelines/compiled/adjust.yaml"
VERDICTS: dict[str, Any] = {
    "adjust": {"decision": "keep", "action": "refit", "reason": "the ranking fell"},
    "refit": {"decision": "keep", "reason": "not proven"},
    "search": {"decision": "promote", "reason": "better by 0.1"},
}


@pytest.fixture
def database() -> Iterator[Pipelines]:
    with serving() as database:
        submit(SPEC, Server(database.url), package=PACKAGE)
        submit(SPEC, Server(database.url), pipeline="adjust", package=ADJUST)
        database.runs.clear()
        database.planned = ["SUCCEEDED"]
        yield database


@pytest.fixture(scope="module")
def tracking(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One MLflow for all tests: making its database takes seconds, and run ids are unique."""
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow') / 'mlflow.db'}"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tracking: str) -> None:
    monkeypatch.setenv("MINORKEY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking)
    for name in ("MLFLOW_EXPERIMENT_NAME", "MINORKEY_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("minorkey.registry.data_section", lambda model: {"target": "fraud"})


def runs_on(
    database: Pipelines, tmp_path: Path, source: str = "builtin:cards", root: str = ""
) -> KubeflowRuns:
    spec = tmp_path / "fraud.yaml"
    spec.write_text(f"model: other\ndata: {{source: '{source}', target: fraud}}\n")
    models = {"fraud": ModelSpec(spec=str(spec), settings=("search.trials=7",))}
    feedback = str(tmp_path / "feedback.yaml") if root else ""
    return KubeflowRuns(KubeflowSpec(host=database.url, feedback_root=root), models, feedback)


def spec_of(runs: KubeflowRuns, **changes: Any) -> RetuneSpec:
    given = {"models": runs._models, "launch": "kubeflow", "kubeflow": runs._wanted}
    return RetuneSpec(**given, feedback_spec=runs._feedback, **changes)


def labelled(tmp_path: Path) -> None:
    """Two mature labelled rows in the feedback database."""
    (tmp_path / "feedback.yaml").write_text("models: {fraud: {target: fraud, label_horizon: 1d}}\n")
    clock = Clock()
    intake = Intake(feedback_url(), load_feedback_spec(tmp_path / "feedback.yaml"), clock)
    intake.predictions("fraud", "3", 0.5, [record(1), record(2)])
    intake.labels("fraud", [label(1)])
    mature(intake, clock)


def named(database: Pipelines) -> dict[str, dict[str, Any]]:
    """The runs by their display names, each of which must be there once."""
    names = [run["display_name"] for run in database.runs.values()]
    assert len(set(names)) == len(names)
    return {run["display_name"].removeprefix(f"{LAUNCH.key}-"): run for run in database.runs.values()}


def given(database: Pipelines, stage: str) -> dict[str, Any]:
    return named(database)[stage]["runtime_config"]["parameters"]


def decide(run_id: str, verdict: dict[str, Any], model: str = "fraud") -> None:
    """What the steps of a run leave in MLflow."""
    open_run(model, run_id).log(tags=decision_tags(verdict))


def test_without_labels_a_search_is_submitted_once_however_often_it_is_launched(
    database: Pipelines, tmp_path: Path
) -> None:
    place = runs_on(database, tmp_path)
    database.planned = ["RUNNING", "RUNNING"]
    first = place.launch(LAUNCH)
    assert place.launch(LAUNCH) == first
    told = given(database, "search")
    spec = json.loads(told["spec"])
    assert (spec["model"], spec["search"]["trials"]) == ("fraud", 7)
    assert told["reason"] == "performance_down: MCC fell"
    assert told["base_version"] == "3" and "feedback_uri" not in told


def test_a_run_that_another_trigger_submitted_during_the_export_is_found(
    database: Pipelines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labelled(tmp_path)
    place, other = (runs_on(database, tmp_path, root=str(tmp_path / "shared")) for _ in range(2))
    submitted: list[str] = []

    def slow(launch: Launch) -> str:
        submitted.append(other.launch(launch))
        return other._export(launch)

    monkeypatch.setattr(place, "_export", slow)
    assert place.launch(LAUNCH) == submitted[0] and len(database.runs) == 1


@pytest.mark.parametrize("kind", ["folder", "bucket"])
def test_labelled_rows_of_production_go_where_the_runs_can_read_them(
    database: Pipelines, tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    root = request.getfixturevalue("s3") if kind == "bucket" else str(tmp_path / "shared")
    (tmp_path / "feedback.yaml").write_text("models: {fraud: {target: fraud, label_horizon: 1d}}\n")
    place = runs_on(database, tmp_path, root=root)
    place.launch(LAUNCH)
    assert "feedback_uri" not in given(database, "search"), "there are no rows yet"
    database.runs.clear()
    labelled(tmp_path)
    place.launch(dataclasses.replace(LAUNCH, base_version=""))
    uri = given(database, "search")["feedback_uri"]
    assert uri == f"{root}/{LAUNCH.key}.parquet"
    assert read_table(uri, {}, Limits(100, 1_000, {})).frame["fraud"].tolist() == [1, 0]
    database.runs.clear()
    place.launch(LAUNCH)
    assert given(database, "adjust")["data"] == uri, "with a champion and labels it begins with an adjustment"


def test_the_cheapest_fix_comes_first_and_each_stage_is_one_run(database: Pipelines, tmp_path: Path) -> None:
    labelled(tmp_path)
    root = str(tmp_path / "shared")
    for stage, following in (("adjust", "refit"), ("refit", "search")):
        place = runs_on(database, tmp_path, root=root)  # another process each time
        run = place.launch(LAUNCH)
        decide(run, VERDICTS[stage])
        for _ in range(2):
            seen = runs_on(database, tmp_path, root=root).look(run)
            assert (seen.state, seen.detail.endswith(f"next: {following}")) == ("next", True), seen
    last = runs_on(database, tmp_path, root=root).launch(LAUNCH)
    decide(last, VERDICTS["search"])
    assert place.launch(LAUNCH) == last
    seen = place.look(last)
    assert (seen.state, seen.outcome, seen.detail) == (
        "succeeded",
        "promoted",
        "search: promote. better by 0.1",
    )
    uri = f"{root}/{LAUNCH.key}.parquet"
    assert sorted(named(database)) == ["adjust", "refit", "search"]
    adjusted = given(database, "adjust")
    assert (adjusted["data"], json.loads(adjusted["spec"])["data"]["source"]) == (uri, uri)
    assert "base_version" not in adjusted and "target" not in json.loads(adjusted["spec"]).get("deploy", {})
    refit, search = given(database, "refit"), given(database, "search")
    assert json.loads(refit["spec"])["search"]["refit"] is True
    assert "refit" not in json.loads(search["spec"])["search"]
    for told in (refit, search):
        assert (told["base_version"], told["feedback_uri"]) == ("3", uri)
    versions = {run["pipeline_version_reference"]["pipeline_id"] for run in database.runs.values()}
    assert len(versions) == 2


@pytest.mark.parametrize(
    ("verdict", "outcome"),
    [
        ({"decision": "promote", "action": "shift", "reason": "shifted"}, "adjusted"),
        ({"decision": "keep", "action": "none", "reason": "nothing is wrong"}, "kept"),
        ({"decision": "keep", "action": "wait", "reason": "too few labels"}, "kept"),
    ],
)
def test_where_the_adjustment_is_all_there_is_to_do_the_retune_ends(
    database: Pipelines, tmp_path: Path, verdict: dict[str, Any], outcome: str
) -> None:
    labelled(tmp_path)
    place = runs_on(database, tmp_path, root=str(tmp_path / "shared"))
    run = place.launch(LAUNCH)
    decide(run, verdict)
    seen = place.look(run)
    assert (seen.state, seen.outcome) == ("succeeded", outcome)
    assert place.launch(LAUNCH) == run and list(named(database)) == ["adjust"]


def test_a_verdict_is_found_in_whatever_experiment_it_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told_by_run("run-1") is None
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "the platform's own")
    decide("run-1", VERDICTS["adjust"])
    monkeypatch.delenv("MLFLOW_EXPERIMENT_NAME")
    decide("run-2", VERDICTS["refit"])
    assert told_by_run("run-1") == VERDICTS["adjust"]
    assert told_by_run("run-2") == {**VERDICTS["refit"], "action": ""}


def test_a_run_without_a_verdict_is_a_failure_that_says_what_is_missing(
    database: Pipelines, tmp_path: Path
) -> None:
    place = runs_on(database, tmp_path)
    seen = place.look(place.launch(LAUNCH))
    assert seen.state == "failed" and "no verdict in MLflow" in seen.detail


def test_a_tracking_server_that_is_away_is_asked_again(
    database: Pipelines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = runs_on(database, tmp_path)
    run = place.launch(LAUNCH)
    decide(run, VERDICTS["search"])
    with monkeypatch.context() as away:
        away.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
        with pytest.raises(StateError, match="MLflow does not answer"):
            place.look(run)
    assert place.look(run).outcome == "promoted"


def test_the_trigger_takes_a_retune_through_its_stages_and_survives_kills(
    database: Pipelines, tmp_path: Path
) -> None:
    labelled(tmp_path)
    url, champion = f"sqlite:///{tmp_path / 'retune.db'}", ["3"]

    def trigger() -> Trigger:
        runs = runs_on(database, tmp_path, root=str(tmp_path / "shared"))
        spec = spec_of(runs, claim_seconds=0.1)
        surroundings = Surroundings(lambda model: champion[0], lambda model: "", lambda *_: (None, ""))
        return Trigger(spec, Ledger(url), runs, surroundings)

    database.planned = ["RUNNING"] * 99
    triggers = [trigger(), trigger()]
    labels = {"model": "fraud"}
    triggers[0].receive(delivery(alert(labels=labels)))
    for stage in ("adjust", "refit", "search"):
        for one in triggers:
            one.look()
        (action,) = page(triggers[0].ledger, 9).actions
        (run,) = [run for run in database.runs.values() if run["display_name"].endswith(stage)]
        assert (action.status, action.run_id) == ("running", run["run_id"])
        decide(run["run_id"], VERDICTS[stage])
        database.states[run["run_id"]] = ["SUCCEEDED"]
        triggers = [trigger(), trigger()]  # both were killed
    champion[0] = "4"
    for one in triggers:
        one.look()
    found = page(triggers[0].ledger, 9)
    assert [(one.status, one.detail) for one in found.actions] == [
        ("promoted", "search: promote. better by 0.1")
    ]
    assert [stage["detail"] for stage in found.stages] == [
        "adjust: keep. the ranking fell; next: refit",
        "refit: keep. not proven; next: search",
    ]
    assert len(database.runs) == 3


def test_a_retune_is_cancelled_at_the_stage_that_it_is_at(database: Pipelines, tmp_path: Path) -> None:
    labelled(tmp_path)
    runs = runs_on(database, tmp_path, root=str(tmp_path / "shared"))
    spec = spec_of(runs)
    surroundings = Surroundings(lambda model: "3", lambda model: "", lambda *_: (None, ""))
    trigger = Trigger(spec, Ledger(f"sqlite:///{tmp_path / 'retune.db'}"), runs, surroundings)
    trigger.receive(delivery(alert(labels={"model": "fraud"})))
    trigger.look()
    (adjust,) = database.runs
    decide(adjust, VERDICTS["adjust"])
    database.planned = ["RUNNING"] * 9
    trigger.look()
    (refit,) = database.runs.keys() - {adjust}
    ask_cancel(trigger.ledger, 1, "cancelled by ann: no")
    trigger.look_at_cancelled(1)
    trigger.look()
    assert database.runs[refit]["state"] == "CANCELED"
    (action,) = page(trigger.ledger, 9).actions
    assert action.status == "cancelled" and action.detail.startswith("cancelled by ann: no")
    runs.cancel(dataclasses.replace(LAUNCH, key=action.run_key), action.run_id, "again")
    assert len(database.runs) == 2


@pytest.mark.parametrize(
    ("states", "failures", "state"),
    [
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


def test_a_run_that_was_deleted_is_over_and_a_server_that_knows_no_runs_says_nothing_of_it(
    database: Pipelines, tmp_path: Path
) -> None:
    place = runs_on(database, tmp_path)
    run = place.launch(LAUNCH)
    elsewhere = KubeflowRuns(KubeflowSpec(host=f"{database.url}/elsewhere"), place._models)
    with pytest.raises(StateError):
        elsewhere.look(run)
    database.runs.clear()
    seen = place.look(run)
    assert seen.state == "failed" and f"deleted run {run}" in seen.detail


def test_a_server_that_is_away_is_tried_again_and_a_wrong_specification_is_not(
    database: Pipelines, tmp_path: Path
) -> None:
    database.broken = 503
    with pytest.raises(StateError):
        runs_on(database, tmp_path).launch(LAUNCH)
    database.broken = 0
    with pytest.raises(SpecError):
        runs_on(database, tmp_path, source="rows.csv").launch(LAUNCH)
