"""Retunes on this machine: ``minorkey retune run`` in a process of its own, with its log and its end."""

import errno
import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from minorkey.errors import StateError
from minorkey.lease.holder import in_flight_problem
from minorkey.retune.launcher import Launch, Seen
from minorkey.retune.local_ends import end_processes
from minorkey.retune.spec import RetuneSpec
from minorkey.retune.supervisor import ACCOUNT, CANCEL, COMMAND, EXIT, LOCK, LOG, RESULTS

__all__ = ["LocalRuns", "run_command"]

#: Bytes of a log's end that are looked at for what went wrong.
_TAIL = 4_096
#: Seconds that a run which is cancelled has to end by itself.
_GRACE_SECONDS = 5.0
#: Tries, and seconds between them, to take the lock of a run's folder.
_TRIES, _PAUSE = 10, 0.02
#: A trigger's own channels, which a run of its own must not write to.
_NOT_INHERITED = ("MINORKEY_EVENTS", "MINORKEY_ERROR", "MINORKEY_RUN_KEY", "MINORKEY_OWNER_LOCK")


class LocalRuns:
    """Runs under a folder, one folder a launch.

    Args:
        folder: made when it is first needed.
        command: the command line of a launch, given the folder for its results.
    """

    def __init__(self, folder: Path, command: Callable[[Launch, Path], Sequence[str]]) -> None:
        self._folder = folder.absolute()
        self._command = command
        self._children: list[subprocess.Popen[bytes]] = []

    def launch(self, launch: Launch) -> str:
        """Start the run, unless it runs or has ended already; its folder's name."""
        folder = self._folder / launch.key
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not (folder / COMMAND).exists():
                self._write_command(launch, folder)
            if not _is_over(folder) and not (folder / CANCEL).exists():
                self._spawn(folder)
        except OSError as error:
            raise StateError(
                "the run cannot be started here",
                key=str(folder),
                value=error,
                remedy="check permissions, free space and memory",
            ) from None
        return launch.key

    def look(self, run_id: str) -> Seen:
        """How a run is, by its folder."""
        self._children = [child for child in self._children if child.poll() is None]
        folder = self._folder / run_id
        # The order matters: a run may end between two looks, and its lock goes last.
        if not _is_over(folder) and _is_held(folder):
            return Seen("running")
        cancelled = (folder / CANCEL).exists()
        if not _is_over(folder) and cancelled:
            return Seen("cancelled", f"log: {folder / LOG}")
        if not _is_over(folder):
            return Seen("lost", f"the run ended without a word; log: {folder / LOG}")
        code = int(json.loads((folder / EXIT).read_text(encoding="utf-8"))["code"])
        if code == 0:
            return _succeeded(folder / RESULTS)
        if cancelled:
            return Seen("cancelled", f"log: {folder / LOG}")
        return self._failed(folder, code)

    def cancel(self, launch: Launch, run_id: str, why: str) -> None:
        """Have the run's processes end, and none begin: first asked to, and killed if they go on."""
        folder = self._folder / launch.key
        if run_id == launch.key and not (folder / COMMAND).exists():
            raise StateError(
                "the run that is to be cancelled is not on this machine",
                key=str(folder),
                remedy="cancel it where it runs, with the MINORKEY_HOME of the trigger that started it",
            )
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if _is_over(folder):
                return
            if not (folder / CANCEL).exists():
                self._write(folder / CANCEL, {"why": why, "asked": time.time()})
            if _is_held(folder):
                asked = json.loads((folder / CANCEL).read_text(encoding="utf-8"))["asked"]
                end_processes(folder, by_force=time.time() - asked > _GRACE_SECONDS)
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:  # no run was made that could go on
                return
            raise StateError(
                "the run cannot be ended here",
                key=str(folder),
                value=error,
                remedy="check permissions and free space, or end it by hand",
            ) from None

    def forget(self, key: str) -> None:
        """Remove the folder of a run that has ended."""
        folder = self._folder / key
        is_ours = key.startswith("retune-") and Path(key).name == key
        if not is_ours or not folder.is_dir() or _is_held(folder):
            return
        try:
            shutil.rmtree(folder)
        except OSError as error:
            raise StateError(
                "the folder of an old run cannot be removed",
                key=str(folder),
                value=error,
                remedy="check its permissions, or remove it by hand",
            ) from None

    def _write_command(self, launch: Launch, folder: Path) -> None:
        content = {
            "command": list(self._command(launch, folder / RESULTS)),
            "cwd": str(Path.cwd()),
            "model": launch.model,
            "reason": launch.reason,
            "kind": launch.kind,
            "base_version": launch.base_version,
        }
        self._write(folder / COMMAND, content)

    def _write(self, path: Path, content: Mapping[str, object]) -> None:
        aside = path.with_name(f".{path.name}.{os.getpid()}")
        aside.write_text(json.dumps(content, indent=1), encoding="utf-8")
        aside.replace(path)

    def _spawn(self, folder: Path) -> None:
        """Start a supervisor that inherits the folder's lock, unless somebody else has it."""
        environment = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
        with (folder / LOCK).open("a+b") as lock, (folder / LOG).open("ab") as log:
            if not _taken(lock):
                return
            self._children.append(
                subprocess.Popen(  # noqa: S603
                    [sys.executable, "-m", "minorkey.retune.supervisor", str(folder), str(lock.fileno())],
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    pass_fds=(lock.fileno(),),
                )
            )

    def _failed(self, folder: Path, code: int) -> Seen:
        model = json.loads((folder / COMMAND).read_text(encoding="utf-8"))["model"]
        lines = _tail(folder / LOG).splitlines()
        said = next((line for line in reversed(lines) if line.startswith("error:")), "error: it said nothing")
        if said == f"error: {in_flight_problem(model)}":
            return Seen("busy", "another run of the model was in flight")
        return Seen("failed", f"exit code {code}: {said.removeprefix('error: ')[:300]}; log: {folder / LOG}")


def run_command(spec: RetuneSpec) -> Callable[[Launch, Path], list[str]]:
    """The ``minorkey retune run`` of each model."""

    def command(launch: Launch, out: Path) -> list[str]:
        model = spec.models[launch.model]
        words = [sys.executable, "-m", "minorkey", "retune", "run", str(Path(model.spec).absolute())]
        words += ["--model", launch.model, "--out", str(out), "--quiet", "--kind", launch.kind]
        words += ["--reason", launch.reason, f"--base-version={launch.base_version}"]
        if spec.feedback_spec:
            words += ["--feedback-spec", str(Path(spec.feedback_spec).absolute())]
        for setting in model.settings:
            words += ["--set", setting]
        return words

    return command


def _succeeded(results: Path) -> Seen:
    """A retune that came to its end, with what it came to in its own words."""
    try:
        account = json.loads((results / ACCOUNT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Seen("succeeded", f"results: {results}")
    last = account["stages"][-1]
    text = " ".join(f"{last['name']}: {last['reason']}".split())[:300]
    return Seen("succeeded", f"{text}; results: {results}", account["outcome"])


def _is_over(folder: Path) -> bool:
    return (folder / EXIT).exists()


def _taken(lock: IO[bytes]) -> bool:
    """Take the lock unless a run has it; a look of another trigger holds it for a moment only."""
    for _ in range(_TRIES):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE)
        else:
            return True
    return False


def _is_held(folder: Path) -> bool:
    try:
        with (folder / LOCK).open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def _tail(path: Path) -> str:
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - _TAIL))
        return stream.read().decode("utf-8", "replace")
