"""The Jobs and pods of a study, as the watchers last saw them."""

import queue
from collections.abc import Iterable
from typing import Any

from minorkey.trials.kubernetes.api import KubernetesApi
from minorkey.trials.kubernetes.jobs import STUDY_LABEL
from minorkey.trials.kubernetes.watching import News, Watcher

__all__ = ["Fleet"]

Manifest = dict[str, Any]

_JOB_NAME = "batch.kubernetes.io/job-name"


class Fleet:
    """Follows the Jobs and pods of a study by two watches, whatever their number.

    Args:
        api: the API.
        namespace: where they are.
        study: digest of the study.
        watch_seconds: length of a watch.
    """

    def __init__(self, api: KubernetesApi, namespace: str, study: str, *, watch_seconds: int = 240) -> None:
        self._news: queue.SimpleQueue[News] = queue.SimpleQueue()
        self._watchers = [
            Watcher(api, kind, namespace, f"{STUDY_LABEL}={study}", self._news, seconds=watch_seconds)
            for kind in ("jobs", "pods")
        ]
        self._jobs: dict[str, Manifest] = {}
        self._pods: dict[str, dict[str, Manifest]] = {}
        self._listed: set[str] = set()
        self._tracked: set[str] = set()
        #: Tracked Jobs that were there and are no more.
        self._gone: set[str] = set()

    def start(self) -> None:
        """Begin to follow, and wait until everything that is there has been seen.

        Raises:
            InputError: the API refuses, or cannot be reached.
        """
        for watcher in self._watchers:
            watcher.start()
        while len(self._listed) < len(self._watchers):
            self.follow(1.0)

    def stop(self) -> None:
        """Follow no longer."""
        for watcher in self._watchers:
            watcher.stop()

    def follow(self, seconds: float) -> set[str]:
        """Take in what is new, waiting for it so long.

        Returns:
            Names of the Jobs about which there is news.

        Raises:
            InputError: the API refuses, or has been away for too long.
        """
        touched: set[str] = set()
        try:
            news = self._news.get(timeout=seconds) if seconds > 0 else self._news.get_nowait()
            while True:
                if news.error is not None:
                    raise news.error
                touched |= self._listing(news) if news.change == "LISTED" else self._change(news)
                news = self._news.get_nowait()
        except queue.Empty:
            return touched

    def job(self, name: str) -> Manifest | None:
        """A Job as last seen."""
        return self._jobs.get(name)

    def jobs(self) -> Iterable[str]:
        """Names of the Jobs that are there."""
        return tuple(self._jobs)

    def is_gone(self, name: str) -> bool:
        """Whether a Job was there and is no more."""
        return name in self._gone

    def pod(self, name: str) -> Manifest | None:
        """The newest pod of a Job as last seen."""
        pods = self._pods.get(name)
        if not pods:
            return None
        return max(
            pods.values(), key=lambda pod: (pod["metadata"].get("creationTimestamp", ""), _version(pod))
        )

    def track(self, name: str) -> None:
        """Remember of a Job how it ended when it is gone."""
        self._tracked.add(name)

    def forget(self, name: str) -> None:
        """Keep nothing of a Job that is no longer of interest."""
        self._tracked.discard(name)
        self._jobs.pop(name, None)
        self._pods.pop(name, None)
        self._gone.discard(name)

    def _listing(self, news: News) -> set[str]:
        self._listed.add(news.kind)
        touched: set[str] = set()
        if news.kind == "jobs":
            present = {job["metadata"]["name"]: job for job in news.objects}
            missing = self._jobs.keys() - present.keys()
            self._gone |= missing & self._tracked
            touched |= missing | present.keys()
            self._jobs = present
        else:
            touched |= self._pods.keys()
            self._pods = {}
            for pod in news.objects:
                touched.add(self._keep(pod))
        return touched

    def _change(self, news: News) -> set[str]:
        (content,) = news.objects
        name = content["metadata"]["name"] if news.kind == "jobs" else _job_of(content)
        if news.kind == "jobs" and news.change == "DELETED":
            self._jobs.pop(name, None)
            self._gone |= {name} & self._tracked
        elif news.kind == "jobs":
            self._jobs[name] = content
        elif news.change == "DELETED":
            self._pods.get(name, {}).pop(content["metadata"]["name"], None)
            if not self._pods.get(name):
                self._pods.pop(name, None)
                if name in self._tracked:
                    self._keep(_as_deleted(content))
        else:
            self._keep(content)
        return {name}

    def _keep(self, pod: Manifest) -> str:
        name = _job_of(pod)
        self._pods.setdefault(name, {})[pod["metadata"]["name"]] = pod
        return name


def _job_of(pod: Manifest) -> str:
    labels = pod["metadata"].get("labels") or {}
    return str(labels.get(_JOB_NAME) or labels.get("job-name") or "")


def _as_deleted(pod: Manifest) -> Manifest:
    """A pod that is no more, in a state that says so: its last one may still have been Running."""
    status = pod.get("status", {})
    if status.get("phase") in ("Succeeded", "Failed"):
        return pod
    metadata = {"deletionTimestamp": "1970-01-01T00:00:00Z", **pod["metadata"]}
    return {**pod, "metadata": metadata, "status": {**status, "phase": "Failed"}}


def _version(manifest: Manifest) -> int:
    text = manifest["metadata"].get("resourceVersion", "0")
    return int(text) if text.isdigit() else 0
