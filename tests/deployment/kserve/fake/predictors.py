"""Plays predictors' pods: the storage initializer, then the real predictor at the pod's address."""

import asyncio
import threading
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

import uvicorn

from minorkey.errors import InputError
from minorkey.serving.app import create_app
from minorkey.serving.server import bind, predictor_of_bundle
from minorkey.serving.slot import Slot
from tests.deployment.kserve.fake.controller import SOURCE
from tests.kubernetes.fake import FakeCluster, SimulatedPod
from tests.kubernetes.fake.kinds import kind_of
from tests.kubernetes.fake.pod_status import running

__all__ = ["Predictors", "Sabotage"]

_PODS = kind_of("pods")


class Sabotage(StrEnum):
    """What is wrong with a version, told by its bundle's digest."""

    #: Every request is answered with 500.
    ERRORS = "errors"
    #: A customer's request is answered with 500, a check is not.
    ERRORS_IN_SERVICE = "errors_in_service"
    #: Every twentieth answer takes long.
    SLOW = "slow"
    #: The container ends as it starts.
    CRASH = "crash"


class Predictors:
    """Starts and ends predictors in this process.

    Args:
        folder_of: the folder behind a storage URI, None if it cannot be read.
    """

    def __init__(self, folder_of: Callable[[str], Path | None]) -> None:
        self._folder_of = folder_of
        self.cluster: FakeCluster
        self.sabotage: dict[str, Sabotage] = {}
        self._servers: set[uvicorn.Server] = set()

    def play(self, pod: SimulatedPod) -> None:
        """Run a pod."""
        threading.Thread(target=self._run, args=(pod,), name=f"pod {pod.name}", daemon=True).start()

    def _run(self, pod: SimulatedPod) -> None:
        self._await_running(pod)
        given = dict(zip(pod.command[:-1], pod.command[1:], strict=True))
        source = pod.manifest["metadata"]["annotations"][SOURCE]
        folder = self._folder_of(source)
        if folder is None:
            self._fail(
                pod,
                "storage-initializer",
                f"RuntimeError: Failed to fetch model. No model found in {source}.",
            )
            return
        try:
            predictor = predictor_of_bundle(folder, given["--as"], given["--digest"])
        except InputError as error:
            self._fail(pod, "kserve-container", f"error: {error.problem}")
            return
        wrong = self.sabotage.get(predictor.bundle.digest)
        if wrong is Sabotage.CRASH:
            self._fail(pod, "kserve-container", "Illegal instruction")
            return
        app = create_app(Slot(predictor))
        self._serve(pod, app if wrong is None else _Sabotaged(app, wrong), int(given["--port"]))

    def _serve(self, pod: SimulatedPod, app: Callable, port: int) -> None:
        listener = bind(pod.manifest["status"]["podIP"], port)
        config = uvicorn.Config(
            app, lifespan="off", log_level="critical", http="h11", ws="none", loop="asyncio",
            timeout_keep_alive=75, timeout_graceful_shutdown=5,
        )  # fmt: skip
        server = uvicorn.Server(config)

        def stop() -> None:
            server.should_exit = True

        pod.on_stop = stop
        self._servers.add(server)
        if not pod.stopping.is_set():
            server.run(sockets=[listener])
        self._servers.discard(server)
        listener.close()
        pod.finish(0)

    def close(self) -> None:
        """End what still listens."""
        for server in list(self._servers):
            server.should_exit = True

    def _await_running(self, pod: SimulatedPod) -> None:
        """The kubelet says that the container runs once this one has returned to it."""
        metadata = pod.manifest["metadata"]
        for _ in range(500):
            found = self.cluster.store.content(_PODS, metadata["namespace"], metadata["name"])
            if found is None or (found.get("status") or {}).get("phase") == "Running":
                return
            time.sleep(0.002)

    def _fail(self, pod: SimulatedPod, container: str, message: str) -> None:
        """The container ends at once, and is started again and again."""
        state = {
            "name": container,
            "ready": False,
            "restartCount": 3,
            "state": {
                "waiting": {
                    "reason": "CrashLoopBackOff",
                    "message": "back-off 40s restarting failed container",
                }
            },
            "lastState": {"terminated": {"exitCode": 1, "reason": "Error", "message": message}},
        }
        group = "initContainerStatuses" if container == "storage-initializer" else "containerStatuses"
        metadata = pod.manifest["metadata"]
        with self.cluster.store.lock:
            current = self.cluster.store.content(_PODS, metadata["namespace"], metadata["name"])
            if current is None:
                return
            status = running(current, "", pod.manifest["status"]["podIP"], False)
            self.cluster.objects.set_status(_PODS, current, {**status, group: [state]})


class _Sabotaged:
    """An application around the predictor's, which spoils what is inferred."""

    def __init__(self, app: Callable, wrong: Sabotage) -> None:
        self._app = app
        self._wrong = wrong
        self._asked = 0

    async def __call__(self, scope: dict, receive: Callable, send: Callable) -> None:
        path, headers = scope["path"], dict(scope.get("headers") or ())
        inferring = path.endswith("/infer") or path == "/predict"
        spared = self._wrong is Sabotage.ERRORS_IN_SERVICE and b"x-minorkey-check" in headers
        if not inferring or spared:
            await self._app(scope, receive, send)
        elif self._wrong is Sabotage.SLOW:
            self._asked += 1
            await asyncio.sleep(0.0 if self._asked % 20 else 1.0)
            await self._app(scope, receive, send)
        else:
            await self._fail(scope, receive, send)

    async def _fail(self, scope: dict, receive: Callable, send: Callable) -> None:
        """The predictor counts the failure, as one of its own would be."""

        async def failing(message: dict) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "status": 500}
            await send(message)

        async def broken() -> dict:
            raise RuntimeError("sabotaged")

        try:
            await self._app(scope, broken, failing)
        except RuntimeError:
            return
