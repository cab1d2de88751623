"""Runs on Kubeflow Pipelines, through kfp's own client against an API on loopback."""

import json
import socket
from pathlib import Path

import pytest

from minorkey.cli import app
from minorkey.errors import MinorkeyError, SpecError, StateError
from minorkey.spec import with_overrides
from pipelines.kubeflow import Server
from pipelines.submitting import list_runs, submit, wait
from tests.kfp.server import serving
from tests.kubernetes.fake.certificates import server_context

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "pipelines/compiled/tune.yaml"
CLUSTER_PACKAGE = ROOT / "pipelines/compiled/example-cluster/tune.yaml"
SPEC = with_overrides({"model": "fraud", "search": {"trials": 7}}, {})


@pytest.fixture
def database():
    with serving() as database:
        yield database


def test_a_run_of_an_uploaded_package_gets_the_specification(database):
    run = submit(
        SPEC, Server(database.url), package=PACKAGE, service_account="minorkey-pipeline", reason="drift"
    )
    told = database.runs[run.id]
    assert json.loads(told["runtime_config"]["parameters"]["spec"]) == {
        "model": "fraud",
        "search": {"trials": 7},
    }
    assert told["runtime_config"]["parameters"]["reason"] == "drift"
    assert told["service_account"] == "minorkey-pipeline"
    assert told["display_name"].startswith("fraud ")
    (experiment,) = database.experiments.values()
    assert (told["experiment_id"], experiment["display_name"]) == (experiment["experiment_id"], "minorkey")


def test_the_same_package_is_uploaded_once_and_another_is_a_new_version(database):
    server = Server(database.url)
    first = submit(SPEC, server, package=PACKAGE)
    again = submit(SPEC, server, package=PACKAGE)
    assert len(database.pipelines) == len(database.experiments) == 1
    versions = {run.id: database.runs[run.id]["pipeline_version_reference"] for run in (first, again)}
    assert versions[first.id] == versions[again.id]
    other = submit(SPEC, server, package=CLUSTER_PACKAGE)
    chosen = database.runs[other.id]["pipeline_version_reference"]["pipeline_version_id"]
    assert "platforms" in database.versions[chosen]["pipeline_spec"]["platform_spec"]


def test_without_a_package_the_newest_version_runs(database):
    submit(SPEC, Server(database.url), package=PACKAGE)
    newest = submit(SPEC, Server(database.url), package=CLUSTER_PACKAGE)
    run = submit(SPEC, Server(database.url))
    references = [database.runs[one.id]["pipeline_version_reference"] for one in (newest, run)]
    assert references[0] == references[1]
    named = next(one["display_name"] for one in database.versions.values() if one["display_name"] == "tune")
    chosen = submit(SPEC, Server(database.url), version=named)
    assert database.runs[chosen.id]["pipeline_version_reference"] != references[0]


@pytest.mark.parametrize(
    ("arguments", "key"),
    [({}, "pipeline tune"), ({"pipeline": "other"}, "pipeline other")],
)
def test_a_missing_pipeline_says_how_to_upload_it(database, arguments, key):
    with pytest.raises(StateError) as caught:
        submit(SPEC, Server(database.url), **arguments)
    assert caught.value.key == key and "--package" in caught.value.remedy
    assert database.runs == {}


def test_a_missing_version_is_told(database):
    submit(SPEC, Server(database.url), package=PACKAGE)
    with pytest.raises(StateError, match="no such version") as caught:
        submit(SPEC, Server(database.url), version="v9")
    assert caught.value.value == "v9"


def test_a_file_of_this_machine_is_refused_before_anything_is_asked():
    spec = with_overrides({"data": {"source": "rows.csv", "target": "y"}}, {})
    with pytest.raises(SpecError) as caught:
        submit(spec, Server("http://127.0.0.1:9"))
    assert (caught.value.key, caught.value.value) == ("data.source", "rows.csv")


def test_a_token_is_read_from_its_file_each_time_and_a_wrong_one_is_told(tmp_path):
    token = tmp_path / "token"
    token.write_text("right\n")
    with serving(lambda database: setattr(database, "token", "right")) as database:
        server = Server(database.url, token_file=token)
        assert submit(SPEC, server, package=PACKAGE).id in database.runs
        token.write_text("expired")
        for asked in (server, Server(database.url)):
            with pytest.raises(StateError, match="token") as caught:
                list_runs(asked)
            assert "kubectl create token" in caught.value.remedy
    token.write_text("")
    with pytest.raises(StateError, match="empty"):
        server.client()
    with pytest.raises(StateError, match="cannot be read"):
        Server("http://127.0.0.1:9", token_file=tmp_path / "none").client()


def test_a_server_that_is_not_there_is_told_with_its_address():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        host = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(StateError, match="not reached") as caught:
            list_runs(Server(host))
    assert caught.value.key == host and "port-forward" in caught.value.remedy


def test_a_server_with_a_certificate_of_its_own_needs_its_authority(tmp_path):
    with serving(tls=server_context(tmp_path)) as database:
        with pytest.raises(StateError, match="not reached") as caught:
            list_runs(Server(database.url))
        assert "certificate" in caught.value.value.lower()
        assert list_runs(Server(database.url, ca_file=tmp_path / "ca.crt")) == []
        with pytest.raises(SpecError, match="certificates cannot be read"):
            list_runs(Server(database.url, ca_file=tmp_path / "none"))


def test_a_file_that_is_no_pipeline_is_refused_by_the_server(database, tmp_path):
    (tmp_path / "tune.yaml").write_text("deploymentSpec: {}\nroots: {}\n")
    with pytest.raises(StateError, match="refuses") as caught:
        submit(SPEC, Server(database.url), package=tmp_path / "tune.yaml")
    assert "pipeline spec is invalid" in caught.value.value
    with pytest.raises(SpecError, match="cannot be read"):
        submit(SPEC, Server(database.url), package=tmp_path / "none.yaml")


def test_a_host_without_a_scheme_is_refused():
    with pytest.raises(SpecError) as caught:
        list_runs(Server("localhost:8888"))
    assert caught.value.key == "--host"


def test_a_failing_server_points_to_its_log(database):
    database.broken = 500
    with pytest.raises(StateError, match="failed") as caught:
        list_runs(Server(database.url))
    assert "ml-pipeline" in caught.value.remedy


def test_in_a_multi_user_installation_the_namespace_decides(database):
    database.namespaces = ("team",)
    run = submit(SPEC, Server(database.url, "team"), package=PACKAGE)
    (experiment,) = database.experiments.values()
    assert experiment["namespace"] == "team" and run.id in database.runs
    with pytest.raises(StateError, match="forbids") as caught:
        submit(SPEC, Server(database.url, "others"), package=PACKAGE)
    assert "others" in caught.value.value


def test_an_experiment_that_appears_meanwhile_is_a_told_conflict(database):
    database.taken.add("minorkey")
    with pytest.raises(StateError, match="exists already") as caught:
        submit(SPEC, Server(database.url), package=PACKAGE)
    assert caught.value.value.startswith("409") and database.runs == {}


def test_waiting_shows_every_state_and_ends_with_the_run(database):
    server, seen = Server(database.url), []
    run = submit(SPEC, server, package=PACKAGE)
    ended = wait(server, run.id, watch=lambda one: seen.append(one.state), poll_seconds=0.01)
    assert seen == ["PENDING", "RUNNING", "SUCCEEDED"] and ended.state == "SUCCEEDED"


def test_a_run_that_fails_says_which_step_and_why(database):
    database.planned, database.task_failures = ["RUNNING", "FAILED"], {"load": "the column is missing"}
    server = Server(database.url)
    run = submit(SPEC, server, package=PACKAGE)
    with pytest.raises(MinorkeyError, match="load: the column is missing"):
        wait(server, run.id, poll_seconds=0.01)


def test_a_cancelled_run_is_not_waited_for_for_ever(database):
    database.planned = ["RUNNING", "CANCELING", "CANCELED"]
    server = Server(database.url)
    run = submit(SPEC, server, package=PACKAGE)
    with pytest.raises(MinorkeyError, match="CANCELED"):
        wait(server, run.id, poll_seconds=0.01)


def test_runs_are_listed_newest_first(database):
    server = Server(database.url)
    runs = [submit(SPEC, server, package=PACKAGE, experiment=name).id for name in ("a", "b", "b")]
    assert [run.id for run in list_runs(server)] == runs[::-1]
    assert [run.id for run in list_runs(server, experiment="b")] == runs[:0:-1]
    assert [run.id for run in list_runs(server, limit=1)] == runs[2:]
    with pytest.raises(StateError, match="no such experiment"):
        list_runs(server, experiment="c")
    with pytest.raises(StateError, match="does not know") as caught:
        list_runs(server, run_id="none")
    assert "none not found" in caught.value.value


def test_the_commands_print_what_they_started_and_found(database, tmp_path, capsys):
    spec = tmp_path / "fraud.yaml"
    spec.write_text("model: fraud\n")
    call = [
        "submit",
        str(spec),
        "--host",
        database.url,
        "--package",
        str(PACKAGE),
        "--set",
        "search.trials=3",
    ]
    app(call, exit_on_error=False, result_action="return_value")
    (run,) = database.runs
    assert f"run {run}" in capsys.readouterr().out
    assert json.loads(database.runs[run]["runtime_config"]["parameters"]["spec"])["search"] == {"trials": 3}
    app(["runs", "--host", database.url], exit_on_error=False, result_action="return_value")
    assert run in capsys.readouterr().out
