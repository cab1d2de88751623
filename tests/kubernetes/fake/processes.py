"""What runs in a pod: a process of this machine, or a function that plays one."""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from tests.kubernetes.fake.process_table import ProcessTable, handles

__all__ = ["Ended", "Process", "Running", "SimulatedPod"]

#: Called once with the exit code, the reason and the last words.
Ended = Callable[[int, str, str], None]


class Running(Protocol):
    """Something that runs in a pod until it ends or is ended."""

    def terminate(self) -> None:
        """Ask it to end: SIGTERM."""

    def kill(self, reason: str = "Error") -> None:
        """End it: SIGKILL."""

    def log(self) -> bytes:
        """What it has written so far."""

    def memory(self, table: ProcessTable) -> int:
        """Resident bytes, 0 if nobody knows."""


class Process:
    """The pod's command as a process of this machine, with children in a process group of its own.

    As in a container, its first process is number 1, which the kernel spares every signal that it does not
    handle, SIGKILL apart.

    Args:
        reaped: whether ``tini -g`` is number 1 instead: it passes signals on to the whole group, where they
            do what they always do.
    """

    def __init__(
        self,
        command: list[str],
        environment: Mapping[str, str],
        folder: Path,
        work: Path,
        ended: Ended,
        *,
        reaped: bool,
    ) -> None:
        self._reaped = reaped
        self._log = folder / "log"
        self._termination = folder / "termination-log"
        self._reason = ""
        self._ended = ended
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                env=dict(environment),
                cwd=work,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        threading.Thread(target=self._wait, name=f"pod {self._process.pid}", daemon=True).start()

    def _wait(self) -> None:
        code = self._process.wait()
        self._signal_group()
        words = self._termination.read_text(errors="replace")[:4_096] if self._termination.exists() else ""
        self._ended(128 - code if code < 0 else code, self._reason, words)

    def _signal_group(self) -> None:
        """A container ends with its first process: nothing of the group stays."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return

    def terminate(self) -> None:
        """SIGTERM to the first process only, as a kubelet does."""
        if self._process.poll() is not None:
            return
        if self._reaped:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGTERM)
        elif handles(self._process.pid, signal.SIGTERM):
            self._process.send_signal(signal.SIGTERM)

    def kill(self, reason: str = "Error") -> None:
        """SIGKILL to the process and all that descend from it, whatever their group."""
        if self._process.poll() is None:
            self._reason = reason
            for member in ProcessTable().family(self._process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(member, signal.SIGKILL)

    def log(self) -> bytes:
        """Standard output and error so far."""
        return self._log.read_bytes()

    def memory(self, table: ProcessTable) -> int:
        """Resident bytes of the process and its descendants."""
        return table.resident(self._process.pid)


class SimulatedPod:
    """A pod that a function plays: it is called once with this, returns at once, and ends the pod later.

    Attributes:
        manifest: the Pod object when it began.
        environment: as a process would get it.
        command: as a process would be started, mount paths replaced.
        stopping: set once the pod is asked to end.
        on_stop: called then; without it the pod ends at once with exit code 143.
    """

    def __init__(
        self,
        manifest: dict,
        command: list[str],
        environment: dict[str, str],
        after: Callable[[float, Callable[[], None]], None],
        ended: Ended,
    ) -> None:
        self.manifest = manifest
        self.command = command
        self.environment = environment
        self.after = after
        self.stopping = threading.Event()
        self.on_stop: Callable[[], None] | None = None
        self._ended = ended
        self._written = b""
        self._lock = threading.Lock()
        self._over = False

    @property
    def name(self) -> str:
        """The pod's name."""
        return self.manifest["metadata"]["name"]

    def write(self, text: str) -> None:
        """Add to the log."""
        self._written += text.encode()

    def finish(self, exit_code: int = 0, reason: str = "", message: str = "") -> None:
        """End the pod; later calls do nothing."""
        with self._lock:
            if self._over:
                return
            self._over = True
        self._ended(exit_code, reason, message)

    def terminate(self) -> None:
        """What a SIGTERM would do."""
        self.stopping.set()
        if self.on_stop is None:
            self.finish(143)
        else:
            self.on_stop()

    def kill(self, reason: str = "Error") -> None:
        """What a SIGKILL would do."""
        self.stopping.set()
        self.finish(137, reason)

    def log(self) -> bytes:
        """What was written so far."""
        return self._written

    def memory(self, table: ProcessTable) -> int:
        """Nothing is held."""
        return 0
