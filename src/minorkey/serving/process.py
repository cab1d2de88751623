"""``python -m minorkey.serving.process``: the local predictor's own process.

It serves what ``FOLDER/current.json`` points to and says where in ``FOLDER/server.json``.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import psutil

from minorkey.errors import StateError
from minorkey.serving.follower import Follower, load_target
from minorkey.serving.pointer import Target, read_pointer
from minorkey.serving.server import bind, run_server, url_of
from minorkey.serving.shadow_follower import ShadowFollower
from minorkey.serving.shadow_pointer import read_shadow, shadow_path
from minorkey.serving.slot import Slot

__all__ = ["FORMAT", "POINTER", "RECORD", "main"]

#: Version of the two files below; a process of another one is restarted.
FORMAT = 2
POINTER = "current.json"
RECORD = "server.json"
#: Seconds between two looks at the pointer.
POLL_SECONDS = 0.25


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="minorkey.serving.process")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    folder: Path = arguments.folder
    target = read_pointer(folder / POINTER)
    if target is None:
        raise StateError("nothing is to be served", key=str(folder / POINTER), remedy="deploy a model first")
    slot = Slot(load_target(arguments.model, target))
    listener = bind(arguments.host, arguments.port)
    _write_record(folder / RECORD, arguments.model, arguments.host, url_of(listener))
    follower = Follower(slot, target, lambda: read_pointer(folder / POINTER), seconds=POLL_SECONDS)
    run_server(
        slot, follower, listener, ShadowFollower(slot, _challenger(arguments.model), seconds=POLL_SECONDS)
    )


def _challenger(model: str) -> Callable[[], Target | None]:
    path = shadow_path(model)

    def point() -> Target | None:
        known = read_shadow(path)
        return None if known is None else known.target

    return point


def _write_record(path: Path, model: str, host: str, url: str) -> None:
    content = {
        "format": FORMAT,
        "package": version("minorkey"),
        "model": model,
        "pid": os.getpid(),
        "created": psutil.Process().create_time(),
        "host": host,
        "url": url,
        "started": time.time(),
    }
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_text(json.dumps(content, indent=1), encoding="utf-8")
    aside.replace(path)


if __name__ == "__main__":
    main()
