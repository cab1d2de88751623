"""Why pods that should run do not run: shown while there is hope, an error when there is none."""

import time
from collections.abc import Iterable
from typing import Any

from minorkey.progress import emit
from minorkey.trials.kubernetes.api import KubernetesApi, Refused
from minorkey.trials.kubernetes.fleet import Fleet
from minorkey.trials.kubernetes.problems import Problem, pod_problem, suspended
from minorkey.trials.kubernetes.refusals import event_problem

__all__ = ["Waiting"]

Manifest = dict[str, Any]

#: The same reason is told again after so many seconds.
_AGAIN = 60.0
#: Seconds between two looks at events.
_EVENTS = 10.0
#: After so many seconds without a look, what was seen before says nothing about now.
_PAUSE = 30.0


class Waiting:
    """Looks at the pods that do not run.

    Args:
        api: the API, for events of Jobs whose pods are not created.
        fleet: Jobs and pods.
        namespace: where they are.
        queue: Kueue's queue, if there is one.
        patience: seconds that nothing may run because of something that rarely mends itself: images,
            missing objects, admission.
        node_patience: seconds that nothing may run for want of a node; nodes may be on their way.
        podless: seconds that a Job may be without a pod before its events are looked at.
    """

    def __init__(
        self,
        api: KubernetesApi,
        fleet: Fleet,
        namespace: str,
        *,
        queue: str,
        patience: float,
        node_patience: float,
        podless: float,
    ) -> None:
        self._api = api
        self._fleet = fleet
        self._namespace = namespace
        self._queue = queue
        self._patience = {"image": patience, "start": patience, "refused": patience, "node": node_patience}
        self._podless_seconds = podless
        self._podless: dict[str, float] = {}
        self._unborn: dict[str, Problem] = {}
        self._looked = float("-inf")
        self._since: float | None = None
        self._last_look = float("-inf")
        self._told: tuple[str, float] = ("", float("-inf"))

    def look(self, jobs: Iterable[str], held: Iterable[Problem]) -> None:
        """Tell why pods wait.

        Args:
            jobs: Jobs that should have a pod that runs.
            held: why Jobs could not even be created.

        Raises:
            InputError: nothing runs, and waiting does not help or has not helped.
        """
        now = time.monotonic()
        if now - self._last_look > _PAUSE:
            self._since = None
        self._last_look = now
        problems, running = list(held), 0
        without = set()
        for name in jobs:
            pod, job = self._live(name), self._fleet.job(name)
            if pod is None and job is not None:
                without.add(name)
            elif pod is not None and pod.get("status", {}).get("phase") == "Running":
                running += 1
            found = self._problem(name, pod, job)
            if found is not None:
                problems.append(found)
        self._look_at_events(without, now)
        if not problems:
            self._since = None
            return
        self._tell(problems, running, now)
        if running:
            self._since = None
            return
        self._since = now if self._since is None else self._since
        worst = max(problems, key=lambda problem: (problem.hopeless, problem.kind in self._patience))
        limit = 0.0 if worst.hopeless else self._patience.get(worst.kind, float("inf"))
        if now - self._since >= limit:
            raise worst.error()

    def _live(self, name: str) -> Manifest | None:
        """The pod of a Job, None if it has none or the last one is over."""
        pod = self._fleet.pod(name)
        over = pod is not None and pod.get("status", {}).get("phase") in ("Succeeded", "Failed")
        return None if over else pod

    def _problem(self, name: str, pod: Manifest | None, job: Manifest | None) -> Problem | None:
        if pod is not None:
            return pod_problem(pod)
        if job is None:
            return None
        return suspended(job, self._queue) or self._unborn.get(name)

    def _look_at_events(self, without: set[str], now: float) -> None:
        """Events alone say why a Job's controller cannot create its pod."""
        self._podless = {name: self._podless.get(name, now) for name in without}
        self._unborn = {name: problem for name, problem in self._unborn.items() if name in without}
        if (
            not any(now - since >= self._podless_seconds for since in self._podless.values())
            or now - self._looked < _EVENTS
        ):
            return
        self._looked = now
        try:
            events, _ = self._api.list("events", self._namespace, fieldSelector="reason=FailedCreate")
        except Refused:
            return  # the events say why, but nothing depends on them
        for event in sorted(events, key=lambda event: event.get("lastTimestamp") or ""):
            name = event.get("involvedObject", {}).get("name", "")
            found = event_problem(event, self._namespace) if name in without else None
            if found is not None:
                self._unborn[name] = found

    def _tell(self, problems: list[Problem], running: int, now: float) -> None:
        counts: dict[tuple[str, str, str, str], int] = {}
        for problem in problems:
            # Pods have names of their own; what matters is how many wait for the same thing.
            key = (
                problem.kind,
                "" if problem.kind == "node" else problem.object,
                problem.text,
                problem.remedy,
            )
            counts[key] = counts.get(key, 0) + 1
        (kind, where, text, remedy), number = max(counts.items(), key=lambda item: item[1])
        said = f"{kind} {where} {text}"
        if said == self._told[0] and now - self._told[1] < _AGAIN:
            return
        self._told = (said, now)
        emit(
            "waiting",
            reason=kind,
            pods=number,
            running=running,
            object=where,
            text=f"{number} trial pods wait: {text}{f' ({where})' if where else ''}; {remedy}",
        )
