"""Runs the pods that have a node, and tells how they fare."""

import shutil
from collections.abc import Callable, Collection
from pathlib import Path

from tests.kubernetes.fake.addresses import new_address
from tests.kubernetes.fake.answers import bad_request
from tests.kubernetes.fake.deletion import Deleter
from tests.kubernetes.fake.environment import ConfigError
from tests.kubernetes.fake.events import Recorder
from tests.kubernetes.fake.kinds import Kind, kind_of
from tests.kubernetes.fake.loop import Loop, timestamp
from tests.kubernetes.fake.mounts import MountError
from tests.kubernetes.fake.objects import Objects
from tests.kubernetes.fake.pod_status import running, terminated, waiting, words
from tests.kubernetes.fake.pods import image_is_valid, resources
from tests.kubernetes.fake.probes import PROBE_SECONDS, answers_probe, failures_allowed, probe_of
from tests.kubernetes.fake.process_table import ProcessTable
from tests.kubernetes.fake.processes import Ended, Running

__all__ = ["Kubelet"]

_PODS = kind_of("pods")
_OVER = ("Succeeded", "Failed")
#: Seconds between two attempts at what a pod waits for.
_RETRY_SECONDS = 0.25
#: Seconds between two looks at the memory of processes.
_MEMORY_SECONDS = 0.2

Start = Callable[[dict, Path, Ended], Running]


class Kubelet:
    """Starts, watches and ends pods.

    Args:
        start: starts what runs in a pod, in a folder of the pod's own.
        images: those that can be had; None for all but images of a ``.invalid`` registry.
        processes: whether pods are processes, whose memory is looked at.
    """

    def __init__(
        self,
        objects: Objects,
        deleter: Deleter,
        loop: Loop,
        recorder: Recorder,
        folder: Path,
        start: Start,
        images: Collection[str] | None,
        processes: bool,
    ) -> None:
        self._objects = objects
        self._store = objects.store
        self._deleter = deleter
        self._loop = loop
        self._recorder = recorder
        self._folder = folder
        self._start = start
        self._images = images
        self._processes = processes
        self._running: dict[str, Running] = {}
        self._begun: dict[str, tuple[str, str]] = {}
        self._stopping: set[str] = set()
        #: Readiness probes in a row that a pod has not answered.
        self._failures: dict[str, int] = {}
        self._limits: dict[str, int] = {}
        #: Bound of a preStop hook's sleep, for tests that do not want to wait for it.
        self.longest_sleep = float("inf")
        self._store.listen(self._changed)
        self._loop.after(_MEMORY_SECONDS, self._look_at_memory)

    def log(self, pod: dict) -> bytes:
        """What a pod has written.

        Raises:
            ApiError: 400, it has not begun.
        """
        uid = pod["metadata"]["uid"]
        if uid in self._running:
            return self._running[uid].log()
        path = self._folder / uid / "log"
        if path.exists():
            return path.read_bytes()
        container = pod["spec"]["containers"][0]["name"]
        raise bad_request(
            f'container "{container}" in pod "{pod["metadata"]["name"]}" is waiting to start: {words(pod)}'
        )

    def running(self, pod: dict) -> Running | None:
        """What runs in a pod, None if nothing does."""
        return self._running.get(pod["metadata"]["uid"])

    def close(self) -> None:
        """End every process."""
        for process in list(self._running.values()):
            process.kill()

    def _changed(self, change: str, kind: Kind, content: dict, previous: dict | None) -> None:
        if kind is not _PODS:
            return
        metadata = content["metadata"]
        uid = metadata["uid"]
        place = (metadata["namespace"], metadata["name"])
        if change == "DELETED":
            self._loop.soon(("forget", uid), lambda: self._forget(uid))
        elif metadata.get("deletionTimestamp"):
            self._loop.soon(("stop", uid, metadata["deletionTimestamp"]), lambda: self._stop(uid, *place))
        elif content["spec"].get("nodeName") and uid not in self._begun:
            self._begun[uid] = place
            self._loop.soon(("begin", uid), lambda: self._begin(uid, *place))

    def _pod(self, uid: str, namespace: str, name: str) -> dict | None:
        pod = self._store.content(_PODS, namespace, name)
        return pod if pod and pod["metadata"]["uid"] == uid else None

    def _begin(self, uid: str, namespace: str, name: str) -> None:
        pod = self._pod(uid, namespace, name)
        if pod is None or pod["metadata"].get("deletionTimestamp") or uid in self._running:
            return
        problem = self._image_problem(pod)
        if problem:
            self._wait(pod, *problem)
            return
        folder = self._folder / uid
        folder.mkdir(parents=True, exist_ok=True)
        pod = {**pod, "status": {**(pod.get("status") or {}), "podIP": new_address()}}
        try:
            process = self._start(
                pod, folder, lambda code, why, last: self._later_ended(uid, code, why, last)
            )
        except ConfigError as error:
            self._wait(pod, "CreateContainerConfigError", str(error))
        except MountError as error:
            self._warn(pod, "FailedMount", f"MountVolume.SetUp failed: {error}")
            self._wait(pod, "ContainerCreating", "")
        except OSError as error:
            message = f'exec: "{error.filename}": executable file not found in $PATH: {error.strerror}'
            self._later_ended(uid, 128, "StartError", message)
        else:
            self._note_start(uid, pod, process)

    def _note_start(self, uid: str, pod: dict, process: Running) -> None:
        self._running[uid] = process
        limit = resources(pod["spec"], "limits").get("memory")
        if limit:
            self._limits[uid] = int(limit)
        now = self._objects.clock.now()
        address, probed = pod["status"]["podIP"], probe_of(pod) is not None
        self._objects.set_status(_PODS, pod, running(pod, timestamp(now), address, not probed))
        if probed:
            self._loop.after(PROBE_SECONDS, lambda: self._probe(uid, address))
        self._recorder.record(_PODS, pod, "Normal", "Started", "Container started", "kubelet")
        seconds = pod["spec"].get("activeDeadlineSeconds")
        if seconds:
            self._loop.after(seconds, lambda: self._over_time(uid))

    def _probe(self, uid: str, address: str) -> None:
        """Ask a container whether it is ready, again and again."""
        pod = self._pod(uid, *self._begun.get(uid, ("", "")))
        if pod is None or uid not in self._running:
            return
        status = pod.get("status") or {}
        said = {one["type"]: one["status"] for one in status.get("conditions") or ()}.get("Ready") == "True"
        probe = probe_of(pod) or {}
        answers = answers_probe(address, probe)
        self._failures[uid] = 0 if answers else self._failures.get(uid, 0) + 1
        ready = answers or (said and self._failures[uid] <= failures_allowed(probe))
        waits = (status.get("containerStatuses") or [{"state": {}}])[0]["state"].get("waiting")
        if ready != said and not waits:
            now = timestamp(self._objects.clock.now())
            self._objects.set_status(_PODS, pod, running(pod, now, address, ready))
        self._loop.after(10 * PROBE_SECONDS if ready else PROBE_SECONDS, lambda: self._probe(uid, address))

    def _image_problem(self, pod: dict) -> tuple[str, str] | None:
        container = pod["spec"]["containers"][0]
        image = container["image"]
        if not image_is_valid(image):
            return (
                "InvalidImageName",
                f'Failed to apply default image tag "{image}": couldn\'t parse image name',
            )
        absent = ".invalid/" in image if self._images is None else image not in self._images
        if not absent:
            return None
        if container["imagePullPolicy"] == "Never":
            return "ErrImageNeverPull", f'Container image "{image}" is not present with pull policy of Never'
        if words(pod).startswith(("ErrImagePull", "ImagePullBackOff")):
            return "ImagePullBackOff", f'Back-off pulling image "{image}"'
        return "ErrImagePull", f'failed to pull and unpack image "{image}": not found'

    def _wait(self, pod: dict, reason: str, message: str) -> None:
        metadata = pod["metadata"]
        self._objects.set_status(_PODS, pod, waiting(pod, reason, message))
        if message:
            self._warn(pod, "BackOff" if reason == "ImagePullBackOff" else "Failed", f"{reason}: {message}")
        place = (metadata["uid"], metadata["namespace"], metadata["name"])
        self._loop.after(_RETRY_SECONDS, lambda: self._begin(*place))

    def _warn(self, pod: dict, reason: str, message: str) -> None:
        self._recorder.record(_PODS, pod, "Warning", reason, message, "kubelet")

    def _over_time(self, uid: str) -> None:
        process = self._running.get(uid)
        if process:
            process.kill("DeadlineExceeded")

    def _look_at_memory(self) -> None:
        table = ProcessTable() if self._limits and self._processes else None
        for uid, limit in list(self._limits.items()) if table else ():
            process = self._running.get(uid)
            if process and process.memory(table) > limit:
                process.kill("OOMKilled")
        self._loop.after(_MEMORY_SECONDS, self._look_at_memory)

    def _stop(self, uid: str, namespace: str, name: str) -> None:
        """End a pod that was deleted: at once if nothing runs in it."""
        pod = self._pod(uid, namespace, name)
        if pod is None:
            return
        process = self._running.get(uid)
        if process is None:
            if (pod.get("status") or {}).get("phase") not in _OVER:
                self._objects.set_status(_PODS, pod, {**(pod.get("status") or {}), "phase": "Failed"})
            self._deleter.remove_now(_PODS, namespace, name, uid)
            return
        grace = pod["metadata"].get("deletionGracePeriodSeconds", 0)
        if not grace:
            process.kill()
        elif uid not in self._stopping:
            self._stopping.add(uid)
            self._recorder.record(_PODS, pod, "Normal", "Killing", "Stopping container", "kubelet")
            hook = (pod["spec"]["containers"][0].get("lifecycle") or {}).get("preStop") or {}
            sleep = min((hook.get("sleep") or {}).get("seconds", 0), self.longest_sleep)
            self._loop.after(sleep, process.terminate)
            self._loop.after(grace, lambda: self._kill(uid))

    def _kill(self, uid: str) -> None:
        process = self._running.get(uid)
        if process:
            process.kill()

    def _later_ended(self, uid: str, code: int, reason: str, last_words: str) -> None:
        self._loop.soon(("ended", uid), lambda: self._ended(uid, code, reason, last_words))

    def _ended(self, uid: str, code: int, reason: str, last_words: str) -> None:
        process = self._running.pop(uid, None)
        self._limits.pop(uid, None)
        self._stopping.discard(uid)
        log = process.log() if process else b""
        pod = self._pod(uid, *self._begun.get(uid, ("", "")))
        if pod is None:
            return
        (self._folder / uid).mkdir(parents=True, exist_ok=True)
        (self._folder / uid / "log").write_bytes(log)
        now = timestamp(self._objects.clock.now())
        self._objects.set_status(_PODS, pod, terminated(pod, code, reason, last_words, log, now))
        metadata = pod["metadata"]
        if metadata.get("deletionTimestamp"):
            self._deleter.remove_now(_PODS, metadata["namespace"], metadata["name"], uid)

    def _forget(self, uid: str) -> None:
        process = self._running.get(uid)
        if process:
            process.kill()
        self._begun.pop(uid, None)
        self._failures.pop(uid, None)
        shutil.rmtree(self._folder / uid, ignore_errors=True)
