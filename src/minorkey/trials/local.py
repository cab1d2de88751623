"""Persistent worker processes on this machine."""

import selectors
import time
from collections.abc import Sequence

from minorkey.errors import ContractError
from minorkey.trials.executor import Ended, Event, Executor, Reported, Task
from minorkey.trials.trial import Outcome
from minorkey.trials.worker_process import WorkerProcess

__all__ = ["LocalExecutor", "close_shared_pool", "shared_pool"]

#: Seconds between two looks at time and memory.
_WATCH = 0.1


class LocalExecutor:
    """Tasks in worker processes that stay, each a fresh Python talking JSON over pipes.

    Args:
        workers: how many; default: the cores.
        cores: cores to share among them; default: those this process may use, by its affinity and by the
            quota of its container.
    """

    def __init__(self, workers: int | None = None, *, cores: int | None = None) -> None:
        available = cores or _cores()
        self._slots = workers or available
        self._threads = max(1, available // self._slots)
        self._selector = selectors.DefaultSelector()
        self._idle: list[WorkerProcess] = []
        self._busy: dict[str, WorkerProcess] = {}
        self._events: list[Event] = []
        self._watched = 0.0
        for _ in range(self._slots):
            self._idle.append(self._start())

    def __enter__(self) -> "LocalExecutor":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def slots(self) -> int:
        """Number of workers."""
        return self._slots

    @property
    def threads(self) -> int:
        """Cores for each worker, at least one."""
        return self._threads

    @property
    def remote(self) -> bool:
        """False: workers read the driver's own folders."""
        return False

    @property
    def pids(self) -> list[int]:
        """Process ids of the live workers."""
        return [worker.pid for worker in (*self._idle, *self._busy.values())]

    def submit(self, task: Task) -> None:
        """Hand a task to a free worker; one that has died meanwhile is replaced."""
        if len(self._busy) >= self._slots or task.name in self._busy:
            raise ContractError(f"no free worker for task {task.name}, or it is under way")
        worker = self._idle.pop() if self._idle else self._start()
        try:
            worker.run(task, self._threads)
        except BrokenPipeError:
            self._drop(worker)
            worker = self._start()
            worker.run(task, self._threads)
        self._busy[task.name] = worker

    def answer(self, name: str, go: bool) -> None:
        """Tell a task that has reported whether to go on."""
        if name in self._busy:
            self._busy[name].answer(go)

    def wait(self, seconds: float | None = None) -> Sequence[Event]:
        """What happened; ends tasks that are over their limits."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while not self._events and self._busy:
            left = _WATCH if deadline is None else min(_WATCH, max(0.0, deadline - time.monotonic()))
            for key, _ in self._selector.select(left):
                if self._selector.get_map().get(key.fd) == key:
                    self._read(key)
            self._watch()
            if deadline is not None and time.monotonic() >= deadline:
                break
        events, self._events = self._events, []
        return events

    def cancel(self) -> None:
        """End every task under way without an event."""
        for worker in list(self._busy.values()):
            self._drop(worker)
        self._busy.clear()
        self._events.clear()

    def close(self) -> None:
        """End all workers."""
        self.cancel()
        while self._idle:
            self._drop(self._idle.pop())
        self._selector.close()

    def _start(self) -> WorkerProcess:
        worker = WorkerProcess(self._threads)
        output, error = worker.descriptors()
        self._selector.register(output, selectors.EVENT_READ, (worker, True))
        self._selector.register(error, selectors.EVENT_READ, (worker, False))
        return worker

    def _drop(self, worker: WorkerProcess) -> None:
        for descriptor in worker.descriptors():
            if descriptor in self._selector.get_map():
                self._selector.unregister(descriptor)
        worker.kill()

    def _read(self, key: selectors.SelectorKey) -> None:
        worker, is_output = key.data
        if is_output:
            self._receive(worker)
        elif not worker.read_stderr():
            self._selector.unregister(key.fd)

    def _receive(self, worker: WorkerProcess) -> None:
        messages, is_open = worker.read_messages()
        for message in messages:
            kind = message.pop("kind")
            if kind == "report":
                self._events.append(Reported(**{**message, "folds": tuple(message["folds"])}))
            else:
                self._finish(worker, Ended(**{**message, "outcome": Outcome(message["outcome"])}))
        if not is_open:
            self._bury(worker)

    def _finish(self, worker: WorkerProcess, ended: Ended) -> None:
        """Take a task's end. A worker that still holds much of the next task's memory is replaced."""
        self._events.append(ended)
        del self._busy[ended.name]
        limit = worker.task.memory_mb if worker.task else 0
        worker.task = None
        if worker.resident_mb() > limit / 2:
            self._drop(worker)
            worker = self._start()
        self._idle.append(worker)

    def _bury(self, worker: WorkerProcess) -> None:
        ended = worker.death()
        self._drop(worker)
        if worker in self._idle:
            self._idle.remove(worker)
        if ended is not None and self._busy.get(ended.name) is worker:
            del self._busy[ended.name]
            self._events.append(ended)
        self._idle.append(self._start())

    def _watch(self) -> None:
        now = time.monotonic()
        if now - self._watched < _WATCH:
            return
        self._watched = now
        for name, worker in list(self._busy.items()):
            ended = worker.breach()
            if ended is not None:
                del self._busy[name]
                self._drop(worker)
                self._idle.append(self._start())
                self._events.append(ended)


def _cores() -> int:
    """Cores that this process may use, at least one."""
    # The affinity alone would give a pod with two cores of a large node a worker for each core of the node.
    from joblib import cpu_count  # type: ignore[import-untyped]

    return int(cpu_count())


#: The workers of this process, by the number asked for; one entry at most.
_shared: dict[int | None, LocalExecutor] = {}


def shared_pool(workers: int | None = None) -> Executor:
    """The worker processes of this process, kept from one study to the next.

    They end with this process, however that ends: each watches its standard input and its parent.
    """
    if workers not in _shared:
        close_shared_pool()
        _shared[workers] = LocalExecutor(workers)
    return _shared[workers]


def close_shared_pool() -> None:
    """End the shared workers and wait for them: only then do their CPU seconds count as this process's."""
    while _shared:
        _shared.popitem()[1].close()
