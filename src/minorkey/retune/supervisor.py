"""``python -m minorkey.retune.supervisor FOLDER LOCK``: runs one command and leaves its end in a file.

It belongs to no trigger, so a run outlives the trigger that started it. FOLDER holds ``command.json`` before,
``run.log`` and ``exit.json`` after. LOCK is the descriptor of the folder's lock: it is held from before this
process began until it and the command have ended, so nobody can take a run that begins for one that is lost.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

__all__ = ["ACCOUNT", "COMMAND", "EXIT", "LOCK", "LOG", "RESULTS", "main"]

COMMAND, EXIT, LOCK, LOG = "command.json", "exit.json", "supervisor.lock", "run.log"
#: Folder of the results of ``minorkey retune run``, and what lies there once it has come to its end.
RESULTS, ACCOUNT = "run", "retune.json"


def main(folder: Path, lock: int) -> None:
    """Run the folder's command, unless it has ended already.

    Args:
        folder: of the run.
        lock: descriptor of the folder's lock, which whoever started this process took.
    """
    if (folder / EXIT).exists():
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
        return child.wait()


def _write(path: Path, content: dict[str, Any]) -> None:
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    with aside.open("w", encoding="utf-8") as stream:
        json.dump(content, stream)
        stream.flush()
        os.fsync(stream.fileno())
    aside.replace(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
