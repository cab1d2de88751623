import queue
import time
from typing import Any

import pytest

from minorkey.errors import InputError, StateError
from minorkey.trials.kubernetes.api import KubernetesApi, Refused
from minorkey.trials.kubernetes.jobs import MANAGED
from minorkey.trials.kubernetes.watching import News, Watcher
from tests.kubernetes.fake.faults import Fault
from tests.trials.kubernetes.stage import Stage, eventually


def job(name: str) -> dict[str, Any]:
    key, value = MANAGED.split("=")
    container = {"name": "c", "image": "i:1", "command": ["python", "-c", ""]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "labels": {key: value}},
        # A suspended Job stays as it is.
        "spec": {
            "suspend": True,
            "template": {"spec": {"restartPolicy": "Never", "containers": [container]}},
        },
    }


@pytest.mark.parametrize(
    "fault",
    [
        Fault.QUOTA_CONFLICT,
        Fault.ERROR,
        Fault.UNAVAILABLE,
        Fault.UNAUTHORIZED,
        Fault.DROPPED,
        Fault.TIMED_OUT_AFTER_COMMIT,
        Fault.LOST_ANSWER,
    ],
)
@pytest.mark.parametrize("verb", ["create", "delete", "list"])
def test_a_call_survives(stage: Stage, fault: Fault, verb: str) -> None:
    api = stage.api()
    if verb != "create":
        api.create_job(stage.namespace, job("one"))
    stage.cluster.faults.script(fault, verb=verb, times=2, retry_after=0)
    if verb == "create":
        api.create_job(stage.namespace, job("one"))
    elif verb == "delete":
        api.delete_job(stage.namespace, "one")
    found, version = api.list("jobs", stage.namespace, labelSelector=MANAGED)
    assert [one["metadata"]["name"] for one in found] == ([] if verb == "delete" else ["one"])
    assert version
    assert stage.cluster.faults.injected[fault] >= 1


def test_a_second_create_is_harmless(stage: Stage) -> None:
    api = stage.api()
    assert api.create_job(stage.namespace, job("one"))
    assert not api.create_job(stage.namespace, job("one"))
    assert api.delete_job(stage.namespace, "one")
    assert not api.delete_job(stage.namespace, "one")


def test_throttling_is_waited_for_as_long_as_it_asks(stage: Stage) -> None:
    stage.cluster.faults.script(Fault.THROTTLED, verb="create", retry_after=1)
    began = time.monotonic()
    assert stage.api().create_job(stage.namespace, job("one"))
    assert time.monotonic() - began >= 1.0


def test_an_api_that_stays_away_is_told(stage: Stage) -> None:
    stage.cluster.faults.chance(Fault.ERROR, 1.0, verb="list")
    with pytest.raises(StateError) as caught:
        stage.api(patience=0.5).list("jobs", stage.namespace)
    assert stage.cluster.url in caught.value.key and "leader changed" in str(caught.value.value)


def test_a_refusal_is_no_reason_to_ask_again(stage: Stage) -> None:
    api = KubernetesApi(stage.cluster.kubeconfig)
    with pytest.raises(Refused):
        api.create_job("nowhere", job("one"))
    assert api.calls["create", "jobs"] == 1


class Follower:
    """A watcher of a namespace's Jobs, and the names that it has led to."""

    def __init__(self, stage: Stage) -> None:
        self.news: queue.SimpleQueue[News] = queue.SimpleQueue()
        self.listed = 0
        self.names: set[str] = set()
        self.errors: list[InputError] = []
        self.watcher = Watcher(stage.api(), "jobs", stage.namespace, MANAGED, self.news, seconds=20)
        self.watcher.start()

    def sees(self, *names: str) -> bool:
        while not self.news.empty():
            news = self.news.get()
            found = {one["metadata"]["name"] for one in news.objects}
            if news.error is not None:
                self.errors.append(news.error)
            elif news.change == "LISTED":
                self.listed, self.names = self.listed + 1, found
            elif news.change == "DELETED":
                self.names -= found
            else:
                self.names |= found
        return self.names == set(names)


@pytest.fixture
def follower(stage: Stage) -> Any:
    follower = Follower(stage)
    yield follower
    follower.watcher.stop()
    follower.watcher.join(10)
    assert not follower.watcher.is_alive()


def test_a_watch_follows(stage: Stage, follower: Follower) -> None:
    api = stage.api()
    for name in ("one", "two"):
        api.create_job(stage.namespace, job(name))
    eventually(lambda: follower.sees("one", "two"))
    api.delete_job(stage.namespace, "one")
    eventually(lambda: follower.sees("two"))
    assert follower.listed == 1


def test_a_dropped_connection_is_resumed_where_it_broke(stage: Stage, follower: Follower) -> None:
    api = stage.api()
    api.create_job(stage.namespace, job("one"))
    eventually(lambda: follower.sees("one"))
    stage.cluster.drop_connections()
    api.create_job(stage.namespace, job("two"))
    api.delete_job(stage.namespace, "one")
    eventually(lambda: follower.sees("two"))
    assert follower.listed == 1


def test_after_a_gap_everything_is_listed_again(stage: Stage, follower: Follower) -> None:
    api = stage.api()
    api.create_job(stage.namespace, job("one"))
    eventually(lambda: follower.sees("one"))
    stage.cluster.faults.chance(Fault.UNAVAILABLE, 1.0, verb="watch")
    stage.cluster.drop_connections()
    api.create_job(stage.namespace, job("two"))
    api.delete_job(stage.namespace, "one")
    stage.cluster.compact()
    stage.cluster.faults.clear()
    eventually(lambda: follower.sees("two"))
    assert follower.listed == 2


@pytest.mark.parametrize("fault", [Fault.WATCH_CUT, Fault.WATCH_EXPIRED])
def test_a_watch_that_breaks_off(stage: Stage, follower: Follower, fault: Fault) -> None:
    api = stage.api()
    for number in range(5):
        stage.cluster.faults.script(fault, verb="watch", resource="jobs")
        api.create_job(stage.namespace, job(f"job-{number}"))
    eventually(lambda: follower.sees(*(f"job-{number}" for number in range(5))))
