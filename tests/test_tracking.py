import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from minorkey.errors import StateError
from minorkey.tracking import champion_version, client, open_run
from minorkey.trials.trial import Configuration, Outcome, TrialResult


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def _own_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINORKEY_HOME", str(home))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def _result(number: int, outcome: Outcome = Outcome.COMPLETE, value: float | None = 0.5) -> TrialResult:
    configuration = Configuration("lightgbm", {"num_leaves": 31}, resampler="smote", resampling={"k": 5})
    return TrialResult(
        number, configuration, outcome, value, ((0, 0.4), (1, 0.5)), (0.4, 0.6), seconds=2.0, cpu_seconds=1.5
    )


def test_without_a_store_there_is_no_champion_and_mlflow_is_not_imported(tmp_path: Path) -> None:
    code = (
        "import sys; from minorkey.tracking import champion_version;"
        "print(repr(champion_version('cards')), 'mlflow' in sys.modules)"
    )
    environment = {"MINORKEY_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert shown.stdout.split() == ["''", "False"]
    assert list(tmp_path.iterdir()) == []


def test_the_parent_run_is_resumed_by_its_key(home: Path) -> None:
    first, again, other = (open_run("cards", key) for key in ("resumed", "resumed", "another"))
    assert first.run_id == again.run_id != other.run_id
    again.finish()
    assert client().get_run(first.run_id).info.status == "FINISHED"
    assert open_run("cards", "resumed").run_id == first.run_id
    assert client().get_run(first.run_id).info.status == "RUNNING"


def test_champion_of_a_store_without_the_model() -> None:
    open_run("cards", "any")
    assert champion_version("cards") == ""


def test_trials_are_nested_runs_and_written_once() -> None:
    tracker = open_run("cards", "trials")
    outcomes = [Outcome.COMPLETE, Outcome.PRUNED, Outcome.CRASHED]
    results = [
        _result(number, outcome, 0.5 if not number else None) for number, outcome in enumerate(outcomes)
    ]
    tracker.log_trials(results)
    resumed = open_run("cards", "trials")
    resumed.log_trials([*results, _result(3)])
    resumed.log_trials([_result(0)], study="outer-0-1")
    runs = client().search_runs(
        [tracker.experiment],
        filter_string=f"tags.`mlflow.parentRunId` = '{tracker.run_id}'",
        order_by=["attributes.run_name ASC"],
    )
    assert [(run.data.tags["minorkey.study"], run.data.tags["minorkey.trial"]) for run in runs] == [
        ("final", "0"),
        ("final", "1"),
        ("final", "2"),
        ("final", "3"),
        ("outer-0-1", "0"),
    ]
    assert [run.info.status for run in runs[:3]] == ["FINISHED", "FINISHED", "FAILED"]
    first = runs[0]
    assert first.data.params["model.num_leaves"] == "31"
    assert first.data.params["resampling.k"] == "5"
    assert first.data.metrics["average_precision"] == 0.5
    assert "average_precision" not in runs[1].data.metrics
    history = client().get_metric_history(first.info.run_id, "rung_value")
    assert sorted((metric.step, metric.value) for metric in history) == [(0, 0.4), (1, 0.5)]


def test_finished_trials_wait_for_their_batch() -> None:
    tracker = open_run("cards", "batches")

    def written() -> int:
        condition = f"tags.`mlflow.parentRunId` = '{tracker.run_id}'"
        return len(client().search_runs([tracker.experiment], filter_string=condition))

    for number in range(12):
        tracker.trial_finished(_result(number))
    assert written() == 10
    tracker.finish()
    assert written() == 12


def test_dataset_metrics_and_artifacts(tmp_path: Path) -> None:
    tracker = open_run("cards", "facts")
    tracker.log_dataset("cards-training", "d" * 32, source="rows.csv", profile='{"rows": 500}')
    tracker.log(metrics={"a": 1.0, "undefined": float("nan")}, params={"p": 3}, tags={"t": "x", "empty": ""})
    report = tmp_path / "report.html"
    report.write_text("<p>")
    tracker.log_artifact(report)
    run = client().get_run(tracker.run_id)
    assert run.inputs.dataset_inputs[0].dataset.digest == "d" * 32
    assert (run.data.metrics, run.data.params) == ({"a": 1.0}, {"p": "3"})
    assert "empty" not in run.data.tags
    assert [file.path for file in client().list_artifacts(tracker.run_id)] == ["report.html"]


def test_an_unreachable_server_is_named_within_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        uri = f"http://127.0.0.1:{closed.getsockname()[1]}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    started = time.monotonic()
    with pytest.raises(StateError) as caught:
        champion_version("cards")
    assert time.monotonic() - started < 30
    assert caught.value.value == uri
    assert "MLFLOW_TRACKING_URI" in caught.value.remedy


def test_a_store_that_is_no_database_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = tmp_path / "mlflow.db"
    database.write_text("this is not SQLite")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{database}")
    with pytest.raises(StateError, match="MLflow"):
        champion_version("cards")


def test_two_processes_create_the_store_at_once(tmp_path: Path) -> None:
    code = (
        "import sys; from minorkey.tracking import open_run; print(open_run('cards', sys.argv[1]).experiment)"
    )
    environment = {"MINORKEY_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, key],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for key in ("one", "two")
    ]
    shown = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert shown[0][0] == shown[1][0]
    assert [noise for _, noise in shown] == ["", ""]
