"""``python -m minorkey.retune.supervisor FOLDER LOCK``: runs one command and leaves its end in a file.

It belongs to no trigger, so a run outlives the trigger that started it. FOLDER holds ``command.json`` before,
``run.log`` and ``exit.json`` after, and while the command runs ``processes.json``: whom to end, by pid and by
when it began. With ``cancel.json`` there nothing begins. LOCK is the descriptor of the folder's lock: it is
held from before this process began until it and the command have ended, so nobody can take a run that begins
for one that is lost.
"""

import functools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

import psutil

__all__ = ["ACCOUNT", "CANCEL", "COMMAND", "EXIT", "LOCK", "LOG", "PROCESSES", "RESULTS", "main"]

COMMAND, EXIT, LOCK, LOG = "command.json", "exit.json", "supervisor.lock", "run.log"
CANCEL, PROCESSES = "cancel.json", "processes.json"
#: Folder of the results of ``minorkey retune run``, and what lies there once it has come to its end.
RESULTS, ACCOUNT = "run", "retune.json"


def main(folder: Path, lock: int) -> None:
    """Run the folder's command, unless it has ended already.

    Args:
        folder: of the run.
        lock: descriptor of the folder's lock, which whoever started this process took.
    """
    signal.signal(signal.SIGTERM, functools.partial(_outlive_if_cancelled, folder))
    _write(folder / PROCESSES, [_named(os.getpid())])
    # In this order: whoever cancels writes before it looks for processes, so one of the two sees the other.
    if (folder / EXIT).exists() or (folder / CANCEL).exists():
        return
    wanted: dict[str, Any] = json.loads((folder / COMMAND).read_text(encoding="utf-8"))
    started = time.time()
    code = 0 if _has_finished(folder) else _run(folder, wanted, lock)
    _write(folder / EXIT, {"code": code, "started": started, "ended": time.time()})


def _has_finished(folder: Path) -> bool:
    """Whether a run whose supervisor was killed came to its good end all the same."""
    return (folder / RESULTS / ACCOUNT).exists()


def _run(folder: Path, wanted: dict[str, Any], lock: int) -> int:
    with (folder / LOG).open("ab") as log:
        try:
            # The command holds the lock too: if only this supervisor is killed, the run is not lost yet.
            child = subprocess.Popen(  # noqa: S603
                wanted["command"],
                cwd=wanted["cwd"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=(lock,),
            )
        except OSError as error:
            log.write(f"error: the command cannot be started: {error}\n".encode())
            return 127
        _write(folder / PROCESSES, [_named(os.getpid()), *_if_there(child.pid)])
        return child.wait()


def _outlive_if_cancelled(folder: Path, number: int, frame: FrameType | None) -> None:
    """Stay when the run is cancelled: as long as this process is there, its group can be known and killed.

    Otherwise the signal ends it as it would have, and the run is found lost: the machine goes down.
    """
    if not (folder / CANCEL).exists():
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)


def _named(pid: int) -> dict[str, float]:
    """A process by what no other one shares with it, however pids are used again."""
    return {"pid": pid, "created": psutil.Process(pid).create_time()}


def _if_there(pid: int) -> list[dict[str, float]]:
    try:
        return [_named(pid)]
    except psutil.NoSuchProcess:
        return []


def _write(path: Path, content: Any) -> None:
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    with aside.open("w", encoding="utf-8") as stream:
        json.dump(content, stream)
        stream.flush()
        os.fsync(stream.fileno())
    aside.replace(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
