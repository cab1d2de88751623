"""The pods of a study: asked for, used again, and deleted."""

import time
from collections import Counter
from collections.abc import Iterable

from minorkey.cluster.spec import TrialPods
from minorkey.trials.executor import Task
from minorkey.trials.kubernetes.api import KubernetesApi, Refused
from minorkey.trials.kubernetes.fleet import Fleet
from minorkey.trials.kubernetes.jobs import RESOURCE_LABEL, TASKS_ANNOTATION, job_name, task_digest, trial_job
from minorkey.trials.kubernetes.outcomes import is_over, seconds_since
from minorkey.trials.kubernetes.problems import Problem
from minorkey.trials.kubernetes.timing import Timing
from minorkey.trials.kubernetes.trial_pod import TrialPod

__all__ = ["Crew"]


class Crew:
    """At most so many pods at a time as there are slots, each the pod of a Job.

    Args:
        api: the API.
        fleet: Jobs and pods as last seen.
        pods: what the cluster says of trial pods.
        study: digest of the study.
        namespace: where pods run.
        image: their image.
        root: the study root as pods reach it.
        attempts: how many Jobs earlier drivers began, by the head of their names.
        timing: how often and how long.
    """

    def __init__(
        self,
        api: KubernetesApi,
        fleet: Fleet,
        pods: TrialPods,
        *,
        study: str,
        namespace: str,
        image: str,
        root: str,
        attempts: Counter[str],
        timing: Timing,
    ) -> None:
        self._api = api
        self._fleet = fleet
        self._spec = pods
        self._study = study
        self._namespace = namespace
        self._image = image
        self._root = root
        self._attempts = attempts
        self._timing = timing
        self._pods: dict[str, TrialPod] = {}
        self._retired: list[str] = []
        self._tried = float("-inf")

    def get(self, job: str) -> TrialPod | None:
        """The pod of a Job, None if it is none of these."""
        return self._pods.get(job)

    def jobs(self) -> Iterable[str]:
        """Names of the Jobs."""
        return tuple(self._pods)

    def choose(self, task: Task, *, alone: bool) -> TrialPod:
        """A pod that is free for a task, or one that has yet to be started.

        Args:
            task: the task.
            alone: give it a pod to itself.
        """
        if not alone:
            for pod in self._pods.values():
                if pod.takes(task) and not self.is_over(pod.job):
                    return pod
        self._make_room()
        digest = task_digest(task)
        head = job_name(self._study, digest, 0).rpartition("-")[0]
        capacity = 1 if alone else self._spec.trials_per_pod
        pod = TrialPod(
            job=job_name(self._study, digest, self._attempts[head]),
            resource=task.resource,
            capacity=capacity,
            seconds=capacity * task.seconds,
        )
        self._attempts[head] += 1
        return pod

    def start(self, pod: TrialPod) -> None:
        """Create the Job of a pod; where the quota is used up, later.

        Raises:
            InputError: it is refused for good, or the API has been away for too long.
        """
        self._pods[pod.job] = pod
        self._fleet.track(pod.job)
        manifest = trial_job(
            pod.job,
            study=self._study,
            pods=self._spec,
            resource=pod.resource,
            namespace=self._namespace,
            image=self._image,
            root=self._root,
            tasks=pod.capacity,
            seconds=pod.seconds,
            patience=self._timing.heartbeat,
        )
        try:
            self._api.create_job(self._namespace, manifest)
        except Refused as refused:
            if refused.problem.kind != "quota" or refused.problem.hopeless:
                raise refused.problem.error() from None
            pod.held = refused.problem
            self._tried = time.monotonic()
        else:
            pod.held = None
            pod.began = time.monotonic()

    def adopt(self, job: str, assigned: int) -> TrialPod:
        """Take over the pod of a Job that an earlier driver started."""
        if job in self._pods:
            return self._pods[job]
        self._fleet.track(job)
        manifest = self._fleet.job(job) or {"metadata": {}}
        metadata = manifest["metadata"]
        template = manifest.get("spec", {}).get("template", {}).get("spec", {})
        begun = metadata.get("creationTimestamp")
        limit = template.get("activeDeadlineSeconds", 0) - self._spec.deadline_slack_seconds
        pod = TrialPod(
            job=job,
            resource=(metadata.get("labels") or {}).get(RESOURCE_LABEL, "cpu"),
            capacity=int((metadata.get("annotations") or {}).get(TASKS_ANNOTATION, 1)),
            seconds=float(limit),
            served=assigned,
            began=time.monotonic() - (seconds_since(begun) if begun else 0.0),
        )
        self._pods[job] = pod
        return pod

    def retire(self, job: str) -> None:
        """Delete a Job when the driver has taken note of what was in it (`tidy`)."""
        if self._pods.pop(job, None) is not None:
            self._retired.append(job)

    def tidy(self) -> None:
        """Delete what is retired.

        Raises:
            InputError: the API does not allow it, or has been away for too long.
        """
        while self._retired:
            self._delete(self._retired[-1])
            self._retired.pop()

    def clear(self) -> None:
        """Delete every Job of the study.

        Raises:
            InputError: as for `tidy`.
        """
        for job in dict.fromkeys([*self._fleet.jobs(), *self._pods]):
            self._pods.pop(job, None)
            self._retired.append(job)
        self._retired = list(dict.fromkeys(self._retired))
        self.tidy()

    def is_over(self, job: str) -> bool:
        """Whether the pod of a Job will run nothing more."""
        if self._fleet.is_gone(job):
            return True
        seen = self._fleet.job(job)
        return seen is not None and is_over(seen)

    def start_held(self) -> list[Problem]:
        """Try again, now and then, what the quota has refused.

        Returns:
            Why Jobs are still held back.

        Raises:
            InputError: as for `start`.
        """
        held = [pod for pod in self._pods.values() if pod.held is not None]
        if held and time.monotonic() - self._tried >= self._timing.retry:
            for pod in held:
                self.start(pod)
                if pod.held is not None:
                    break
        return [pod.held for pod in held if pod.held is not None]

    def _make_room(self) -> None:
        """Part with an idle pod where all slots are taken by pods."""
        if len(self._pods) >= self._spec.slots:
            idle = [pod.job for pod in self._pods.values() if pod.running is None]
            for job in idle[: len(self._pods) - self._spec.slots + 1]:
                self.retire(job)

    def _delete(self, job: str) -> None:
        try:
            self._api.delete_job(self._namespace, job)
        except Refused as refused:
            raise refused.problem.error() from None
        self._fleet.forget(job)
