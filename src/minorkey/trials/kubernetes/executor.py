"""Tasks in pods: the `Executor` of a cluster."""

import time
from collections.abc import Sequence
from dataclasses import replace

from minorkey.cluster.spec import TrialPods
from minorkey.errors import ContractError, InputError
from minorkey.progress import emit
from minorkey.trials.executor import Ended, Event, Task
from minorkey.trials.kubernetes.adoption import Legacy
from minorkey.trials.kubernetes.api import KubernetesApi
from minorkey.trials.kubernetes.channel import Channel
from minorkey.trials.kubernetes.crew import Crew
from minorkey.trials.kubernetes.fleet import Fleet
from minorkey.trials.kubernetes.jobs import cores_of, study_digest
from minorkey.trials.kubernetes.supervision import Supervision
from minorkey.trials.kubernetes.timing import Timing
from minorkey.trials.kubernetes.waiting import Waiting
from minorkey.trials.study_root import StudyRoot

__all__ = ["KubernetesExecutor", "Timing"]


class KubernetesExecutor:
    """Runs each task in the pod of a Job, or several one after the other in one.

    Nothing is asked of the API before the first task.

    Args:
        root: the study root, as this process reaches it.
        pods: what the cluster says of trial pods.
        study: the study's identity: an executor of the same study takes over what an earlier one left.
        namespace: where pods run.
        image: their image.
        api: the API.
        pod_root: the study root as pods reach it; default: as this process does.
        timing: how often and how long.
    """

    def __init__(
        self,
        root: StudyRoot,
        pods: TrialPods,
        study: str,
        namespace: str,
        image: str,
        api: KubernetesApi,
        *,
        pod_root: str = "",
        timing: Timing | None = None,
    ) -> None:
        self._root = pod_root or root.location
        self._spec = pods
        self._study = study_digest(study, self._root)
        self._namespace = namespace
        self._image = image
        self._api = api
        self._timing = timing or Timing()
        self._channel = Channel(root)
        self._supervision: Supervision | None = None
        self._events: list[Event] = []

    def __enter__(self) -> "KubernetesExecutor":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def slots(self) -> int:
        """Pods at a time."""
        return self._spec.slots

    @property
    def threads(self) -> int:
        """Whole cores of a CPU pod."""
        return cores_of(self._spec.cpu)

    @property
    def remote(self) -> bool:
        """True: pods reach nothing but the study root."""
        return True

    @property
    def study(self) -> str:
        """Value of the label ``minorkey.io/study`` of its Jobs."""
        return self._study

    def submit(self, task: Task) -> None:
        """Run a task in a pod; one that an earlier driver started is taken over.

        Raises:
            InputError: the API, the quota, an admission or the namespace refuses for good.
        """
        supervision = self._opened()
        under_way = supervision.inboxes
        if len(under_way) >= self.slots or task.name in under_way:
            raise ContractError(f"no free pod for task {task.name}, or it is under way")
        supervision.submit(replace(task, resource="cpu") if self._spec.gpu is None else task)

    def answer(self, name: str, go: bool) -> None:
        """Tell a task that has reported whether to go on."""
        if self._supervision is not None:
            self._supervision.inboxes.answer(name, go)

    def wait(self, seconds: float | None = None) -> Sequence[Event]:
        """What happened; meanwhile pods that are no longer needed go, and what keeps others is told.

        Raises:
            InputError: nothing can run, or the API refuses for good.
        """
        if self._supervision is None:
            return []
        self._supervision.tidy()
        deadline = float("inf") if seconds is None else time.monotonic() + seconds
        while not self._events and len(self._supervision.inboxes):
            left = deadline - time.monotonic()
            self._events += self._supervision.step(max(0.0, left))
            if left <= 0:
                break
        events, self._events = self._events, []
        over = {event.name for event in events if isinstance(event, Ended)}
        return [event for event in events if isinstance(event, Ended) or event.name not in over]

    def cancel(self) -> None:
        """Delete every Job of the study; what cannot be deleted now ends for want of a heartbeat."""
        self._events.clear()
        if self._supervision is None:
            return
        try:
            self._supervision.cancel()
        except InputError as error:
            emit("warned", text=f"trial pods could not be deleted and will end themselves: {error.problem}")
            self._let_go()

    def close(self) -> None:
        """End everything and follow the cluster no longer."""
        self.cancel()
        self._let_go()

    def _let_go(self) -> None:
        supervision, self._supervision = self._supervision, None
        if supervision is not None:
            supervision.close()

    def _opened(self) -> Supervision:
        """Follow the study's Jobs, and find what an earlier driver has left."""
        if self._supervision is None:
            fleet = Fleet(self._api, self._namespace, self._study, watch_seconds=self._timing.watch)
            try:
                fleet.start()
            except InputError:
                fleet.stop()
                raise
            legacy = Legacy.find(self._channel, fleet)
            self._supervision = Supervision(
                self._channel, fleet, self._crew(fleet, legacy), self._waiting(fleet), legacy, self._timing
            )
        return self._supervision

    def _crew(self, fleet: Fleet, legacy: Legacy) -> Crew:
        return Crew(
            self._api,
            fleet,
            self._spec,
            study=self._study,
            namespace=self._namespace,
            image=self._image,
            root=self._root,
            attempts=legacy.attempts,
            timing=self._timing,
        )

    def _waiting(self, fleet: Fleet) -> Waiting:
        return Waiting(
            self._api,
            fleet,
            self._namespace,
            queue=self._spec.queue,
            patience=self._timing.patience,
            node_patience=self._timing.node_patience,
            podless=self._timing.podless,
        )
