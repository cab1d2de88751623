"""A namespace of the fake cluster with what trial pods need, and executors for it."""

import itertools
import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from minorkey.cluster.spec import Profile, TrialPods
from minorkey.trials.kubernetes.api import KubernetesApi
from minorkey.trials.kubernetes.executor import KubernetesExecutor, Timing
from minorkey.trials.study_root import LocalStudyRoot
from tests.kubernetes.fake.cluster import FakeCluster
from tests.kubernetes.fake.kinds import kind_of

IMAGE = "registry.example/minorkey:1"
#: Everything soon, so that tests are.
TIMING = Timing(
    poll=0.02,
    heartbeat=60.0,
    patience=0.5,
    node_patience=0.5,
    look=0.05,
    podless=0.2,
    retry=0.2,
    late=2.0,
    watch=20,
)
_studies = itertools.count()


class Stage:
    """A restricted namespace with the ServiceAccount of trial pods and a study volume.

    Args:
        cluster: the cluster.
        namespace: the namespace to make.
        base: folder for studies.
    """

    def __init__(self, cluster: FakeCluster, namespace: str, base: Path) -> None:
        self.cluster = cluster
        self.namespace = cluster.add_namespace(
            namespace, {"pod-security.kubernetes.io/enforce": "restricted"}
        )
        self.create("serviceaccounts", {"metadata": {"name": "minorkey-trial"}})
        self.volume = cluster._claims.folder(namespace, "study")
        self._base = base
        self._stack = ExitStack()

    def __enter__(self) -> "Stage":
        return self

    def __exit__(self, *_: object) -> None:
        self.cluster.faults.clear()
        self._stack.close()

    def create(self, plural: str, content: dict[str, Any]) -> None:
        kind = kind_of(plural)
        self.cluster.objects.create(kind, self.namespace if kind.namespaced else "", content)

    def quota(self, name: str = "quota", **hard: str) -> None:
        spec = {"hard": {key.replace("_", "."): amount for key, amount in hard.items()}}
        self.create("resourcequotas", {"metadata": {"name": name}, "spec": spec})

    def occupy(self) -> None:
        """Somebody else's pod, which waits for a node for ever and counts against quotas all the while."""
        restricted = {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        }
        container = {"name": "other", "image": IMAGE, "securityContext": restricted}
        spec = {
            "containers": [container],
            "nodeSelector": {"kubernetes.io/hostname": "absent"},
            "serviceAccountName": "minorkey-trial",
        }
        self.create("pods", {"metadata": {"name": "other"}, "spec": spec})

    def root(self, study: str) -> LocalStudyRoot:
        return LocalStudyRoot(self.volume / self.namespace / study)

    def api(self, kubeconfig: Path | None = None, patience: float = 20.0) -> KubernetesApi:
        return KubernetesApi(kubeconfig or self.cluster.kubeconfig, patience=patience, pause=0.01)

    def executor(
        self,
        study: str = "",
        *,
        timing: Timing = TIMING,
        kubeconfig: Path | None = None,
        namespace: str = "",
        image: str = IMAGE,
        patience: float = 20.0,
        closes: bool = True,
        **pods: Any,
    ) -> KubernetesExecutor:
        study = study or f"study-{next(_studies)}"
        spec = TrialPods(
            **{"slots": 2, "study_volume": "study", "cpu": Profile(memory="2Gi"), **pods},
        )
        executor = KubernetesExecutor(
            self.root(study),
            spec,
            study,
            namespace or self.namespace,
            image,
            self.api(kubeconfig, patience),
            pod_root=f"/study/{self.namespace}/{study}",
            timing=timing,
        )
        if closes:
            self._stack.callback(executor.close)
        return executor

    def slow(self) -> Timing:
        """Timing of an executor that does not lose patience."""
        return impatient(patience=60.0, node_patience=60.0)

    def evict(self, pod: dict[str, Any]) -> None:
        self.cluster.evict(pod)

    def preempt(self, pod: dict[str, Any]) -> None:
        self.cluster.preempt(pod)

    def lose_node(self, pod: dict[str, Any]) -> None:
        self.cluster.lose_node(pod)

    def delete(self, pod: dict[str, Any]) -> None:
        self.cluster.deleter.delete(kind_of("pods"), self.namespace, pod["metadata"]["name"], {})

    def suspend(self, job: dict[str, Any], value: bool) -> None:
        """What a queue does that has no room for a Job, and what it does when it has."""
        kind, name = kind_of("jobs"), job["metadata"]["name"]
        with self.cluster.store.lock:
            current = self.cluster.store.content(kind, self.namespace, name)
            self.cluster.store.put(kind, {**current, "spec": {**current["spec"], "suspend": value}})
        self.cluster.store.wake()

    def messages(self) -> list[str]:
        """Names of what pods of every study here have said."""
        return sorted(path.name for path in self.volume.glob(f"{self.namespace}/*/channel/from/*/*"))

    def asked(self) -> list[str]:
        """Names of the Jobs that were ever asked for."""
        return sorted(path.name for path in self.volume.glob(f"{self.namespace}/*/channel/to/*"))

    def jobs(self) -> list[dict[str, Any]]:
        return self.cluster.jobs(self.namespace)

    def pods(self) -> list[dict[str, Any]]:
        return self.cluster.pods(self.namespace)

    def running(self) -> list[dict[str, Any]]:
        return [pod for pod in self.pods() if pod.get("status", {}).get("phase") == "Running"]


def impatient(**changes: float) -> Timing:
    return replace(TIMING, **changes)


def eventually(condition: Callable[[], Any], seconds: float = 20.0) -> Any:
    """What a condition gives once it gives something true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError(f"this has not become true within {seconds:g} s: {condition}")


def told(events: Path, kind: str) -> list[dict[str, Any]]:
    """Progress events of a kind."""
    lines = events.read_text().splitlines() if events.exists() else []
    return [event for event in map(json.loads, lines) if event["event"] == kind]
