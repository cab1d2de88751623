"""A Kubernetes cluster as a client sees it: an API server on loopback and what acts behind it."""

import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import yaml

from tests.kubernetes.fake.access import Access
from tests.kubernetes.fake.admission import admit
from tests.kubernetes.fake.api import Api
from tests.kubernetes.fake.certificates import server_context
from tests.kubernetes.fake.claims import Claims
from tests.kubernetes.fake.deletion import Deleter
from tests.kubernetes.fake.entrypoint import ENTRYPOINT, started_as, words
from tests.kubernetes.fake.environment import container_environment, expanded
from tests.kubernetes.fake.events import Recorder
from tests.kubernetes.fake.faults import Faults
from tests.kubernetes.fake.jobs import JobController
from tests.kubernetes.fake.kinds import Kinds, kind_of
from tests.kubernetes.fake.kubelet import Kubelet
from tests.kubernetes.fake.loop import Clock, Loop
from tests.kubernetes.fake.mounts import TOKEN_PATH, Mounts
from tests.kubernetes.fake.objects import Objects
from tests.kubernetes.fake.processes import Ended, Process, Running, SimulatedPod
from tests.kubernetes.fake.quotas import QuotaController
from tests.kubernetes.fake.reading import Reader
from tests.kubernetes.fake.scheduler import Node, Scheduler
from tests.kubernetes.fake.store import Store
from tests.kubernetes.fake.subresources import Subresources
from tests.kubernetes.fake.wire import Server
from tests.kubernetes.fake.writing import Writer

__all__ = ["FakeCluster"]

RunPod = Callable[[SimulatedPod], None]


class FakeCluster:
    """A cluster to test against, open as long as the ``with`` block lasts.

    Args:
        volumes: the folder behind each persistent volume claim; every namespace has these claims.
        nodes: the cluster's machines.
        images: those that can be had; None for all but images of a ``.invalid`` registry.
        environment: what containers get as from their image, on top of PATH and PYTHONPATH.
        entrypoint: ENTRYPOINT of every image: the first words of containers that give no command.
        run_pod: plays every pod instead of running its command: called once as a pod begins, must return
            at once.
        bookmark_seconds: how often a watch that allows it is told the current version.
        seed: of the faults that come by chance.
        tls: speak https, without which kubectl sends no token and pods find no API by themselves.

    Attributes:
        url, kubeconfig: where the API is, and a file with the rights of an administrator.
        faults: what goes wrong.
        objects, deleter, loop: how controllers of a test's own write, delete and get their turn.
        calls: how often each verb was asked of each resource, such as ``("create", "jobs")``.
    """

    def __init__(
        self,
        *,
        volumes: Mapping[str, Path | str] | None = None,
        nodes: Sequence[Node] = (Node(),),
        images: Collection[str] | None = None,
        environment: Mapping[str, str] | None = None,
        entrypoint: Sequence[str] = ENTRYPOINT,
        run_pod: RunPod | None = None,
        bookmark_seconds: float = 60.0,
        seed: int = 0,
        tls: bool = False,
    ) -> None:
        self._tls = tls
        self._environment = dict(environment or {})
        self._entrypoint = entrypoint
        self._run_pod = run_pod
        self.folder = Path(tempfile.mkdtemp(prefix="fake-cluster-"))
        self.faults = Faults(seed)
        clock = Clock()
        self.store = Store()
        self.loop = Loop(clock)
        self.objects = Objects(self.store, Kinds(), clock, admit)
        self._access = Access(self.store, clock)
        self.deleter = Deleter(self.objects, self.loop)
        recorder = Recorder(self.store, clock)
        self._claims = Claims(self.objects, self.folder / "claims", volumes or {})
        QuotaController(self.objects, self.loop)
        JobController(self.objects, self.deleter, self.loop, recorder)
        Scheduler(self.objects, self.loop, recorder)
        self.kubelet = Kubelet(
            self.objects,
            self.deleter,
            self.loop,
            recorder,
            self.folder / "pods",
            self._start,
            images,
            processes=run_pod is None,
        )
        subresources = Subresources(self.objects, self.deleter, self._access, self.kubelet.log)
        self._disrupt = subresources.disrupt
        self._api = Api(
            self.objects,
            self.deleter,
            Reader(self.store, self.faults, bookmark_seconds),
            Writer(self.objects),
            subresources,
            self._access,
            self.faults,
        )
        for node in nodes:
            self.add_node(node)
        for name in ("default", "kube-system", "kube-public"):
            self.add_namespace(name)

    @property
    def calls(self) -> Counter[tuple[str, str]]:
        """How often each verb was asked of each resource."""
        return self._api.calls

    def __enter__(self) -> "FakeCluster":
        self.loop.start()
        self._server = Server(self._api.handle, server_context(self.folder) if self._tls else None)
        self.url = self._server.url
        self.kubeconfig = self.kubeconfig_with(self._access.admin_token, "admin")
        return self

    def __exit__(self, *error: object) -> None:
        self.store.close()
        self._server.close()
        self.kubelet.close()
        self.loop.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        failures = self.loop.failures + self._api.failures
        if failures and error[0] is None:
            raise AssertionError("the fake failed:\n" + "\n".join(failures))

    def add_node(self, node: Node) -> None:
        """A machine joins."""
        self.objects.create(kind_of("nodes"), "", node.manifest())

    def add_namespace(self, name: str, labels: Mapping[str, str] | None = None) -> str:
        """Make a namespace; gives its name."""
        self.objects.create(
            kind_of("namespaces"), "", {"metadata": {"name": name, "labels": dict(labels or {})}}
        )
        return name

    def token(self, namespace: str, account: str, seconds: float = 3_600) -> str:
        """A token of a service account."""
        return self._access.issue(namespace, account, seconds)

    def revoke(self, token: str) -> None:
        """A token is worth nothing from now on."""
        self._access.revoke(token)

    def kubeconfig_with(self, token: str, name: str, namespace: str = "default") -> Path:
        """Write a kubeconfig file for whoever carries a token."""
        authority = {"certificate-authority": str(self.folder / "ca.crt")} if self._tls else {}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "fake",
            "clusters": [{"name": "fake", "cluster": {"server": self.url, **authority}}],
            "users": [{"name": name, "user": {"token": token}}],
            "contexts": [
                {"name": "fake", "context": {"cluster": "fake", "user": name, "namespace": namespace}}
            ],
        }
        path = self.folder / f"kubeconfig-{name}.yaml"
        path.touch(mode=0o600)
        path.write_text(yaml.safe_dump(content))
        return path

    def compact(self) -> None:
        """Forget history: watches from older versions get 410."""
        self.store.compact()
        self.store.wake()

    def drop_connections(self) -> None:
        """End every connection, watches too."""
        self._server.drop_connections()

    def advance(self, seconds: float) -> None:
        """Skip time for deadlines, times to live, grace and tokens."""
        self.loop.advance(seconds)

    def namespaces(self) -> list[str]:
        """The names of all namespaces."""
        with self.store.lock:
            return [content["metadata"]["name"] for content in self.store.contents(kind_of("namespaces"))]

    def pods(self, namespace: str = "") -> list[dict]:
        """Every pod as it is now."""
        with self.store.lock:
            return list(self.store.contents(kind_of("pods"), namespace))

    def jobs(self, namespace: str = "") -> list[dict]:
        """Every Job as it is now."""
        with self.store.lock:
            return list(self.store.contents(kind_of("jobs"), namespace))

    def evict(self, pod: dict) -> None:
        """Take a pod away, as draining its node does."""
        self._disrupt(pod, "EvictionByEvictionAPI", "Eviction API: evicting", {})

    def preempt(self, pod: dict) -> None:
        """Take a pod away for one with a higher priority."""
        self._disrupt(pod, "PreemptionByScheduler", "default-scheduler: preempting", {})

    def lose_node(self, pod: dict) -> None:
        """Take a pod's process away without warning, as a spot machine that is gone."""
        self._disrupt(pod, "DeletionByTaintManager", "Taint manager: deleting", {"gracePeriodSeconds": 0})

    def kill_for_memory(self, pod: dict) -> None:
        """What the kernel does to a pod beyond its limit."""
        running = self.kubelet.running(pod)
        if running:
            running.kill("OOMKilled")

    def _show_authority(self, mounts: Mounts) -> None:
        account = mounts.paths.get(TOKEN_PATH)
        if self._tls and account:
            shutil.copy(self.folder / "ca.crt", account / "ca.crt")

    def _start(self, pod: dict, folder: Path, ended: Ended) -> Running:
        values = container_environment(self.store, pod)
        mounts = Mounts(self.store, pod, folder, self._claims.folder, self._access.issue)
        self._show_authority(mounts)
        container = pod["spec"]["containers"][0]
        written = words(container, self._entrypoint)
        command, reaped = started_as([mounts.replaced(expanded(part, values)) for part in written])
        environment = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "PYTHONPATH": os.pathsep.join(filter(None, (str(Path.cwd()), os.environ.get("PYTHONPATH", "")))),
            "HOSTNAME": pod["metadata"]["name"],
            "KUBERNETES_SERVICE_HOST": "127.0.0.1",
            "KUBERNETES_SERVICE_PORT": self.url.rpartition(":")[2],
            **self._environment,
            **{name: mounts.replaced(value) for name, value in values.items()},
        }
        if "/tmp" in mounts.paths:
            environment.setdefault("TMPDIR", str(mounts.paths["/tmp"]))
        if self._run_pod is None:
            stated = container.get("workingDir")
            work = Path(mounts.replaced(stated)) if stated else Path.cwd()
            return Process(command, environment, folder, work, ended, reaped=reaped)
        simulated = SimulatedPod(pod, command, environment, self.loop.after, ended)
        self._run_pod(simulated)
        return simulated
