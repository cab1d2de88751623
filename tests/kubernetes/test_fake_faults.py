"""What the fake lets go wrong, and that it does what each fault says."""

from collections.abc import Iterator

import pytest
import urllib3
from kubernetes.client.exceptions import ApiException

from tests.kubernetes.fake import FakeCluster, Fault
from tests.kubernetes.site import Site, refused
from tests.kubernetes.watching import events


@pytest.fixture
def cluster() -> Iterator[FakeCluster]:
    with FakeCluster(run_pod=lambda pod: pod.finish(0), bookmark_seconds=0.1, seed=7) as cluster:
        yield cluster


@pytest.fixture
def site(cluster: FakeCluster) -> Site:
    site = Site.of(str(cluster.kubeconfig), namespace="default")
    # The client's own retries would hide what the tests look at.
    site.api.rest_client.pool_manager.connection_pool_kw["retries"] = False
    return site


def names(site: Site) -> set[str]:
    return {job.metadata.name for job in site.batch.list_namespaced_job("default").items}


@pytest.mark.parametrize(
    ("fault", "status", "reason"),
    [
        (Fault.QUOTA_CONFLICT, 409, "Conflict"),
        (Fault.THROTTLED, 429, "TooManyRequests"),
        (Fault.ERROR, 500, "InternalError"),
        (Fault.UNAVAILABLE, 503, "ServiceUnavailable"),
        (Fault.UNAUTHORIZED, 401, "Unauthorized"),
    ],
)
def test_a_refusal_does_nothing_and_comes_once(
    cluster: FakeCluster, site: Site, fault: Fault, status: int, reason: str
) -> None:
    cluster.faults.script(fault, verb="create", resource="jobs")
    assert refused(status, site.start, "a", "pass")["reason"] == reason
    assert names(site) == set()
    site.start("a", "pass")
    assert names(site) == {"a"}
    assert cluster.faults.injected == {fault: 1}


def test_a_throttled_client_is_told_when_to_come_back(cluster: FakeCluster, site: Site) -> None:
    cluster.faults.script(Fault.THROTTLED, retry_after=3)
    with pytest.raises(ApiException) as caught:
        site.batch.list_namespaced_job("default")
    assert caught.value.headers["Retry-After"] == "3"


def test_a_time_out_after_the_commit_has_made_the_job(cluster: FakeCluster, site: Site) -> None:
    cluster.faults.script(Fault.TIMED_OUT_AFTER_COMMIT, verb="create", resource="jobs")
    assert refused(504, site.start, "a", "pass")["reason"] == "Timeout"
    assert names(site) == {"a"}
    assert refused(409, site.start, "a", "pass")["reason"] == "AlreadyExists"


@pytest.mark.parametrize(("fault", "made"), [(Fault.DROPPED, set()), (Fault.LOST_ANSWER, {"a"})])
def test_a_connection_ends_before_or_after_the_work(
    cluster: FakeCluster, site: Site, fault: Fault, made: set[str]
) -> None:
    cluster.faults.script(fault, verb="create", resource="jobs")
    with pytest.raises(urllib3.exceptions.HTTPError):
        site.start("a", "pass")
    assert names(site) == made


def test_a_watch_is_cut_in_the_middle_of_a_line(cluster: FakeCluster, site: Site) -> None:
    site.start("a", "pass", suspend=True)
    cluster.faults.script(Fault.WATCH_CUT, resource="jobs")
    version = site.batch.list_namespaced_job("default").metadata.resource_version
    watch = events(site, "jobs", resourceVersion=version)
    site.start("b", "pass", suspend=True)
    with pytest.raises(urllib3.exceptions.HTTPError):
        list(watch)
    # The controller may still have something to say of the first Job.
    again = events(site, "jobs", resourceVersion=version)
    assert next(one["type"] for one in again if one["object"]["metadata"]["name"] == "b") == "ADDED"


def test_a_watch_expires_inside_the_stream(cluster: FakeCluster, site: Site) -> None:
    cluster.faults.script(Fault.WATCH_EXPIRED, resource="jobs")
    version = site.batch.list_namespaced_job("default").metadata.resource_version
    watch = events(site, "jobs", resourceVersion=version)
    site.start("a", "pass", suspend=True)
    told = next(watch)
    assert (told["type"], told["object"]["code"]) == ("ERROR", 410)


def test_after_a_compaction_old_versions_and_pages_are_gone(cluster: FakeCluster, site: Site) -> None:
    for name in "abc":
        site.start(name, "pass", suspend=True)
    page = site.batch.list_namespaced_job("default", limit=1)
    site.start("d", "pass", suspend=True)
    cluster.compact()
    told = next(events(site, "jobs", resourceVersion=page.metadata.resource_version))
    assert (told["type"], told["object"]["code"], told["object"]["reason"]) == ("ERROR", 410, "Expired")
    body = refused(410, site.batch.list_namespaced_job, "default", limit=1, _continue=page.metadata._continue)
    assert body["reason"] == "Expired"
    assert names(site) == set("abcd")


def test_a_bookmark_survives_what_an_event_does_not(cluster: FakeCluster, site: Site) -> None:
    version = site.batch.list_namespaced_job("default").metadata.resource_version
    site.core.create_namespaced_config_map("default", {"metadata": {"name": "moves-on"}})
    bookmark = next(events(site, "jobs", resourceVersion=version, allowWatchBookmarks="true"))
    assert bookmark["type"] == "BOOKMARK"
    cluster.compact()
    resumed = events(site, "jobs", resourceVersion=bookmark["object"]["metadata"]["resourceVersion"])
    site.start("a", "pass", suspend=True)
    assert next(resumed)["type"] == "ADDED"


def test_dropped_connections_end_watches(cluster: FakeCluster, site: Site) -> None:
    site.start("a", "pass", suspend=True)
    watch = events(site, "jobs")
    assert next(watch)["type"] == "ADDED"
    cluster.drop_connections()
    with pytest.raises(urllib3.exceptions.HTTPError):
        list(watch)


def test_faults_by_chance_are_the_same_for_the_same_seed() -> None:
    def outcomes(seed: int) -> list[int]:
        with FakeCluster(run_pod=lambda pod: None, seed=seed) as cluster:
            cluster.faults.chance(Fault.ERROR, 0.3, verb="get", resource="jobs")
            site = Site.of(str(cluster.kubeconfig), namespace="default")
            site.start("a", "pass")
            found = []
            for _ in range(40):
                try:
                    site.batch.read_namespaced_job("a", "default")
                    found.append(200)
                except ApiException as error:
                    found.append(error.status)
            assert cluster.faults.injected[Fault.ERROR] == found.count(500)
            return found

    first = outcomes(1)
    assert first == outcomes(1) != outcomes(2)
    assert 0 < first.count(500) < 40


def test_faults_stop_when_they_are_cleared(cluster: FakeCluster, site: Site) -> None:
    cluster.faults.chance(Fault.ERROR, 1.0)
    refused(500, site.batch.list_namespaced_job, "default")
    cluster.faults.clear()
    assert names(site) == set()


def test_an_expired_token_is_refused(cluster: FakeCluster, site: Site) -> None:
    other = site.account("maker", [{"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["list"]}])
    batch = type(site.batch)(other)
    assert batch.list_namespaced_job("default").items == []
    cluster.advance(3_601)
    assert refused(401, batch.list_namespaced_job, "default")["reason"] == "Unauthorized"


def test_calls_are_counted_with_their_faults(cluster: FakeCluster, site: Site) -> None:
    cluster.faults.script(Fault.ERROR, verb="create", resource="jobs")
    refused(500, site.start, "a", "pass")
    site.start("a", "pass")
    assert cluster.calls["create", "jobs"] == 2
