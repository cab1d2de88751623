"""The parent's end of one worker process: start, talk, watch, end."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from minorkey.trials.executor import Ended, Task
from minorkey.trials.trial import Outcome

__all__ = ["WorkerProcess"]

_CHUNK = 1 << 16
_STDERR_KEPT = 4_096
_CHILDREN_EVERY = 1.0
_GRACE = 5.0
_THREADS = ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB")


class WorkerProcess:
    """One spawned Python that runs tasks one after another.

    Args:
        threads: most threads that its numerical libraries may use.
    """

    def __init__(self, threads: int) -> None:
        environment = dict(os.environ)
        environment |= {f"{library}_NUM_THREADS": str(threads) for library in _THREADS}
        # Threads that spin while they wait for each other take the cores from those that they wait for,
        # wherever others want cores too: a boosting fit of two threads took ten times the CPU seconds.
        environment.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        environment["PYTHONPATH"] = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "minorkey.trials.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )
        self._watched = psutil.Process(self._process.pid)
        self._buffer = b""
        self._stderr = b""
        self._children_mb = 0.0
        self._children_seen = 0.0
        self.task: Task | None = None
        self._started = 0.0
        #: Seconds that its task has waited for answers, and since when it waits for one.
        self._waited = 0.0
        self._waits_since: float | None = None
        self._oom_kills = 0

    @property
    def pid(self) -> int:
        """Process id, which is also its process group."""
        return self._process.pid

    def descriptors(self) -> tuple[int, int]:
        """File descriptors of its standard output and standard error."""
        assert self._process.stdout is not None and self._process.stderr is not None  # noqa: S101
        return self._process.stdout.fileno(), self._process.stderr.fileno()

    def run(self, task: Task, threads: int) -> None:
        """Hand it a task.

        Raises:
            BrokenPipeError: the process has died.
        """
        arguments = {**task.arguments, "threads": threads}
        self._send({"kind": "run", "name": task.name, "function": task.function, "arguments": arguments})
        self.task, self._started = task, time.monotonic()
        self._waited, self._waits_since = 0.0, None
        self._stderr, self._oom_kills = b"", _oom_kills()

    def answer(self, go: bool) -> None:
        """Tell its task, which has reported, whether to go on."""
        self._waited, self._waits_since = self._waiting(), None
        with contextlib.suppress(BrokenPipeError):
            self._send({"kind": "answer", "go": go})

    def read_messages(self) -> tuple[list[dict[str, Any]], bool]:
        """The whole messages that have come, and whether its output is still open."""
        chunk = os.read(self.descriptors()[0], _CHUNK)
        *lines, self._buffer = (self._buffer + chunk).split(b"\n")
        messages = [json.loads(line) for line in lines]
        if any(message["kind"] == "report" for message in messages):
            self._waits_since = time.monotonic()
        return messages, bool(chunk)

    def read_stderr(self) -> bool:
        """Keep the end of what it wrote to standard error; whether that is still open."""
        chunk = os.read(self.descriptors()[1], _CHUNK)
        self._stderr = (self._stderr + chunk)[-_STDERR_KEPT:]
        return bool(chunk)

    def breach(self) -> Ended | None:
        """The end of its task if that is over its time or memory limit, else None.

        Time that the task waits for an answer does not count: it is the driver's.
        """
        task = self.task
        if task is None:
            return None
        seconds = time.monotonic() - self._started
        if seconds - self._waiting() > task.seconds:
            return Ended(
                task.name, Outcome.TIMED_OUT, seconds=seconds, error=f"took longer than {task.seconds:g} s"
            )
        used = self.resident_mb()
        if used > task.memory_mb:
            return Ended(
                task.name,
                Outcome.OUT_OF_MEMORY,
                seconds=seconds,
                error=f"held {used:,.0f} MiB, more than {task.memory_mb:,} MiB",
            )
        return None

    def resident_mb(self) -> float:
        """Resident memory in MiB, with its children, without what is mapped from files."""
        now = time.monotonic()
        with contextlib.suppress(psutil.Error):
            if now - self._children_seen > _CHILDREN_EVERY:
                self._children_mb = sum(map(_private_mb, self._watched.children(recursive=True)))
                self._children_seen = now
            return _private_mb(self._watched) + self._children_mb
        return 0.0

    def death(self) -> Ended | None:
        """Wait for its end and say what that means for its task; None if it had none."""
        status = self._wait()
        self._kill_group()
        while self.read_stderr():
            pass
        if self.task is None:
            return None
        seconds = time.monotonic() - self._started
        outcome, error = self._classify(status)
        return Ended(self.task.name, outcome, seconds=seconds, error=error)

    def kill(self) -> None:
        """End it and its children at once, and close its pipes."""
        self._kill_group()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()

    def _waiting(self) -> float:
        """Seconds that its task has waited for answers so far."""
        now = 0.0 if self._waits_since is None else time.monotonic() - self._waits_since
        return self._waited + now

    def _wait(self) -> int:
        try:
            return self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            self._kill_group()
            return self._process.wait()

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None  # noqa: S101
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        self._process.stdin.flush()

    def _classify(self, status: int) -> tuple[Outcome, str]:
        """SIGKILL is the kernel's when it says that it has killed for memory since, else the platform's."""
        if status == -signal.SIGTERM:
            return Outcome.EVICTED, "the worker was ended from outside"
        if status == -signal.SIGKILL:
            if _oom_kills() > self._oom_kills:
                return Outcome.OUT_OF_MEMORY, "the kernel ended the worker for want of memory"
            return Outcome.EVICTED, "the worker was killed from outside"
        lines = self._stderr.decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        cause = f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
        return Outcome.CRASHED, f"the worker ended with {cause}: {last}"[:500].removesuffix(": ")


def _private_mb(process: psutil.Process) -> float:
    try:
        memory = process.memory_info()
    except psutil.Error:
        return 0.0
    return float(memory.rss - getattr(memory, "shared", 0)) / 2**20


def _oom_kills() -> int:
    try:
        lines = Path("/proc/vmstat").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
