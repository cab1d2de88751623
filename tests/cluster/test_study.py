"""A study in trial pods: its driver is killed, pods are evicted, the quota is reached, nothing is left."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from kubernetes.client.exceptions import ApiException

from tests.cluster.parameters import Parameters
from tests.cluster.running import Driver
from tests.cluster.study_place import StudyPlace

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(3_600)]


def _jobs(place: StudyPlace) -> list[Any]:
    return place.site.batch.list_namespaced_job(place.site.namespace).items


def _evict_one(place: StudyPlace, driver: Driver, spared: set[str]) -> str:
    """Evict a trial pod that runs; gives its name, empty if there was none."""
    assert driver.alive(), "the study was over before its pods could be evicted"
    for pod in place.site.core.list_namespaced_pod(place.site.namespace).items:
        name = pod.metadata.name
        if pod.status.phase == "Running" and not pod.metadata.deletion_timestamp and name not in spared:
            body = {"metadata": {"name": name, "namespace": place.site.namespace}}
            try:
                place.site.core.create_namespaced_pod_eviction(name, place.site.namespace, body)
            except ApiException as error:
                assert error.status == 404, error.body
                continue
            return name
    return ""


def test_a_study_survives_the_death_of_its_driver_and_evictions(
    place: StudyPlace, parameters: Parameters, tmp_path: Path
) -> None:
    """All trials once each, some pruned, though the driver is killed and pods are evicted; no Job is left."""
    trials = parameters.trials
    before = max(1, trials // 3)
    with Driver(place, tmp_path / "first", trials=trials) as first:
        place.site.wait(lambda: first.alive() and len(first.results()) >= before)
        first.process.kill()
        first.process.wait()
        told = first.results()
    assert before <= len(told) < trials
    evicted: set[str] = set()
    with Driver(place, tmp_path / "second", trials=trials) as second:
        for _ in range(2):
            evicted.add(place.site.wait(lambda: _evict_one(place, second, evicted)))
        results = second.finish(10 * place.site.patience)
    assert sorted(result["number"] for result in results) == list(range(trials))
    outcomes = Counter(result["outcome"] for result in results)
    assert outcomes.keys() <= {"complete", "pruned"} and outcomes["complete"] >= 1
    assert outcomes["pruned"] >= 1 or trials < 12
    again = {result["number"]: result for result in results}
    assert [again[result["number"]] for result in told] == told
    place.site.wait(lambda: not _jobs(place))
    place.site.wait(lambda: not place.site.core.list_namespaced_pod(place.site.namespace).items)


def test_a_quota_makes_a_study_slower_and_does_not_break_it(
    place: StudyPlace, parameters: Parameters, tmp_path: Path
) -> None:
    """A quota of one pod under several slots: the study says that it waits, and ends."""
    site = place.site
    site.quota({"pods": "1"})
    trials = min(4, parameters.trials)
    with Driver(place, tmp_path / "driver", trials=trials) as driver:
        results = driver.finish(10 * site.patience)
        waits = [event for event in driver.events() if event["event"] == "waiting"]
    assert len(results) == trials
    assert any("quota" in event["text"] for event in waits)
    site.wait(lambda: not _jobs(place))
