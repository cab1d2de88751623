"""Schedules from a file, reconciled with an API on loopback: changed, killed in the middle, by several."""

import sys
import threading
from collections import Counter

import kfp_server_api
import pytest
import urllib3
import yaml

from minorkey.cli import app
from minorkey.cluster.checks.schedules import check_schedules
from minorkey.errors import SpecError, StateError
from minorkey.schedules import load_schedules
from pipelines.kubeflow import Server
from pipelines.scheduling import reconcile
from tests.kfp.server import serving

PIPELINE = """
components: {}
deploymentSpec: {}
pipelineInfo: {name: tune}
root:
  dag: {}
  inputDefinitions:
    parameters:
      model: {parameterType: STRING}
      reason: {parameterType: STRING}
      spec: {parameterType: STRING}
      mode: {parameterType: STRING}
      trials: {parameterType: NUMBER_INTEGER}
schemaVersion: 2.1.0
sdkVersion: kfp-2.17.0
"""


@pytest.fixture
def database():
    with serving() as database:
        yield database


@pytest.fixture
def write(tmp_path):
    """Writes schedules.yaml and the package that it names; gives the path."""

    def write(*schedules, owner="team", pipeline=PIPELINE):
        folder = tmp_path / owner
        folder.mkdir(exist_ok=True)
        (folder / "tune.yaml").write_text(pipeline)
        content = {"owner": owner, "pipelines": {"tune": "tune.yaml"}, "schedules": list(schedules)}
        (folder / "schedules.yaml").write_text(yaml.safe_dump(content))
        return folder / "schedules.yaml"

    return write


def schedule(name="nightly", cron="0 0 3 * * *", trials=7, **more):
    return {"name": name, "cron": cron, "spec": {"model": "fraud", "search": {"trials": trials}}, **more}


def apply(database, path, **more):
    return reconcile(load_schedules(path), Server(database.url), **{"patience": 0.0, **more})


def actions(outcome):
    return [(step.action, step.name) for step in outcome.steps]


def there(database):
    return {one["display_name"]: one for one in database.recurring.table.values()}


def starts(database):
    """How often each moment was run for."""
    return Counter(run["scheduled_at"] for run in database.runs.values())


def finish(database):
    for run in database.runs.values():
        run["state"] = "SUCCEEDED"


def test_a_schedule_is_made_once_and_runs_what_the_file_says(database, write):
    path = write(schedule(reason="fresh rows", max_concurrency=2, service_account="runner"))
    outcome = apply(database, path)
    assert actions(outcome) == [("create", "nightly"), ("enable", "nightly")]
    (one,) = database.recurring.table.values()
    assert (one["display_name"], one["mode"]) == ("team/nightly", "ENABLE")
    assert one["trigger"] == {"cron_schedule": {"cron": "0 0 3 * * *"}}
    assert (one["max_concurrency"], one["no_catchup"], one["service_account"]) == (2, True, "runner")
    assert one["description"].startswith("fresh rows\nminorkey schedule team/nightly ")
    parameters = one["runtime_config"]["parameters"]
    assert parameters["model"] == "fraud" and parameters["reason"] == "fresh rows"
    version = database.versions[one["pipeline_version_reference"]["pipeline_version_id"]]
    assert outcome.uploads == [version["display_name"]] and version["display_name"].startswith("tune-")
    again = apply(database, path)
    assert not again.differs and list(database.recurring.table.values()) == [one]


@pytest.mark.parametrize(
    "change",
    [
        {"cron": "0 0 4 * * *"},
        {"trials": 8},
        {"reason": "other"},
        {"max_concurrency": 3},
        {"no_catchup": False},
        {"service_account": "other"},
        {"experiment": "other"},
        {"parameters": {"mode": "refit"}},
    ],
)
def test_a_change_replaces_the_recurring_run(database, write, change):
    apply(database, write(schedule()))
    (before,) = database.recurring.table
    outcome = apply(database, write(schedule(**change)))
    assert [action for action, _ in actions(outcome)] == ["pause", "create", "enable", "remove"]
    (after,) = database.recurring.table
    assert after != before and database.recurring.table[after]["mode"] == "ENABLE"
    assert database.recurring.most_enabled == {"team/nightly": 1}


def test_a_changed_pipeline_is_a_new_version_and_its_schedules_run_it(database, write):
    apply(database, write(schedule()))
    apply(database, write(schedule(), pipeline=PIPELINE + "# changed\n"))
    (one,) = database.recurring.table.values()
    version = database.versions[one["pipeline_version_reference"]["pipeline_version_id"]]
    newest = max(database.versions.values(), key=lambda version: version["created_at"])
    assert version is newest and len({name["display_name"] for name in database.versions.values()}) == 3


def test_a_version_that_somebody_deleted_is_uploaded_again_and_run(database, write):
    path = write(schedule())
    apply(database, path)
    database.versions.clear()
    apply(database, path)
    (one,) = database.recurring.table.values()
    assert one["pipeline_version_reference"]["pipeline_version_id"] in database.versions
    assert one["mode"] == "ENABLE"


def test_pausing_and_enabling_replaces_nothing(database, write):
    apply(database, write(schedule()))
    (before,) = database.recurring.table
    assert actions(apply(database, write(schedule(enabled=False)))) == [("pause", "nightly")]
    assert database.recurring.table[before]["mode"] == "DISABLE"
    assert actions(apply(database, write(schedule()))) == [("enable", "nightly")]
    assert list(database.recurring.table) == [before]


def test_one_that_is_made_paused_stays_so(database, write):
    assert actions(apply(database, write(schedule(enabled=False)))) == [("create", "nightly")]
    assert there(database)["team/nightly"]["mode"] == "DISABLE"


def test_what_is_gone_from_the_file_goes_and_others_stay(database, write):
    apply(database, write(schedule("a"), schedule("b")))
    apply(database, write(schedule("a"), owner="others"))
    foreign = {**there(database)["team/a"], "recurring_run_id": "foreign", "display_name": "team/a by hand"}
    database.recurring.table["foreign"] = {**foreign, "description": "made by hand"}
    outcome = apply(database, write(schedule("b")))
    assert actions(outcome) == [("pause", "a"), ("remove", "a")]
    assert set(there(database)) == {"team/b", "others/a", "team/a by hand"}


def test_many_schedules_are_read_page_by_page(database, write):
    apply(database, write(schedule()))
    (one,) = database.recurring.table.values()
    for number in range(230):
        database.recurring.table[str(number)] = {**one, "recurring_run_id": str(number), "description": ""}
    database.recurring.table["last"] = {
        **one,
        "recurring_run_id": "last",
        "created_at": database.now(),
        "description": one["description"].replace("nightly", "gone"),
    }
    apply(database, write(schedule()))
    assert "last" not in database.recurring.table and len(database.recurring.table) == 231


def test_a_twin_made_by_hand_goes(database, write):
    path = write(schedule())
    apply(database, path)
    (one,) = database.recurring.table.values()
    twin = {
        **one,
        "recurring_run_id": "twin",
        "created_at": database.now(),
        "display_name": "Clone of nightly",
    }
    database.recurring.table["twin"] = twin
    apply(database, path)
    assert list(database.recurring.table) == [one["recurring_run_id"]]


def test_looking_changes_nothing_and_tells_what_differs(database, write, capsys):
    def check(path, *options):
        call = ["schedule", str(path), "--host", database.url, *options]
        try:
            app(call, exit_on_error=False, result_action="return_value")
        except SystemExit as ended:
            return ended.code, capsys.readouterr().out
        return 0, capsys.readouterr().out

    path = write(schedule())
    code, told = check(path, "--check")
    assert code == 3 and "create: team/nightly is new" in told and "upload: tune-" in told
    assert check(path, "--dry-run")[0] == 0
    assert database.recurring.table == database.versions == {}
    assert check(path)[0] == 0
    code, told = check(path, "--check")
    assert (code, told) == (0, "the schedules of owner team are as the file says\n")
    next(iter(database.recurring.table.values()))["mode"] = "DISABLE"
    code, told = check(path, "--check")
    assert (code, told) == (3, "enable: team/nightly should run\n")
    code, told = check(write(schedule(cron="0 0 5 * * *")), "--check")
    assert code == 3 and "create: team/nightly changed: when it runs" in told
    assert check(write(schedule()), "--validate")[0] == 0
    with pytest.raises(SpecError, match="which Kubeflow") as caught:
        app(["schedule", str(path)], exit_on_error=False, result_action="return_value")
    assert caught.value.key == "--host"


def test_a_bad_cron_is_refused_before_anything_is_sent(write):
    with pytest.raises(SpecError) as caught:
        load_schedules(write(schedule(), schedule("weekly", cron="0 3 * * 1")))
    assert caught.value.key == "schedule weekly: cron" and caught.value.value == "'0 3 * * 1'"


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"parameters": {"mood": "x"}}, "schedule nightly: parameters.mood"),
        ({"parameters": {"trials": "7"}}, "schedule nightly: parameters.trials"),
        ({"spec": {"data": {"source": "rows.csv", "target": "y"}}}, "schedule nightly: spec data.source"),
    ],
)
def test_what_the_server_or_its_pods_would_refuse_is_told_before_anything_is_sent(
    database, write, change, key
):
    with pytest.raises(SpecError) as caught:
        apply(database, write({**schedule(), **change}))
    assert caught.value.key == key and caught.value.remedy
    assert database.pipelines == database.recurring.table == {}


def test_a_file_that_is_no_pipeline_is_told(database, write):
    with pytest.raises(SpecError, match="no compiled pipeline") as caught:
        apply(database, write(schedule(), pipeline="[]"))
    assert caught.value.key == "pipelines.tune"


def test_a_run_in_flight_outlives_its_schedule_on_every_server(database, write):
    for version in ("2.14.0", "2.17.0"):
        database.version = version
        apply(database, write(schedule()))
        database.recurring.tick(database)
        (running,) = [run["run_id"] for run in database.runs.values() if run["state"] == "RUNNING"]
        outcome = apply(database, write(schedule(cron="0 0 4 * * *")))
        (kept,) = outcome.kept
        assert database.recurring.table[kept.id]["mode"] == "DISABLE"
        assert not apply(database, write(schedule(cron="0 0 4 * * *"))).differs
        assert database.runs[running]["state"] == "RUNNING"
        finish(database)
        assert actions(apply(database, write(schedule(cron="0 0 4 * * *")))) == [("remove", "nightly")]
    assert database.recurring.ended == []


def test_a_schedule_that_comes_back_does_not_make_up_for_what_its_successor_ran(database, write):
    first, second = schedule(no_catchup=False), schedule(cron="0 0 4 * * *", no_catchup=False)
    apply(database, write(first))
    database.recurring.tick(database)
    apply(database, write(second))
    for _ in range(3):
        finish(database)
        database.recurring.tick(database)
    database.runs[next(iter(database.runs))]["state"] = "RUNNING"
    apply(database, write(first))
    finish(database)
    database.recurring.tick(database)
    assert set(starts(database).values()) == {1}


class Killed(BaseException):
    """Ends the reconciliation as a kill does: nothing of it runs any more."""


def killing(monkeypatch, at, *, after):
    """Let the client die at its so-manieth change, before or after the server has done it."""
    request, count = kfp_server_api.rest.RESTClientObject.request, Counter()

    def dying(client, method, url, **more):
        if method == "GET":
            return request(client, method, url, **more)
        count["changes"] += 1
        if count["changes"] == at and not after:
            raise Killed
        answer = request(client, method, url, **more)
        if count["changes"] == at:
            raise Killed
        return answer

    monkeypatch.setattr(kfp_server_api.rest.RESTClientObject, "request", dying)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, 7))
def test_killed_at_any_change_it_loses_no_schedule_and_runs_nothing_twice(
    database, write, monkeypatch, at, after
):
    apply(database, write(schedule(no_catchup=False)))
    database.recurring.tick(database)
    finish(database)
    path = write(schedule(cron="0 0 4 * * *", no_catchup=False), pipeline=PIPELINE + "# new\n")
    with monkeypatch.context() as patched:
        killing(patched, at, after=after)
        try:
            apply(database, path)
        except Killed:
            killed = True
        else:
            killed = False
    assert killed == (at <= 5)
    assert "team/nightly" in there(database)
    database.recurring.tick(database)
    finish(database)
    apply(database, path)
    finish(database)
    last = database.recurring.tick(database)
    (one,) = database.recurring.table.values()
    assert one["trigger"]["cron_schedule"]["cron"] == "0 0 4 * * *"
    assert starts(database)[last] == 1 and set(starts(database).values()) == {1}
    assert database.recurring.most_enabled == {"team/nightly": 1}


def test_several_reconciliations_at_once_leave_one_of_each_and_run_nothing_twice(
    database, write, monkeypatch
):
    # Threads that drop what kfp prints put the output back in any order.
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    path, problems = write(schedule("a"), schedule("b")), []

    def reconciled(schedules):
        try:
            reconcile(schedules, Server(database.url), patience=0.0)
        except BaseException as error:
            problems.append(error)

    for cron in ("0 0 3 * * *", "0 0 4 * * *", "0 0 5 * * *"):
        path = write(schedule("a", cron=cron), schedule("b", cron=cron))
        threads = [threading.Thread(target=reconciled, args=(load_schedules(path),)) for _ in range(3)]
        for thread in threads:
            thread.start()
        database.recurring.tick(database)
        for thread in threads:
            thread.join()
        finish(database)
        apply(database, path)
        database.recurring.tick(database)
        finish(database)
        assert sorted(one["display_name"] for one in database.recurring.table.values()) == [
            "team/a",
            "team/b",
        ]
        assert {one["trigger"]["cron_schedule"]["cron"] for one in database.recurring.table.values()} == {
            cron
        }
    assert problems == [] and set(database.recurring.most_enabled.values()) == {1}
    each = Counter((run["display_name"], run["scheduled_at"]) for run in database.runs.values())
    assert set(each.values()) == {1}


def test_a_replacement_whose_answer_was_lost_does_not_make_up_for_what_the_old_one_ran(
    database, write, monkeypatch
):
    apply(database, write(schedule(no_catchup=False)))
    request = kfp_server_api.rest.RESTClientObject.request

    def losing(client, method, url, **more):
        answer = request(client, method, url, **more)
        if method == "POST" and url.endswith("/recurringruns"):
            raise urllib3.exceptions.ProtocolError("connection reset")
        return answer

    path = write(schedule(cron="0 0 4 * * *", no_catchup=False))
    with monkeypatch.context() as patched:
        patched.setattr(kfp_server_api.rest.RESTClientObject, "request", losing)
        with pytest.raises(StateError, match="not reached") as caught:
            apply(database, path)
    assert "runs on as it was" in caught.value.remedy and len(database.recurring.table) == 2
    database.recurring.tick(database)
    finish(database)
    apply(database, path)
    finish(database)
    last = database.recurring.tick(database)
    assert starts(database)[last] == 1 and set(starts(database).values()) == {1}
    (one,) = database.recurring.table.values()
    assert one["trigger"]["cron_schedule"]["cron"] == "0 0 4 * * *"


def test_one_that_the_server_refuses_leaves_the_old_one_running(database, write, monkeypatch):
    apply(database, write(schedule()))
    (before,) = database.recurring.table
    monkeypatch.setattr(database.recurring, "create", refusing)
    with pytest.raises(StateError, match="refuses") as caught:
        apply(database, write(schedule(cron="0 0 4 * * *")))
    assert "schedule nightly" in caught.value.key and "runs on as it was" in caught.value.remedy
    assert list(database.recurring.table) == [before]
    assert database.recurring.table[before]["mode"] == "ENABLE"


def refusing(database, body):
    from tests.kfp.refusal import Refusal

    raise Refusal(400, "Invalid input error: not today")


def test_a_server_that_is_away_for_a_while_is_waited_for(database, write, monkeypatch):
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        database.broken = 503 if len(slept) < 3 else 0

    monkeypatch.setattr("pipelines.scheduling.time.sleep", sleep)
    database.broken = 503
    apply(database, write(schedule()), patience=60.0)
    assert slept == [1.0, 2.0, 4.0] and there(database)["team/nightly"]["mode"] == "ENABLE"


def test_a_server_that_stays_away_is_told(database, write):
    database.broken = 503
    with pytest.raises(StateError, match="failed") as caught:
        apply(database, write(schedule()))
    assert caught.value.key == database.url and "ml-pipeline" in caught.value.remedy


def test_a_server_that_goes_away_between_pause_and_creation_is_told_and_mended_later(
    database, write, monkeypatch
):
    apply(database, write(schedule()))
    create = database.recurring.create

    def away(database, body):
        database.broken = 503
        return create(database, body)

    monkeypatch.setattr(database.recurring, "create", away)
    with pytest.raises(StateError):
        apply(database, write(schedule(cron="0 0 4 * * *")))
    database.broken = 0
    monkeypatch.undo()
    apply(database, write(schedule(cron="0 0 4 * * *")))
    (one,) = database.recurring.table.values()
    assert one["mode"] == "ENABLE" and database.recurring.most_enabled == {"team/nightly": 1}


def test_in_a_multi_user_installation_the_namespace_decides(database, write):
    database.namespaces = ("team-a",)
    reconcile(load_schedules(write(schedule())), Server(database.url, "team-a"), patience=0.0)
    assert there(database)["team/nightly"]["namespace"] == "team-a"
    with pytest.raises(StateError, match="forbids"):
        reconcile(load_schedules(write(schedule())), Server(database.url, "others"), patience=0.0)


def test_the_doctor_names_a_bad_cron_and_what_differs(database, write):
    (found,) = check_schedules(write(schedule(cron="0 3 * * 1")), "")
    assert (
        found.status == "problem" and "schedule nightly: cron" in found.text and "'0 3 * * 1'" in found.text
    )
    assert "0 0 3 * * 1" in found.remedy and "six fields" in found.remedy
    path = write(schedule())
    assert [one.status for one in check_schedules(path, "")] == ["ok"]
    (found,) = check_schedules(path, database.url)
    assert (
        found.status == "warning" and "create nightly" in found.text and found.remedy.endswith(database.url)
    )
    apply(database, path)
    assert [one.status for one in check_schedules(path, database.url)] == ["ok"]
    database.token = "secret"
    assert [one.status for one in check_schedules(path, database.url)] == ["unseen"]
