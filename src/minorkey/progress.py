"""Progress events: steps write them, the command draws them.

A step's output is piped, so it is never on a terminal: the parent reads these events instead.
"""

import json
import time
from pathlib import Path
from typing import Any

import structlog

from minorkey.settings import settings

__all__ = ["emit"]

_log = structlog.get_logger("minorkey")


def emit(event: str, **fields: Any) -> None:
    """Append one event to the run's event file, as a JSON line, and to the log.

    Args:
        event: what happened: ``step_started``, ``step_finished``, ``assumed``, ``warned``, ``waiting``,
            ``study_started``, ``trial_started``, ``trial_finished``, ``phase``.
        fields: JSON values that belong to it.
    """
    path = settings().events
    if not path:
        _log.info(event, **fields)
        return
    line = json.dumps({"event": event, "time": time.time(), **fields}, default=str)
    # One write call below the pipe size: lines of several processes do not mix.
    with Path(path).open("a", encoding="utf-8") as stream:
        stream.write(line + "\n")
