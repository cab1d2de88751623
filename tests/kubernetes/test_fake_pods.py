"""How the fake runs pods: volumes, endings at will, pods that a function plays, many at a time."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes.client.exceptions import ApiException

from tests.kubernetes.contract.jobs import IGNORE_DISRUPTIONS, OBEDIENT, JobContract
from tests.kubernetes.fake import FakeCluster, Node, SimulatedPod
from tests.kubernetes.fake.kinds import kind_of
from tests.kubernetes.site import Site


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return tmp_path / "study"


@pytest.fixture
def cluster(study: Path) -> Iterator[FakeCluster]:
    nodes = (Node("plain"), Node("accelerated", gpus=2, taints=({"key": "gpu", "effect": "NoSchedule"},)))
    with FakeCluster(volumes={"study": study}, nodes=nodes, environment={"FROM_IMAGE": "1"}) as cluster:
        yield cluster


@pytest.fixture
def site(cluster: FakeCluster) -> Site:
    return Site.of(str(cluster.kubeconfig), namespace="default")


def mounted(claim: str = "study") -> dict:
    volumes = [
        {"name": "study", "persistentVolumeClaim": {"claimName": claim}},
        {"name": "tmp", "emptyDir": {}},
    ]
    return {"volumes": volumes}


MOUNTS = [{"name": "study", "mountPath": "/study"}, {"name": "tmp", "mountPath": "/tmp"}]


def test_paths_below_a_mount_lead_to_its_folder(site: Site, study: Path) -> None:
    script = (
        "import os, pathlib, tempfile\n"
        "assert os.environ['FROM_IMAGE'] == '1'\n"
        "pathlib.Path(os.environ['ROOT']).mkdir()\n"
        "pathlib.Path('/study/a/in-script').write_text(tempfile.gettempdir())\n"
    )
    container = {"volumeMounts": MOUNTS, "env": [{"name": "ROOT", "value": "/study/a"}]}
    site.start("mounts", script, pod=mounted(), container=container)
    site.ended("mounts", "Complete")
    own = (study / "a" / "in-script").read_text()
    assert "/fake-cluster-" in own and own.endswith("/volumes/tmp")
    assert not (study.parent / "studyx").exists()


def test_a_claim_on_a_volume_of_the_node_leads_to_the_nodes_folder(site: Site, tmp_path: Path) -> None:
    folder = tmp_path / "node"
    folder.mkdir()
    site.core.create_persistent_volume(
        {
            "metadata": {"name": "local"},
            "spec": {
                "capacity": {"storage": "1Gi"},
                "accessModes": ["ReadWriteMany"],
                "hostPath": {"path": str(folder)},
                "storageClassName": "",
            },
        }
    )
    spec = {
        "volumeName": "local",
        "storageClassName": "",
        "accessModes": ["ReadWriteMany"],
        "resources": {"requests": {"storage": "1Gi"}},
    }
    site.core.create_namespaced_persistent_volume_claim(
        "default", {"metadata": {"name": "shared"}, "spec": spec}
    )
    script = "open('/study/here', 'w').write('yes')"
    site.start("shares", script, pod=mounted("shared"), container={"volumeMounts": MOUNTS})
    site.ended("shares", "Complete")
    assert (folder / "here").read_text() == "yes"


@pytest.mark.parametrize(
    ("taken", "reason"),
    [
        ("evict", "EvictionByEvictionAPI"),
        ("preempt", "PreemptionByScheduler"),
        ("lose_node", "DeletionByTaintManager"),
    ],
)
def test_a_pod_taken_away_says_why(cluster: FakeCluster, site: Site, taken: str, reason: str) -> None:
    site.start("taken", OBEDIENT, podFailurePolicy=IGNORE_DISRUPTIONS)
    pod = site.pod("taken", "Running")
    JobContract.wait_until_ready(site, pod.metadata.name)
    (manifest,) = cluster.pods("default")
    version = cluster.store.version
    getattr(cluster, taken)(manifest)
    site.wait(lambda: any(one.metadata.uid != pod.metadata.uid for one in site.pods("taken")))
    changes = cluster.store.changes(kind_of("pods"), version, 0)
    conditions = [
        (condition["type"], condition.get("reason"))
        for change in changes
        if change.stored.content["metadata"]["uid"] == pod.metadata.uid
        for condition in change.stored.content["status"].get("conditions", ())
    ]
    assert ("DisruptionTarget", reason) in conditions


def test_a_process_ends_with_its_children(site: Site, tmp_path: Path) -> None:
    marker = tmp_path / "child"
    script = (
        "import pathlib, subprocess\n"
        "child = subprocess.Popen(['sleep', '600'])\n"
        f"pathlib.Path({str(marker)!r}).write_text(str(child.pid))\n"
    )
    site.start("parent", script)
    site.ended("parent", "Complete")
    child = int(marker.read_text())
    site.wait(lambda: not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text())


def test_who_does_not_listen_is_killed_after_the_grace(cluster: FakeCluster, site: Site) -> None:
    deaf = (
        "import signal,time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('ready')\ntime.sleep(600)"
    )
    site.start("deaf", deaf, pod={"terminationGracePeriodSeconds": 300})
    pod = site.pod("deaf", "Running")
    site.wait(lambda: "ready" in site.core.read_namespaced_pod_log(pod.metadata.name, "default"))
    site.delete("deaf")
    site.wait(lambda: site.pods("deaf")[0].metadata.deletion_timestamp)
    cluster.advance(301)
    site.wait(lambda: not site.pods("deaf"))


def test_memory_runs_out_at_will(cluster: FakeCluster, site: Site) -> None:
    site.start("victim", OBEDIENT)
    site.pod("victim", "Running")
    cluster.kill_for_memory(cluster.pods("default")[0])
    site.ended("victim", "Failed")
    ended = site.pods("victim")[0].status.container_statuses[0].state.terminated
    assert (ended.reason, ended.exit_code) == ("OOMKilled", 137)


def test_a_killed_pod_takes_its_children_of_other_sessions_with_it(
    cluster: FakeCluster, site: Site, tmp_path: Path
) -> None:
    marker = tmp_path / "child"
    script = (
        "import pathlib, subprocess, time\n"
        "child = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        f"pathlib.Path({str(marker)!r}).write_text(str(child.pid))\n"
        "time.sleep(600)\n"
    )
    site.start("forks", script)
    child = int(site.wait(lambda: marker.exists() and marker.read_text()))
    cluster.kill_for_memory(cluster.pods("default")[0])
    site.ended("forks", "Failed")
    site.wait(lambda: not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text())


def test_a_time_to_live_can_be_skipped(cluster: FakeCluster, site: Site) -> None:
    site.start("kept", "pass", ttlSecondsAfterFinished=3_600)
    site.ended("kept", "Complete")
    assert [job["metadata"]["name"] for job in cluster.jobs()] == ["kept"]
    cluster.advance(3_601)
    site.wait(lambda: not cluster.jobs())


def test_accelerators_are_shared_out_among_those_who_tolerate_their_nodes(site: Site) -> None:
    def start(name: str, **pod: object) -> None:
        resources = {"limits": {"nvidia.com/gpu": "1"}}
        site.start(name, OBEDIENT, container={"resources": resources}, pod=pod)

    toleration = {"tolerations": [{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}]}
    start("intolerant")
    for name in ("first", "second", "third"):
        start(name, **toleration)
    assert site.pod("first", "Running").spec.node_name == "accelerated"
    site.pod("second", "Running")
    refusal = site.event(site.pods("intolerant")[0].metadata.name, "FailedScheduling").message
    assert "1 Insufficient nvidia.com/gpu" in refusal and "untolerated taint" in refusal
    assert site.pods("third")[0].status.phase == "Pending"
    site.delete("first")
    site.pod("third", "Running")


def test_a_thousand_jobs_at_a_time_are_played_by_a_function() -> None:
    started: list[SimulatedPod] = []
    with FakeCluster(run_pod=started.append) as cluster:
        site = Site.of(str(cluster.kubeconfig), namespace="default", patience=60)
        cpu = time.process_time()
        for number in range(1_000):
            site.batch.create_namespaced_job(
                "default", site.job(f"many-{number}", "pass"), _preload_content=False
            )
        site.wait(lambda: len(started) == 1_000)
        for pod in started:
            pod.finish(0)
        site.wait(lambda: all((job.get("status") or {}).get("succeeded") == 1 for job in cluster.jobs()))
        assert len(cluster.pods()) == len(cluster.jobs()) == 1_000
        assert cluster.calls.total() == 1_000
        assert (time.process_time() - cpu) / 1_000 < 0.02


def test_a_played_pod_writes_its_log_and_hears_that_it_should_end() -> None:
    heard: list[str] = []

    def play(pod: SimulatedPod) -> None:
        def stop() -> None:
            heard.append(pod.name)
            pod.finish(143)

        pod.on_stop = stop
        pod.write("played\n")

    with FakeCluster(run_pod=play) as cluster:
        site = Site.of(str(cluster.kubeconfig), namespace="default")
        site.start("played", "pass")
        name = site.pod("played", "Running").metadata.name
        assert site.core.read_namespaced_pod_log(name, "default") == "played\n"
        site.delete("played")
        site.wait(lambda: not cluster.pods())
        assert heard == [name]


def test_nothing_runs_on_when_the_cluster_is_gone(tmp_path: Path) -> None:
    marker = tmp_path / "pid"
    with FakeCluster() as cluster:
        site = Site.of(str(cluster.kubeconfig), namespace="default")
        script = f"import os,time\nopen({str(marker)!r},'w').write(str(os.getpid()))\ntime.sleep(600)"
        site.start("left", script)
        site.wait(lambda: marker.exists() and marker.read_text())
    pid = int(marker.read_text())
    until = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < until:
        time.sleep(0.02)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(Exception, match=r"Max retries|refused") as caught:
        site.batch.list_namespaced_job("default")
    assert not isinstance(caught.value, ApiException)


def test_a_pod_finds_the_api_and_is_who_it_is() -> None:
    script = (
        "import os, ssl, urllib.request\n"
        "folder = '/var/run/secrets/kubernetes.io/serviceaccount'\n"
        "place = os.environ['KUBERNETES_SERVICE_HOST'] + ':' + os.environ['KUBERNETES_SERVICE_PORT']\n"
        "path = '/apis/batch/v1/namespaces/default/jobs'\n"
        "token = open(folder + '/token').read()\n"
        "headers = {'Authorization': 'Bearer ' + token}\n"
        "request = urllib.request.Request('https://' + place + path, headers=headers)\n"
        "context = ssl.create_default_context(cafile=folder + '/ca.crt')\n"
        "try: print(urllib.request.urlopen(request, context=context).status)\n"
        "except urllib.error.HTTPError as error: print(error.read().decode())\n"
    )
    with FakeCluster(tls=True) as cluster:
        site = Site.of(str(cluster.kubeconfig), namespace="default")
        site.start("asks", script, pod={"automountServiceAccountToken": True})
        site.ended("asks", "Complete")
        said = site.core.read_namespaced_pod_log(site.pods("asks")[0].metadata.name, "default")
        assert "system:serviceaccount:default:default" in said and "cannot list resource" in said
